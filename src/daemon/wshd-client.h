/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "wire/wshd-message.h"

/* A connection to the PID 1 of one container. What it says comes from inside the container and is
 * checked here (form, bounds) and by the handlers (claims about jobs). */

struct sd_event;

typedef struct WshdClient WshdClient;

typedef struct WshdHandler {
        /* Its jobs, one call each, in answer to our hello; the pidfd (-EBADF when it has ended) is
         * the handler's. */
        void (*job)(void *userdata, const WshdMessage *m, int take_pidfd);
        /* All its jobs were listed: requests may be sent. */
        void (*ready)(void *userdata);
        void (*exited)(void *userdata, const WshdMessage *m);
        /* The last writer of an ended job's output is gone. */
        void (*output)(void *userdata, const WshdMessage *m);
        /* Once: the connection is over. The client may be freed from within. */
        void (*lost)(void *userdata, int error);
} WshdHandler;

/* Connects to wshd.sock in @dir_fd, checks that the process @leader_pid answers there, and says
 * hello. Returns 0; negative errno. Does not block. */
int wshd_client_new(struct sd_event *event, int dir_fd, uint32_t leader_pid,
                    const WshdHandler *handler, void *userdata, WshdClient **ret);

/* Pending requests are answered with -ECANCELED; their functions must not use the client. */
WshdClient *wshd_client_free(WshdClient *client);
DEFINE_DROP(WshdClient, wshd_client, wshd_client_free);

/* @m is the reply (any type but an event), or NULL with @error when the connection was lost first.
 * @fds are the descriptors that came with it, WSHD_FDS_MAX of them, -EBADF behind the last; what
 * the function does not take out of there (take_fd()) is closed. */
typedef void (*WshdReplyFunc)(void *userdata, const WshdMessage *m, int *fds, int error);

/* Sends a request; m->sequence is set here. Descriptors are duplicated by the kernel when sent, and
 * by us when they have to wait. @func may be NULL. Returns 0; -ENOBUFS when too many wait;
 * -ENOTCONN; -ENOMEM; -EMSGSIZE. */
int wshd_client_call(WshdClient *client, WshdMessage *m, const int *fds, size_t n_fds,
                     WshdReplyFunc func, void *userdata);

/* Handles all that has arrived by now, up to the end of file: for the last words of a PID 1 that
 * has ended. */
void wshd_client_drain(WshdClient *client);
