/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/ring.h"
#include "wire/wshd-message.h"

/* Every byte tells its position. */
static uint8_t byte_at(uint64_t position)
{
        return (uint8_t)(position * 2654435761U >> 16);
}

/* Adds @size bytes in as many steps as it takes. */
static void add(Ring *ring, size_t size)
{
        while (size > 0) {
                struct iovec iov[2];
                size_t done = 0;
                int n = ring_get_room(ring, size, iov);

                assert_in_range(n, 1, 2);
                for (int i = 0; i < n; i++)
                        for (size_t k = 0; k < iov[i].iov_len; k++, done++)
                                ((uint8_t *)iov[i].iov_base)[k] = byte_at(ring->head + done);
                assert_in_range(done, 1, size);
                ring_commit(ring, done);
                size -= done;
        }
}

static size_t count(Ring *ring, uint64_t position, size_t max)
{
        struct iovec iov[2];
        size_t size = 0;
        int n = ring_get_bytes(ring, position, max, iov);

        for (int i = 0; i < n; i++)
                for (size_t k = 0; k < iov[i].iov_len; k++, size++)
                        assert_int_equal(((uint8_t *)iov[i].iov_base)[k], byte_at(position + size));
        return size;
}

static void test_positions(void **state)
{
        uint8_t data[8];
        Ring ring;

        ring_init(&ring, data, sizeof(data), sizeof(data));
        assert_int_equal(count(&ring, 0, 100), 0);
        add(&ring, 5);
        assert_int_equal(ring_oldest(&ring), 0);
        assert_int_equal(count(&ring, 0, 100), 5);
        assert_int_equal(count(&ring, 3, 1), 1);
        assert_int_equal(count(&ring, 5, 1), 0);
        add(&ring, 6);
        assert_int_equal(ring.head, 11);
        assert_int_equal(ring_oldest(&ring), 3);
        assert_int_equal(count(&ring, 2, 100), 0);
        assert_int_equal(count(&ring, 3, 100), 8);
        assert_int_equal(count(&ring, 3, 0), 0);
        assert_int_equal(count(&ring, 10, 100), 1);
        assert_int_equal(count(&ring, UINT64_MAX, 100), 0);
}

static void test_all_sizes(void **state)
{
        uint8_t data[13];

        for (size_t step = 1; step <= 30; step++) {
                Ring ring;

                ring_init(&ring, data, sizeof(data), sizeof(data));
                for (uint64_t total = step; total < 200; total += step) {
                        add(&ring, step);
                        assert_int_equal(ring.head, total);
                        assert_int_equal(count(&ring, ring_oldest(&ring), 100),
                                         MIN2(total, sizeof(data)));
                }
        }
}

static void test_room(void **state)
{
        uint8_t data[10];
        struct iovec iov[2];
        Ring ring;

        ring_init(&ring, data, sizeof(data), sizeof(data));
        assert_int_equal(ring_get_room(&ring, 0, iov), 0);
        assert_int_equal(ring_get_room(&ring, 100, iov), 1);
        assert_int_equal(iov[0].iov_len, 10);
        ring_commit(&ring, 7);
        assert_int_equal(ring_get_room(&ring, 100, iov), 2);
        assert_int_equal(iov[0].iov_len, 3);
        assert_ptr_equal(iov[0].iov_base, data + 7);
        assert_int_equal(iov[1].iov_len, 7);
        assert_ptr_equal(iov[1].iov_base, data);
        /* Whatever was offered, only what was used counts. */
        assert_int_equal(ring_oldest(&ring), 0);
}

static void test_far_positions(void **state)
{
        uint8_t data[7];
        Ring ring;

        ring_init(&ring, data, sizeof(data), sizeof(data));
        ring.head = (UINT64_C(1) << 40) - 3;
        for (int i = 0; i < 10; i++)
                add(&ring, 3);
        assert_int_equal(count(&ring, ring_oldest(&ring), 100), 7);
}

static void test_real_memory(void **state)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        Ring ring = { 0 };

        assert_int_equal(ring_open(&ring, "test", 1), 0);
        assert_int_equal(ring.size, page);
        ring_done(&ring);
        assert_null(ring.data);
        assert_int_equal(ring_open(&ring, "test", 300000), 0);
        assert_int_equal(ring.size % page, 0);
        assert_in_range(ring.size, 300000, 300000 + page);
        assert_int_equal(ring.ready, page);
        add(&ring, 1000000);
        assert_int_equal(ring.ready, ring.size);
        assert_int_equal(count(&ring, ring_oldest(&ring), SIZE_MAX), ring.size);
        ring_done(&ring);
        assert_int_equal(ring.head, 1000000);
        assert_int_equal(ring_get_room(&ring, 10, (struct iovec[2]){ { 0 } }), 0);
        assert_int_equal(count(&ring, 999999, 10), 0);
        ring_done(&ring);
}

/* Of a stream that has ended: what it holds stays, the rest goes. */
static void test_trim(void **state)
{
        struct iovec iov[2];
        Ring ring;

        assert_int_equal(ring_open(&ring, "test", 1 << 20), 0);
        assert_int_equal(ring.n_mapped, 1 << 20);
        assert_int_equal(ring_get_room(&ring, 3, iov), 1);
        memcpy(iov[0].iov_base, "abc", 3);
        ring_commit(&ring, 3);
        assert_int_equal(ring_get_room(&ring, 100, iov), 1); /* takes the next page */
        ring_trim(&ring);
        assert_int_equal(ring.n_mapped, 4096);
        assert_int_equal(ring_oldest(&ring), 0);
        assert_int_equal(ring_get_bytes(&ring, 0, 100, iov), 1);
        assert_int_equal(iov[0].iov_len, 3);
        assert_memory_equal(iov[0].iov_base, "abc", 3);
        ring_trim(&ring);
        assert_int_equal(ring.n_mapped, 4096);
        ring_done(&ring);
        ring_trim(&ring);
        assert_null(ring.data);
}

static void test_refusals(void **state)
{
        struct rlimit limit = { 0 }, before;
        Ring ring = { .head = 4711 };

        assert_int_equal(ring_open(&ring, "test", 0), -EINVAL);
        assert_int_equal(ring_open(&ring, "test", WSHD_RING_MAX + 1), -EINVAL);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        limit.rlim_max = before.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(ring_open(&ring, "test", 1), -EMFILE);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(ring.head, 4711);
}

/* Memory that ends in the middle of what was asked for: nothing of what is there is lost. */
static void test_no_more_memory(void **state)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        int fd = memfd_create("half", MFD_CLOEXEC);
        void *data;
        Ring ring;

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, (off_t)(4 * page)), 0);
        data = mmap(NULL, 16 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        assert_true(data != MAP_FAILED);
        fd_close(fd);
        ring_init(&ring, data, 16 * page, page);
        for (size_t i = 0; i < 3 * page / 64; i++)
                add(&ring, 64);
        assert_int_equal(count(&ring, 0, SIZE_MAX), 3 * page);
        add(&ring, page);
        assert_int_equal(count(&ring, 0, SIZE_MAX), 4 * page);
        assert_int_equal(ring_oldest(&ring), 0);
        add(&ring, 100);
        assert_int_equal(ring.size, 4 * page);
        assert_int_equal(ring_oldest(&ring), 100);
        assert_int_equal(count(&ring, 100, SIZE_MAX), 4 * page);
        add(&ring, 100 * page);
        assert_int_equal(count(&ring, ring_oldest(&ring), SIZE_MAX), 4 * page);
        ring_done(&ring);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "knows which positions it has", test_positions },
                { "keeps the last bytes, whatever the steps", test_all_sizes },
                { "offers room that goes round its end", test_room },
                { "counts far", test_far_positions },
                { "takes memory as it is filled and gives it back", test_real_memory },
                { "gives back what was never filled", test_trim },
                { "refuses sizes that make no sense, and says what it lacks", test_refusals },
                { "stays as large as it has become when memory ends", test_no_more_memory },
        };

        return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
