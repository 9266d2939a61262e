/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory is taken in steps that double, and by asking for it: a page that is not there when the
 * kernel copies into the ring would be a fault in the middle of a read, with no good answer when
 * the container's limit has been reached. A refused step is an answer, and harmless: on the first
 * lap positions and offsets are the same, so a ring that ends here and goes round from here holds
 * all that it held before. A job that writes a line costs one page, not its whole ring.
 *
 * The mapping is not copied at fork: a job's process has no business with the output of others, and
 * fork has less to do. And the pages are let go again after use: the kernel's OOM killer looks for
 * the process with the most resident memory, and in a container at its limit that must not be PID 1
 * with everybody's output. The pages stay in the memfd, which is nobody's. Its descriptor is not
 * kept: the mapping keeps it, and thousands of jobs do not cost thousands of descriptors. */

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/ring.h"
#include "wire/wshd-message.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define GROW_MAX ((size_t)256 << 10)
#define PAGE_MIN ((size_t)4096)
#define QUIET_BYTES ((size_t)128 << 10)
#define LARGE_BYTES ((size_t)2 << 20)
#define BUSY_BYTES ((size_t)64 << 20)

uint64_t ring_get_rounded(uint64_t n)
{
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        return (n + page - 1) / page * page;
}

static int memory_take(uint8_t *data, size_t size)
{
        return madvise(data, size, MADV_POPULATE_WRITE) < 0 ? -errno : 0;
}

void ring_init(Ring *ring, void *data, size_t size, size_t ready)
{
        *ring = (Ring){ .data = data, .size = size, .ready = ready, .n_mapped = size };
}

int ring_open(Ring *ring, const char *name, uint64_t size)
{
        _drop_(drop_fd) int fd = -EBADF;
        size_t n, first;
        void *data;
        int r;

        if (size == 0 || size > WSHD_RING_MAX)
                return -EINVAL;
        n = (size_t)ring_get_rounded(size);
        first = (size_t)ring_get_rounded(1);
        fd = memfd_create(name, MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)n) < 0)
                return -errno;
        data = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
                return -errno;
        r = memory_take(data, first);
        if (r >= 0 && madvise(data, n, MADV_DONTFORK) < 0)
                r = -errno;
        if (r < 0) {
                (void)munmap(data, n);
                return r;
        }
        ring_init(ring, data, n, first);
        return 0;
}

void ring_done(Ring *ring)
{
        if (ring->data)
                (void)munmap(ring->data, ring->n_mapped);
        *ring = (Ring){ .head = ring->head };
}

/* On the first lap positions and offsets are the same, so that what is behind the head can go: from
 * the memfd first, which would otherwise keep it for as long as any of it is mapped. */
void ring_trim(Ring *ring)
{
        size_t kept = ring->ready;

        if (!ring->data)
                return;
        if (ring->head < ring->ready)
                kept = (size_t)ring_get_rounded(MAX2(ring->head, UINT64_C(1)));
        if (kept >= ring->n_mapped)
                return;
        (void)madvise(ring->data + kept, ring->n_mapped - kept, MADV_REMOVE);
        if (munmap(ring->data + kept, ring->n_mapped - kept) < 0)
                return;
        ring->size = ring->ready = ring->n_mapped = kept;
}

uint64_t ring_oldest(const Ring *ring)
{
        return ring->head > ring->size ? ring->head - ring->size : 0;
}

/* Never leaves less than one byte of room. */
static void ring_grow(Ring *ring)
{
        size_t n;

        if (ring->ready == ring->size || ring->ready - (size_t)ring->head >= PAGE_MIN)
                return;
        n = MIN2(MIN2(ring->ready, GROW_MAX), ring->size - ring->ready);
        if (memory_take(ring->data + ring->ready, n) >= 0)
                ring->ready += n;
        else if (ring->head == ring->ready)
                ring->size = ring->ready;
}

/* Each page that comes back is a fault, so a ring of the usual size is let go of only when it is
 * quiet, or once in many laps. */
void ring_rest(Ring *ring, int is_quiet)
{
        size_t allowed = LARGE_BYTES;

        if (is_quiet)
                allowed = QUIET_BYTES;
        else if (ring->ready == ring->size && ring->size <= LARGE_BYTES)
                allowed = BUSY_BYTES;
        if (!ring->data || ring->n_used < allowed)
                return;
        (void)madvise(ring->data, ring->n_mapped, MADV_DONTNEED);
        ring->n_used = 0;
}

static int ring_split(const Ring *ring, size_t offset, size_t n, struct iovec iov[2])
{
        size_t first = MIN2(n, ring->size - offset);

        if (n == 0)
                return 0;
        iov[0] = (struct iovec){ .iov_base = ring->data + offset, .iov_len = first };
        if (n == first)
                return 1;
        iov[1] = (struct iovec){ .iov_base = ring->data, .iov_len = n - first };
        return 2;
}

int ring_get_room(Ring *ring, size_t max, struct iovec iov[2])
{
        size_t n = max;

        if (!ring->data)
                return 0;
        ring_grow(ring);
        if (ring->ready < ring->size)
                n = MIN2(n, ring->ready - (size_t)ring->head);
        return ring_split(ring, (size_t)(ring->head % ring->size), MIN2(n, ring->size), iov);
}

void ring_commit(Ring *ring, size_t n)
{
        ring->head += n;
        ring->n_used += n;
}

int ring_get_bytes(Ring *ring, uint64_t position, size_t max, struct iovec iov[2])
{
        uint64_t n;

        if (!ring->data || position < ring_oldest(ring) || position >= ring->head)
                return 0;
        n = MIN2(ring->head - position, (uint64_t)max);
        ring->n_used += (size_t)n;
        return ring_split(ring, (size_t)(position % ring->size), (size_t)n, iov);
}
