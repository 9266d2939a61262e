/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "daemon/wshd-client.h"
#include "daemon/wshd-request.h"

static void on_reply(void *userdata, const WshdMessage *m, int *fds, int error)
{
        _drop_(drop_free) WshdRequest *request = userdata;
        Fault fault = FAULT_INIT;
        int r = 0;

        if (!m)
                r = fault_set(&fault, FAULT_FAILED, error,
                              "%s: PID 1 of the container is out of reach: %m", request->what);
        else if (m->type != WSHD_OK)
                r = fault_set(&fault, m->error == EINVAL ? FAULT_INVALID : FAULT_FAILED,
                              m->error > 0 && m->error < 4096 ? -(int)m->error : -EPROTO, "%s: %m",
                              request->what);
        if (request->func)
                request->func(request->userdata, r, &fault);
}

int wshd_request(Container *c, WshdMessage *m, WshdRequest request, Fault *fault)
{
        WshdRequest *copy;
        int r;

        if (!c->wshd)
                return fault_set(fault, FAULT_FAILED, -ENOTCONN,
                                 "%s: PID 1 of the container is out of reach", request.what);
        copy = malloc(sizeof(*copy));
        if (!copy)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        *copy = request;
        r = wshd_client_call(c->wshd, m, NULL, 0, on_reply, copy);
        if (r < 0) {
                free(copy);
                return fault_set(fault, r == -ENOBUFS ? FAULT_LIMIT : FAULT_FAILED, r, "%s: %m",
                                 request.what);
        }
        return 0;
}
