/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "wire/wshd-message.h"

/* A question to a container's PID 1 whose answer is only yes or no. */

typedef struct WshdRequest {
        ReplyFunc func; /* may be NULL */
        void *userdata;
        const char *what; /* a constant; begins the fault's text */
} WshdRequest;

/* Returns 0, and the request's function is called later; or a negative errno. */
int wshd_request(Container *c, WshdMessage *m, WshdRequest request, Fault *fault);
