/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "wire/wshd-message.h"

/* A connection to the PID 1 of one container, for a client that asks one thing at a time and waits
 * for the answer. */

typedef struct Link {
        int fd;
        uint32_t sequence;
        uint32_t job;    /* whose end is waited for; 0: none yet */
        int is_ended;    /* end is valid */
        WshdMessage end; /* the WSHD_EXITED */
} Link;

#define LINK_INIT ((Link){ .fd = -EBADF })

/* wshd.sock in @dir_fd. Returns 0; negative errno with a fault. */
int link_open(Link *link, int dir_fd, Fault *fault);
void link_close(Link *link);

/* Sends without waiting for the answer, which is dropped when it comes. @m->sequence is set here.
 * Returns 0; negative errno. */
int link_send(Link *link, WshdMessage *m, const int *fds, size_t n_fds);

/* Sends, and waits for the answer. The end of the job may come before it: it is kept.
 * @m        in: the request; out: the answer (its spec is not kept)
 * @ret_fds  WSHD_FDS_MAX descriptors, owned by the caller, -EBADF when absent; may be NULL
 * Returns   0, also for WSHD_FAILED; -ECONNRESET and so on when PID 1 is gone. */
int link_call(Link *link, WshdMessage *m, const int *fds, size_t n_fds, int *ret_fds);

/* Takes what has arrived, without waiting. Returns 0; negative errno when PID 1 is gone. */
int link_dispatch(Link *link);
