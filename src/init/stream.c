/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Readers get their bytes right after they came in, while those are in the CPU's cache and before
 * anything can overwrite them; poll() is asked about a reader's pipe only when it was too full for
 * that. So a reader that keeps up costs no wake-up of its own, one that stalls costs none at all,
 * and a stream that has nothing to say costs nothing.
 *
 * A source that is not wanted is not polled at all: poll() tells of a hang-up unasked, and would do
 * so for ever. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/stream.h"

#define READ_MAX ((size_t)256 << 10)  /* bytes in one turn of the loop */
#define PIPE_BYTES (256 << 10)        /* of a job that has filled its pipe */
#define PIPE_FULL ((size_t)64 << 10)  /* which had this size before */
#define RESUME_MAX ((size_t)64 << 10) /* room that makes it worth to go on reading */
#define QUIET_READ ((size_t)32 << 10) /* a job that writes less at a time is slower than we are */
#define DISCARD_MAX 16                /* reads of a page in one turn */

int stream_open(Stream *stream, const char *name, uint64_t ring_bytes, int *ret_fd)
{
        _drop_(drop_fd) int read_fd = -EBADF, write_fd = -EBADF;
        Stream new = STREAM_INIT;
        int pair[2], r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        read_fd = pair[0];
        write_fd = pair[1];
        r = fd_set_nonblock(read_fd, 1);
        if (r < 0)
                return r;
        r = ring_open(&new.ring, name, ring_bytes);
        if (r < 0)
                return r;
        new.source_fd = take_fd(&read_fd);
        *stream = new;
        *ret_fd = take_fd(&write_fd);
        return 0;
}

int stream_open_tty(Stream *stream, uint64_t ring_bytes)
{
        Stream new = STREAM_INIT;
        int r;

        if (ring_bytes > 0) {
                r = ring_open(&new.ring, "tty", ring_bytes);
                if (r < 0)
                        return r;
        }
        new.is_tty = 1;
        *stream = new;
        return 0;
}

void stream_set_master(Stream *stream, int master_fd)
{
        stream->source_fd = master_fd;
}

static void stream_close_source(Stream *stream)
{
        if (!stream->is_tty)
                fd_close(stream->source_fd);
        stream->source_fd = -EBADF;
        ring_trim(&stream->ring);
}

/* With a reader goes what only it has read, and what it has not. */
static void stream_drop_reader(Stream *stream, Reader *reader)
{
        for (Reader **p = &stream->readers; *p; p = &(*p)->next)
                if (*p == reader) {
                        *p = reader->next;
                        break;
                }
        if (stream->has_backpressure)
                stream->consumed = MAX2(stream->consumed, reader_get_consumed(reader));
        reader_done(reader);
        if (stream->is_forgotten && !stream->readers)
                ring_done(&stream->ring);
}

void stream_done(Stream *stream)
{
        while (stream->readers)
                stream_drop_reader(stream, stream->readers);
        stream_close_source(stream);
        ring_done(&stream->ring);
        *stream = STREAM_INIT;
}

int stream_exists(const Stream *stream)
{
        return !!stream->ring.data;
}

int stream_is_open(const Stream *stream)
{
        return stream_exists(stream) && stream->source_fd >= 0;
}

uint64_t stream_get_bytes(const Stream *stream)
{
        int unread = 0;

        if (stream_is_open(stream) && !stream->is_tty &&
            (ioctl(stream->source_fd, FIONREAD, &unread) < 0 || unread < 0))
                unread = 0;
        return stream->ring.head + (uint64_t)unread;
}

static int stream_is_ended(const Stream *stream)
{
        return stream->source_fd < 0;
}

/* Gives every reader what it can take. */
static void stream_push(Stream *stream)
{
        Reader *next;

        for (Reader *reader = stream->readers; reader; reader = next) {
                next = reader->next;
                if (reader_push(reader, &stream->ring, stream_is_ended(stream)) < 0)
                        stream_drop_reader(stream, reader);
        }
}

/* When a job waits for its readers, what is in a reader's pipe stays in the ring, too: a reader
 * that goes away without having read it must not take it along. */
static size_t stream_get_margin(const Stream *stream)
{
        if (!stream->has_backpressure)
                return READER_PIPE_MAX;
        return MIN2(stream->ring.size / 2, READER_PIPE_MAX);
}

int stream_attach(Stream *stream, ReaderPool *pool, uint64_t position, int is_framed,
                  int is_until_now, int *ret_fd)
{
        uint64_t end = is_until_now ? stream->ring.head : UINT64_MAX;
        Reader *reader;
        int r;

        if (!is_framed)
                position = MAX2(position, ring_oldest(&stream->ring));
        position = MIN2(position, stream->ring.head);
        r = reader_open(pool, stream, position, end, stream_get_margin(stream), is_framed, &reader,
                        ret_fd);
        if (r < 0)
                return r;
        reader->next = stream->readers;
        stream->readers = reader;
        if (reader_push(reader, &stream->ring, stream_is_ended(stream)) < 0)
                stream_drop_reader(stream, reader);
        return 0;
}

/* How much may be read without a loss that the job wants to be spared. */
static size_t stream_get_room(const Stream *stream)
{
        const Ring *ring = &stream->ring;
        uint64_t oldest = ring_oldest(ring), kept = ring->head, margin;

        if (!stream->has_backpressure)
                return ring->size;
        for (const Reader *reader = stream->readers; reader; reader = reader->next)
                kept = MIN2(kept, reader->cursor);
        margin = stream_get_margin(stream);
        kept = kept > margin ? kept - margin : 0;
        if (!stream->readers)
                kept = stream->consumed;
        return ring->size - (size_t)(ring->head - MAX2(kept, oldest));
}

int stream_wants_source(const Stream *stream)
{
        size_t room;

        if (stream->source_fd < 0)
                return 0;
        if (!stream->ring.data)
                return 1;
        room = stream_get_room(stream);
        return room >= (stream->readers ? MIN2(stream->ring.size / 4, RESUME_MAX) : 1);
}

/* The job may have given its pipe another size; what is asked for here is at most what we would
 * have made it. */
static void stream_note_size(Stream *stream, size_t n)
{
        if (stream->is_grown || stream->is_tty || n < PIPE_FULL)
                return;
        (void)fcntl(stream->source_fd, F_SETPIPE_SZ, PIPE_BYTES);
        stream->is_grown = 1;
}

/* A pty's master has EIO for its end. Returns whether it was not the end. */
static int stream_note_error(Stream *stream, ssize_t n)
{
        if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOMEM)))
                return 1;
        stream_close_source(stream);
        return 0;
}

static int stream_discard(Stream *stream)
{
        char buffer[4096];

        for (int i = 0; i < DISCARD_MAX; i++) {
                ssize_t n = read(stream->source_fd, buffer, sizeof(buffer));

                if (!stream_note_error(stream, n) || n < 0)
                        return 0;
                ring_commit(&stream->ring, (size_t)n);
        }
        return 1;
}

int stream_on_source(Stream *stream)
{
        struct iovec iov[2];
        ssize_t n;
        int n_iov;

        if (stream->source_fd < 0)
                return 0;
        if (!stream->ring.data)
                return stream_discard(stream);
        n_iov = ring_get_room(&stream->ring, MIN2(stream_get_room(stream), READ_MAX), iov);
        if (n_iov == 0)
                return 0;
        n = readv(stream->source_fd, iov, n_iov);
        if (n > 0) {
                ring_commit(&stream->ring, (size_t)n);
                stream_note_size(stream, (size_t)n);
                stream_push(stream);
                ring_rest(&stream->ring, (size_t)n < QUIET_READ);
                return 1;
        }
        if (!stream_note_error(stream, n)) {
                stream_push(stream);
                ring_rest(&stream->ring, 1);
        }
        return 0;
}

short stream_get_reader_events(const Reader *reader)
{
        const Stream *stream = reader->stream;

        return reader_has_more(reader, &stream->ring, stream_is_ended(stream)) ? POLLOUT : 0;
}

void stream_on_reader(Reader *reader, short revents)
{
        Stream *stream = reader->stream;

        if (!stream)
                return;
        if (revents & (POLLERR | POLLNVAL) ||
            reader_push_on(reader, &stream->ring, stream_is_ended(stream)) < 0)
                stream_drop_reader(stream, reader);
        ring_rest(&stream->ring, stream_is_ended(stream));
}

void stream_forget(Stream *stream)
{
        stream->is_forgotten = 1;
        if (!stream->readers)
                ring_done(&stream->ring);
}

int stream_is_live(const Stream *stream)
{
        return stream->source_fd >= 0 || stream->readers;
}

int stream_is_busy(const Stream *stream)
{
        if (stream_wants_source(stream))
                return 1;
        for (const Reader *reader = stream->readers; reader; reader = reader->next)
                if (reader_has_more(reader, &stream->ring, stream_is_ended(stream)))
                        return 1;
        return 0;
}
