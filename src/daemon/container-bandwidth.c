/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's queues are changed under the lock of all interfaces, for which one may have to wait:
 * a worker does it. What is in force outlives the daemon by itself. */

#include <errno.h>
#include <stdio.h>

#include "daemon/container-bandwidth.h"
#include "daemon/manager.h"
#include "daemon/worker-pool.h"

struct BandwidthCall {
        WorkerOperation *worker;
        ReplyFunc func;
        void *userdata;
};

int container_check_bandwidth(const Container *c, const BandwidthLimits *limits, Fault *fault)
{
        if (!limits->set)
                return 0;
        if (c->spec->network != NETWORK_PRIVATE)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: is only for Network=private",
                                 bandwidth_limits_name(limits));
        if (!c->has_network)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: the container has no interface, since wardend.conf has no "
                                 "NetworkPool",
                                 bandwidth_limits_name(limits));
        return 0;
}

BandwidthCall *bandwidth_call_free(BandwidthCall *call)
{
        if (!call)
                return NULL;
        worker_operation_free(call->worker);
        free(call);
        return NULL;
}

static void on_limited(void *userdata, int error, const Fault *fault)
{
        BandwidthCall *call = userdata;

        call->func(call->userdata, error, fault);
}

int bandwidth_call_begin(Container *c, const BandwidthLimits *limits, ReplyFunc func,
                         void *userdata, BandwidthCall **ret, Fault *fault)
{
        static const WorkerHandler handler = { .finished = on_limited };
        _drop_(drop_bandwidth_call) BandwidthCall *call = calloc(1, sizeof(*call));
        BandwidthRequest request = { .limits = *limits };
        WireWriter w = WIRE_WRITER_INIT;
        int r = -ENOMEM;

        (void)snprintf(request.interface, sizeof(request.interface), "%s", c->network.interface);
        if (call) {
                *call = (BandwidthCall){ .func = func, .userdata = userdata };
                r = bandwidth_request_encode(&request, &w);
        }
        if (r >= 0)
                r = worker_begin(c->manager->workers, WORKER_BANDWIDTH, &w, &handler, call,
                                 &call->worker, fault);
        wire_writer_done(&w);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot begin to set %s: %m",
                                 bandwidth_limits_name(limits));
        *ret = take_ptr(call);
        return 0;
}
