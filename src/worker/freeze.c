/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "basic/io.h"
#include "cgroup/freezer.h"
#include "worker/freeze.h"

/* Less than the 25 s that a client waits for its answer. */
#define TIMEOUT_USEC (20 * USEC_PER_SEC)

int freeze_run(int client_fd, const WorkerPacket *packet)
{
        _drop_(freeze_request_done) FreezeRequest request = { NULL };
        WorkerMessage reply = { .type = WORKER_DONE, .fault = FAULT_INIT };
        int r;

        r = freeze_request_decode(packet->message.blob, packet->message.blob_size, &request);
        if (r < 0) {
                (void)fault_set(&reply.fault, FAULT_INVALID, r,
                                "freeze: cannot read the request: %m");
        } else {
                r = freezer_freeze(cgroup_mode(), request.control_group,
                                   io_now_monotonic_usec() + TIMEOUT_USEC);
                if (r == -EOPNOTSUPP)
                        (void)fault_set(&reply.fault, FAULT_NOT_SUPPORTED, r,
                                        "freeze: this host has no freezer controller");
                else if (r == -ETIMEDOUT)
                        (void)fault_set(&reply.fault, FAULT_TIMED_OUT, r,
                                        "freeze: a process did not stand still in time");
                else if (r < 0)
                        (void)fault_set(&reply.fault, FAULT_FAILED, r, "freeze: %m");
        }
        if (r < 0)
                reply.type = WORKER_FAILED;
        (void)worker_send(client_fd, &reply, NULL, 0, 0);
        return r;
}
