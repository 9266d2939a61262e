/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "wire/wshd-message.h"

/* A job's stdin that clients attach to: the writing end of its pipe, or its pty, and the pipes that
 * are passed on into it. The bytes are never ours: the kernel moves them from one pipe to the next,
 * and what the job does not take stays where the client has put it, which is how it comes to wait.
 *
 *     client ──► feeder ──► pipe, or pty ──► job
 *
 * A pipe has one feeder at a time, whose end is the job's end of file unless it asked otherwise; a
 * pty may have several, and has no end. */

typedef struct Feeder {
        struct Feeder *next; /* of the same input */
        struct Input *input; /* NULL: this place is free */
        int fd;              /* our end of the client's pipe, non-blocking */
        uint8_t keeps_open;  /* its end is not the job's end of file */
} Feeder;

/* Places for all feeders of the container; those above n_slots were never written. */
typedef struct FeederPool {
        uint32_t n_slots;
        Feeder slots[WSHD_FEEDERS_MAX];
} FeederPool;

typedef struct Input {
        int fd; /* non-blocking; -EBADF: there is none, or not any more. A pty's is the job's */
        Feeder *feeders;
        uint8_t is_tty;
        uint8_t is_blocked; /* the job has not read what was passed on */
} Input;

#define INPUT_INIT ((Input){ .fd = -EBADF })

/* Makes the pipe. @ret_fd is the job's end, owned by the caller. Returns 0; errors of pipe2(). */
int input_open(Input *input, int *ret_fd);
void input_set_master(Input *input, int master_fd); /* non-blocking; remains the caller's */
void input_done(Input *input);

/* @ret_fd      the client's end, owned by the caller
 * Returns      0; -EPIPE the job has no such stdin, or has closed it; -EBUSY somebody else has it;
 *              -ENOSPC too many feeders; errors of pipe2(). */
int input_attach(Input *input, FeederPool *pool, int keeps_open, int *ret_fd);

/* What to ask poll() about the job's side, or -1 for nothing at all; and whether to ask about the
 * feeders' pipes. */
int input_get_events(const Input *input);
int input_wants_feeders(const Input *input);

/* What poll() says of either. */
void input_on_job(Input *input, short revents);
void input_on_feeder(Feeder *feeder);
