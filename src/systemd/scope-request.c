/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The properties of our scopes, and why they are what they are.
 *
 * Delegate: the container's own processes may make groups below, and systemd leaves those alone.
 * CollectMode=inactive-or-failed: a failed scope must not keep the name that the next Start of
 * the same container needs. KillMode=control-group with SIGTERM: PID 1 in the scope has a
 * handler, so `systemctl stop` ends the container in order; after TimeoutStopUSec systemd kills
 * what is left. "mixed" would go straight to SIGKILL, because a scope has no main process
 * (systemd 252, unit_kill_context()). SendSIGHUP=false: it is systemd's default; a changed
 * default must not hang up on containers. TasksMax: systemd's default for scopes is a small
 * share of the machine; the number is machined's. */

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "systemd/scope-limits.h"
#include "systemd/scope-request.h"

int scope_request_copy(const ScopeRequest *request, ScopeRequestCopy *ret)
{
        ScopeRequestCopy copy = { .request = *request };

        copy.unit = strdup(request->unit);
        copy.description = strdup(request->description);
        copy.slice = strdup(request->slice);
        if (!copy.unit || !copy.description || !copy.slice) {
                scope_request_copy_done(&copy);
                return -ENOMEM;
        }
        if (request->limits && limits_copy(request->limits, &copy.limits) < 0) {
                scope_request_copy_done(&copy);
                return -ENOMEM;
        }

        *ret = copy;
        ret->request.unit = ret->unit;
        ret->request.description = ret->description;
        ret->request.slice = ret->slice;
        ret->request.limits = &ret->limits;
        return 0;
}

void scope_request_copy_done(ScopeRequestCopy *copy)
{
        free(copy->unit);
        free(copy->description);
        free(copy->slice);
        limits_done(&copy->limits);
        *copy = (ScopeRequestCopy){ 0 };
}

static int append_limits(sd_bus_message *m, const Limits *limits)
{
        int r = scope_limits_append(m, limits);

        if (r < 0 || limits_has(limits, LIMIT_TASKS_MAX))
                return r;
        return sd_bus_message_append(m, "(sv)", limit_to_string(LIMIT_TASKS_MAX), "t",
                                     SCOPE_TASKS_MAX_DEFAULT);
}

static int append_properties(sd_bus_message *m, const ScopeRequest *request)
{
        int r;

        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s", request->description,
                                  "Slice", "s", request->slice, "Delegate", "b", 1, "CollectMode",
                                  "s", "inactive-or-failed");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)", "PIDs", "au", 1u, request->pid,
                                  "KillMode", "s", "control-group", "KillSignal", "i", 15,
                                  "TimeoutStopUSec", "t", request->stop_usec, "SendSIGHUP", "b", 0);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "MemoryAccounting", "b", 1,
                                  "CPUAccounting", "b", 1, "TasksAccounting", "b", 1,
                                  "IOAccounting", "b", request->has_io_accounting);
        if (r < 0)
                return r;
        return append_limits(m, request->limits);
}

int scope_request_to_message(const ScopeRequest *request, struct sd_bus *bus,
                             struct sd_bus_message **ret)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                bus, &m, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "StartTransientUnit");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", request->unit, "fail");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r < 0)
                return r;
        r = append_properties(m, request);
        if (r < 0)
                return r;
        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "a(sa(sv))", 0);
        if (r < 0)
                return r;

        *ret = take_ptr(m);
        return 0;
}
