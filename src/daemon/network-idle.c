/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/log.h"
#include "daemon/manager.h"
#include "daemon/network-idle.h"
#include "daemon/worker-pool.h"

#define IDLE_USEC (USEC_PER_SEC / 2)

struct NetworkIdle {
        Manager *manager;
        sd_event_source *timer;  /* armed while it is to be found out */
        WorkerOperation *worker; /* it is being done */
};

int network_idle_new(Manager *manager, NetworkIdle **ret)
{
        NetworkIdle *idle = calloc(1, sizeof(*idle));

        if (!idle)
                return -ENOMEM;
        idle->manager = manager;
        *ret = idle;
        return 0;
}

NetworkIdle *network_idle_free(NetworkIdle *idle)
{
        if (!idle)
                return NULL;
        worker_operation_free(idle->worker);
        sd_event_source_disable_unref(idle->timer);
        free(idle);
        return NULL;
}

static int is_used(const Manager *manager)
{
        Container *c;

        MAP_FOREACH(c, manager->by_id)
                if (c->has_network)
                        return 1;
        return 0;
}

static void on_settled(void *userdata, int error, const Fault *fault)
{
        NetworkIdle *idle = userdata;

        idle->worker = worker_operation_free(idle->worker);
        if (error < 0)
                (void)log_warning(error, "Cannot put the host's switches back: %s", fault->text);
}

static int on_idle(sd_event_source *s, uint64_t usec, void *userdata)
{
        static const WorkerHandler handler = { .finished = on_settled };
        NetworkIdle *idle = userdata;
        WireWriter w = WIRE_WRITER_INIT;
        Fault fault = FAULT_INIT;

        idle->timer = sd_event_source_disable_unref(idle->timer);
        /* Who is there now begins this anew when it goes. */
        if (is_used(idle->manager))
                return 0;
        if (idle->worker)
                network_idle_begin(idle);
        else if (worker_begin(idle->manager->workers, WORKER_SETTLE, &w, &handler, idle,
                              &idle->worker, &fault) < 0)
                (void)log_warning(fault.error, "Cannot put the host's switches back: %s",
                                  fault.text);
        return 0;
}

void network_idle_begin(NetworkIdle *idle)
{
        int r;

        if (idle->timer)
                return;
        r = sd_event_add_time_relative(idle->manager->event, &idle->timer, CLOCK_MONOTONIC,
                                       IDLE_USEC, 0, on_idle, idle);
        if (r < 0)
                (void)log_warning(r, "Cannot put the host's switches back: %m");
}
