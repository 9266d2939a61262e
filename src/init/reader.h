/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "init/ring.h"
#include "wire/wshd-message.h"

#define READER_PIPE_MAX ((size_t)256 << 10) /* bytes that are out of the ring's hands */

/* One who was attached to a stream: a pipe, and a position in the ring. There is no other state: a
 * reader that does not read costs its pipe and holds up nobody, unless the job asked for that. */

struct Stream;

typedef struct Reader {
        struct Reader *next;   /* of the same stream */
        struct Stream *stream; /* NULL: this place is free */
        int fd;                /* our end of the pipe, non-blocking */
        uint8_t is_framed;
        uint8_t is_grown;    /* the pipe is as large as it gets */
        uint32_t pipe_bytes; /* which is this */
        uint64_t cursor;     /* the next byte that goes into the pipe */
        uint64_t end;        /* where it ends though the stream does not; UINT64_MAX: nowhere */
} Reader;

/* Places for all readers of the container; those above n_slots were never written. */
typedef struct ReaderPool {
        uint32_t n_slots;
        Reader slots[WSHD_READERS_MAX];
} ReaderPool;

/* Makes the pipe.
 * @stream      whose reader it becomes; the caller links it there
 * @position    where to start
 * @end         where to end; UINT64_MAX: with the stream
 * @pipe_max    bytes that the pipe may hold, as far as the kernel can do with so few
 * @ret_fd      the client's end, owned by the caller
 * Returns      0; -ENOSPC too many readers; errors of pipe2(). */
int reader_open(ReaderPool *pool, struct Stream *stream, uint64_t position, uint64_t end,
                size_t pipe_max, int is_framed, Reader **ret, int *ret_fd);

/* Closes the pipe, which is end of file for the client once it has read what is in it, and frees
 * the place. */
void reader_done(Reader *reader);

/* Puts into the pipe what fits, up to a bound, so that it may have to be called again.
 * @is_ended    nothing will be added to the ring any more
 * Returns 0; -EPIPE it is over: the client is gone, everything including the end was delivered, or
 * a reader without frames has lost its place. The caller unlinks it and calls reader_done(). */
int reader_push(Reader *reader, Ring *ring, int is_ended);

/* The same, when the pipe was full and is no more. */
int reader_push_on(Reader *reader, Ring *ring, int is_ended);

/* Whether there is something to put into the pipe. */
int reader_has_more(const Reader *reader, const Ring *ring, int is_ended);

/* A position before which the client has read everything. */
uint64_t reader_get_consumed(const Reader *reader);
