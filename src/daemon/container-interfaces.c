/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "basic/interface.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "daemon/container-interfaces.h"
#include "daemon/manager.h"
#include "daemon/worker-pool.h"

static int find_owner(const Container *c, const char *name, const Container **ret)
{
        const Container *other;

        MAP_FOREACH(other, c->manager->by_id)
                for (char **p = other->spec->interfaces; other != c && p && *p; p++)
                        if (strcmp(*p, name) == 0) {
                                *ret = other;
                                return 1;
                        }
        return 0;
}

int container_interfaces_check(const Container *c, Fault *fault)
{
        const Container *owner;

        for (char **p = c->spec->interfaces; p && *p; p++)
                if (find_owner(c, *p, &owner))
                        return fault_set(fault, FAULT_IN_USE, -EBUSY,
                                         "Interfaces: '%s' is container '%s''s", *p,
                                         container_name(owner));
        return 0;
}

int container_interfaces_find(const Container *c, Fault *fault)
{
        for (char **p = c->spec->interfaces; p && *p; p++)
                if (interface_index(*p) < 0)
                        return fault_set(fault, FAULT_NOT_FOUND, -ENODEV,
                                         "Interfaces: the host has no interface '%s'", *p);
        return 0;
}

static void on_returned(void *userdata, int error, const Fault *fault)
{
        Container *c = userdata;

        c->interfaces_return = worker_operation_free(c->interfaces_return);
        if (error < 0)
                (void)container_log(c, LOG_ERR, error, NULL, fault->text);
        reply_all(&c->stop_replies, 0, NULL);
}

static int begin(Container *c, Fault *fault)
{
        static const WorkerHandler handler = { .finished = on_returned };
        char path[PATH_MAX], *directories[] = { path, NULL };
        RemoveRequest request = { .directories = directories, .interfaces = c->spec->interfaces };
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        (void)snprintf(path, sizeof(path), "%s/containers/%s", c->manager->conf.runtime_directory,
                       c->id);
        r = remove_request_encode(&request, &w);
        if (r >= 0)
                r = worker_begin(c->manager->workers, WORKER_RETURN, &w, &handler, c,
                                 &c->interfaces_return, fault);
        wire_writer_done(&w);
        return r;
}

int container_interfaces_return(Container *c)
{
        Fault fault = FAULT_INIT;
        int r;

        if (!c->spec->interfaces || !*c->spec->interfaces)
                return 0;
        if (c->interfaces_return)
                return 1;
        r = begin(c, &fault);
        if (r < 0)
                return container_log(c, LOG_ERR, r, NULL, "Cannot begin to give interfaces back"),
                       0;
        return 1;
}

void container_interfaces_forget(Container *c)
{
        c->interfaces_return = worker_operation_free(c->interfaces_return);
}
