/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A frame must not be half in the pipe when its reader stalls: the rest of it would have to be kept
 * somewhere while the ring goes on. Linux writes up to PIPE_BUF bytes into a pipe as a whole or not
 * at all, and larger amounts page by page, so frames are a page at most, and as many full ones as
 * there are go in one call: what did not fit was cut between two of them. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/frame.h"
#include "basic/macro.h"
#include "init/reader.h"

#define PUSH_MAX ((size_t)256 << 10) /* bytes in one go */
#define PIPE_DEFAULT ((size_t)64 << 10)
#define BATCH_MAX 32 /* full frames in one go */
#define PAYLOAD_MAX (FRAME_MAX - FRAME_HEADER)

static Reader *pool_acquire(ReaderPool *pool)
{
        for (uint32_t i = 0; i < WSHD_READERS_MAX; i++) {
                if (pool->slots[i].stream)
                        continue;
                pool->n_slots = MAX2(pool->n_slots, i + 1);
                return &pool->slots[i];
        }
        return NULL;
}

int reader_open(ReaderPool *pool, struct Stream *stream, uint64_t position, uint64_t end,
                size_t pipe_max, int is_framed, Reader **ret, int *ret_fd)
{
        _drop_(drop_fd) int read_fd = -EBADF, write_fd = -EBADF;
        Reader *reader = pool_acquire(pool);
        int pair[2], r;

        if (!reader)
                return -ENOSPC;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        read_fd = pair[0];
        write_fd = pair[1];
        r = fd_set_nonblock(write_fd, 1);
        if (r < 0)
                return r;
        if (pipe_max < PIPE_DEFAULT)
                (void)fcntl(write_fd, F_SETPIPE_SZ, (int)pipe_max);
        *reader = (Reader){
                .pipe_bytes = (uint32_t)MIN2(pipe_max, READER_PIPE_MAX),
                .is_grown = pipe_max <= PIPE_DEFAULT,
                .stream = stream,
                .fd = take_fd(&write_fd),
                .is_framed = !!is_framed,
                .cursor = position,
                .end = end,
        };
        *ret = reader;
        *ret_fd = take_fd(&read_fd);
        return 0;
}

void reader_done(Reader *reader)
{
        fd_close(reader->fd);
        *reader = (Reader){ .fd = -EBADF };
}

/* Returns the bytes written; 0 when the pipe is full; -EPIPE. */
static ssize_t reader_write(const Reader *reader, const struct iovec *iov, int n)
{
        ssize_t written;

        do
                written = writev(reader->fd, iov, n);
        while (written < 0 && errno == EINTR);
        if (written >= 0)
                return written;
        return errno == EAGAIN ? 0 : -EPIPE;
}

/* Up to where there is something for it. */
static uint64_t reader_get_stop(const Reader *reader, const Ring *ring)
{
        return MIN2(ring->head, reader->end);
}

/* Whether nothing is added to that any more. */
static int reader_is_over(const Reader *reader, const Ring *ring, int is_ended)
{
        return is_ended || ring->head >= reader->end;
}

static int reader_push_raw(Reader *reader, Ring *ring, int is_ended)
{
        struct iovec iov[2];
        ssize_t n;
        int n_iov;

        if (reader->cursor < ring_oldest(ring))
                return -EPIPE;
        n = (ssize_t)MIN2(reader_get_stop(reader, ring) - reader->cursor, (uint64_t)PUSH_MAX);
        n_iov = ring_get_bytes(ring, reader->cursor, (size_t)n, iov);
        if (n_iov > 0) {
                n = reader_write(reader, iov, n_iov);
                if (n < 0)
                        return (int)n;
                reader->cursor += (uint64_t)n;
        }
        return reader_is_over(reader, ring, is_ended) &&
                               reader->cursor >= reader_get_stop(reader, ring)
                       ? -EPIPE
                       : 0;
}

/* One frame's pieces. Returns how many. */
static int frame_collect(Ring *ring, const Frame *frame, uint8_t *header, struct iovec *iov)
{
        frame_encode(frame, header);
        iov[0] = (struct iovec){ .iov_base = header, .iov_len = FRAME_HEADER };
        return 1 + ring_get_bytes(ring, frame->position, frame->size, iov + 1);
}

/* Writes as many full frames as there are, or else what there is. */
static int reader_push_frames(Reader *reader, Ring *ring)
{
        uint8_t headers[BATCH_MAX][FRAME_HEADER];
        struct iovec iov[BATCH_MAX * 3];
        uint64_t start = MAX2(reader->cursor, ring_oldest(ring));
        uint64_t left = reader_get_stop(reader, ring) - start;
        Frame frame = {
                .position = start,
                .missed = start - reader->cursor,
                .size = (uint32_t)MIN2(left, (uint64_t)PAYLOAD_MAX),
        };
        size_t n_frames = (size_t)MIN2(MAX2(left / PAYLOAD_MAX, UINT64_C(1)), (uint64_t)BATCH_MAX);
        size_t frame_bytes = FRAME_HEADER + frame.size;
        int n_iov = 0;
        ssize_t n;

        for (size_t i = 0; i < n_frames; i++) {
                n_iov += frame_collect(ring, &frame, headers[i], iov + n_iov);
                frame.position += frame.size;
                frame.missed = 0;
        }
        n = reader_write(reader, iov, n_iov);
        if (n < 0)
                return (int)n;
        /* Cut elsewhere than Linux cuts: better no reader than one out of step. */
        if ((size_t)n % frame_bytes != 0)
                return -EPIPE;
        if (n > 0)
                reader->cursor = start + (uint64_t)n / frame_bytes * (frame_bytes - FRAME_HEADER);
        return 0;
}

static int reader_push_end(const Reader *reader, Ring *ring)
{
        uint64_t stop = reader_get_stop(reader, ring);
        Frame frame = { .position = stop, .missed = stop - reader->cursor };
        uint8_t header[FRAME_HEADER];
        struct iovec iov[3];
        ssize_t n;

        n = reader_write(reader, iov, frame_collect(ring, &frame, header, iov));
        return n == 0 ? 0 : -EPIPE;
}

static int reader_push_framed(Reader *reader, Ring *ring, int is_ended)
{
        uint64_t stop = reader_get_stop(reader, ring);
        int r;

        for (size_t pushed = 0;
             pushed < PUSH_MAX && MAX2(reader->cursor, ring_oldest(ring)) < stop;) {
                uint64_t before = reader->cursor;

                r = reader_push_frames(reader, ring);
                if (r < 0 || reader->cursor == before)
                        return r;
                pushed += (size_t)(reader->cursor - before);
        }
        if (!reader_is_over(reader, ring, is_ended) ||
            MAX2(reader->cursor, ring_oldest(ring)) < stop)
                return 0;
        return reader_push_end(reader, ring);
}

int reader_push(Reader *reader, Ring *ring, int is_ended)
{
        if (!reader_has_more(reader, ring, is_ended))
                return 0;
        return reader->is_framed ? reader_push_framed(reader, ring, is_ended)
                                 : reader_push_raw(reader, ring, is_ended);
}

/* Only a reader that fills its pipe and empties it again has use for a larger one; where the kernel
 * allows no more, it stays as it is. */
int reader_push_on(Reader *reader, Ring *ring, int is_ended)
{
        if (!reader->is_grown) {
                (void)fcntl(reader->fd, F_SETPIPE_SZ, (int)reader->pipe_bytes);
                reader->is_grown = 1;
        }
        return reader_push(reader, ring, is_ended);
}

int reader_has_more(const Reader *reader, const Ring *ring, int is_ended)
{
        return reader->cursor < reader_get_stop(reader, ring) ||
               reader_is_over(reader, ring, is_ended);
}

/* With frames the pipe has headers as well, which errs on the safe side. */
uint64_t reader_get_consumed(const Reader *reader)
{
        int unread = 0;

        if (ioctl(reader->fd, FIONREAD, &unread) < 0 || unread < 0)
                return 0;
        return reader->cursor > (uint64_t)unread ? reader->cursor - (uint64_t)unread : 0;
}
