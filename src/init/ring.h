/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The last bytes of a stream. A byte is named by its position, counted from the stream's first and
 * never reused; the ring has those from ring_oldest() up to, not including, `head`.
 *
 *              oldest                head
 *     ...lost... │ │ │ │ ... │ │ │ │ │ ...not written yet...
 *                └────── size ───────┘
 *
 * Nothing here reads or writes: it says where in memory bytes are to go, and where they are. */
typedef struct Ring {
        uint8_t *data; /* NULL: there is none */
        size_t size;   /* position p is at data[p % size] */
        size_t ready;  /* bytes from the start that have memory; becomes `size` on the first lap */
        size_t n_mapped;
        size_t n_used; /* bytes that went in or out since ring_rest() did something */
        uint64_t head;
} Ring;

/* A ring in a memfd of its own, shared by no one, charged to our cgroup as far as it was ever
 * filled. The first page has its memory when this returns, the rest is taken as it is needed.
 * @name        what /proc/1/maps shows
 * @size        bytes, rounded up to a page; 1 to WSHD_RING_MAX
 * Returns      0; -EINVAL; -ENOMEM, -EMFILE and so on. */
int ring_open(Ring *ring, const char *name, uint64_t size);

/* Over memory that the caller has mapped, of which the first @ready bytes can be had for sure. */
void ring_init(Ring *ring, void *data, size_t size, size_t ready);

/* How large the ring will be that @size is asked of. */
uint64_t ring_get_rounded(uint64_t size);

/* Nothing will be added any more: what was never filled is given back. */
void ring_trim(Ring *ring);

/* Gives the memory back; positions stay as they are. */
void ring_done(Ring *ring);

uint64_t ring_oldest(const Ring *ring);

/* Where the next bytes go, at most @max of them. When there is no memory to grow into, the ring
 * stays as large as it has become.
 * Returns how many of @iov are used: 1 or 2; 0 when @max is 0. */
int ring_get_room(Ring *ring, size_t max, struct iovec iov[2]);

/* Says that @n bytes of the room were written: the same number of the oldest may be lost by it. */
void ring_commit(Ring *ring, size_t n);

/* To be called when done for the moment: the bytes stay, but at some point they do not count as
 * resident in PID 1 any more. @is_quiet: nothing more is about to come. */
void ring_rest(Ring *ring, int is_quiet);

/* Where the bytes from @position on are, at most @max, at most up to the head. A position that is
 * lost, or not written yet, has none.
 * Returns how many of @iov are used: 0 to 2. */
int ring_get_bytes(Ring *ring, uint64_t position, size_t max, struct iovec iov[2]);
