/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "init/reader.h"
#include "init/ring.h"

/* One output of a job: where it comes from, the ring that keeps its end, and who reads it.
 *
 *     job ──► pipe, or pty ──► ring ─┬─► reader
 *                                    ├─► reader
 *                                    └─► reader
 *
 * The source ends when its last writer is gone, which may be long after the job's main process; the
 * ring stays for as long as the job does. A job that nobody remembers any more still has its output
 * taken off it until then: a daemon that it left behind must not die of SIGPIPE for having outlived
 * its record. */
typedef struct Stream {
        int source_fd; /* -EBADF: there is none, or it has ended. A pty's master is the job's */
        Ring ring;
        Reader *readers;
        uint64_t consumed; /* backpressure: everything before it was read by somebody who is gone */
        uint8_t is_tty;
        uint8_t has_backpressure;
        uint8_t is_forgotten; /* without readers the bytes go nowhere */
        uint8_t is_grown;     /* the pipe is as large as it gets */
} Stream;

/* No stream: what is attached to it gets nothing but the end. */
#define STREAM_INIT ((Stream){ .source_fd = -EBADF })

/* A ring and a pipe.
 * @name        of the ring
 * @ret_fd      the job's end of the pipe, owned by the caller
 * Returns      0; errors of ring_open() and pipe2(); @stream is as it was then. */
int stream_open(Stream *stream, const char *name, uint64_t ring_bytes, int *ret_fd);

/* The same for a pty, whose master will follow. With 0 bytes there is no ring. */
int stream_open_tty(Stream *stream, uint64_t ring_bytes);
void stream_set_master(Stream *stream, int master_fd); /* non-blocking; remains the caller's */
void stream_done(Stream *stream);

/* Whether there is, or was, something to read. */
int stream_exists(const Stream *stream);

/* Whether more may come into its ring. */
int stream_is_open(const Stream *stream);

/* How many bytes were written so far, those that are still in the pipe included: when a job waits
 * for its readers that is where its last words are. */
uint64_t stream_get_bytes(const Stream *stream);

/* Attaches a reader at @position, or at the oldest byte if that is lost: a framed one is told how
 * many are missing. With @is_until_now it gets nothing of what comes later. See reader_open(). */
int stream_attach(Stream *stream, ReaderPool *pool, uint64_t position, int is_framed,
                  int is_until_now, int *ret_fd);

/* Whether poll() shall say when the source has something. */
int stream_wants_source(const Stream *stream);

/* A bounded part of what the source has, into the ring and on to the readers. Returns whether there
 * was anything. */
int stream_on_source(Stream *stream);

/* What to ask poll() about a reader's pipe, and what it says. */
short stream_get_reader_events(const Reader *reader);
void stream_on_reader(Reader *reader, short revents);

/* Forgets the bytes as soon as nobody reads them. */
void stream_forget(Stream *stream);

/* Whether anything can still happen: bytes may come, or are still to be delivered. */
int stream_is_live(const Stream *stream);

/* Whether something could be delivered now. */
int stream_is_busy(const Stream *stream);
