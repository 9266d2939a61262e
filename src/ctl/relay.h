/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes from one descriptor to another, all of them and in order, without ever waiting: the loop
 * polls, and one direction that is stuck does not hold up the others. */

typedef struct Relay Relay;

/* Sees what was read, before it goes on, and may change it: there is room for RELAY_ROOM bytes
 * more. *size 0 is the end of the input. Returns 0; negative: what is left in *size is the last. */
typedef int (*RelayFilter)(void *userdata, Relay *relay, uint8_t *data, size_t *size);

#define RELAY_BUFFER (64U << 10)
#define RELAY_ROOM 16U
#define RELAY_POLLFDS 2

struct Relay {
        int from_fd, to_fd;   /* owned; -EBADF when that side has ended */
        int is_refused;       /* nobody reads to_fd any more */
        int is_to_blocking;   /* to_fd is not ours to make non-blocking: small writes only */
        uint64_t left_bytes;  /* how much is still read; UINT64_MAX: no bound */
        uint64_t moved_bytes; /* read so far */
        size_t start, end;    /* what the buffer holds */
        uint8_t *buffer;
        RelayFilter filter;
        void *userdata;
};

#define RELAY_INIT ((Relay){ .from_fd = -EBADF, .to_fd = -EBADF, .left_bytes = UINT64_MAX })

/* @take_from_fd, @take_to_fd   taken in success and failure; from_fd is made non-blocking unless
 *                              @is_from_blocking, to_fd unless is_to_blocking was set before
 * Returns                      0; negative errno */
int relay_start(Relay *relay, int take_from_fd, int take_to_fd, int is_from_blocking);

/* Closes both sides; idempotent. */
void relay_done(Relay *relay);

int relay_is_done(const Relay *relay);

/* Is there nothing left that was read but not written? */
int relay_is_flushed(const Relay *relay);

/* What to poll for; entries that have nothing to wait for get fd -1. */
void relay_prepare(const Relay *relay, struct pollfd pollfds[RELAY_POLLFDS]);

/* Moves what can be moved after poll() has filled in revents. */
void relay_dispatch(Relay *relay, const struct pollfd pollfds[RELAY_POLLFDS]);

/* The job has ended: reads what is there now and no more, as a process that it left behind may hold
 * the other side open for ever. */
void relay_finish(Relay *relay);
