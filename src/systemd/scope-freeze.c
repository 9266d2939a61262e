/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "basic/log.h"
#include "systemd/scope-client.h"
#include "systemd/scope-freeze.h"

/* A process in an uninterruptible sleep stands still when that is over. systemd has no patience of
 * its own for it, and a client that waits has 25 s. */
#define TIMEOUT_USEC (20 * USEC_PER_SEC)

struct ScopeFreeze {
        sd_bus_slot *slot;
        const char *method;
        ScopeDone done;
        void *userdata;
};

ScopeFreeze *scope_freeze_free(ScopeFreeze *call)
{
        if (!call)
                return NULL;
        sd_bus_slot_unref(call->slot);
        free(call);
        return NULL;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        ScopeFreeze *call = userdata;
        Fault fault = FAULT_INIT;
        int r = 0;

        if (e) {
                r = -sd_bus_error_get_errno(e);
                r = fault_set(&fault, r == -ETIMEDOUT ? FAULT_TIMED_OUT : FAULT_FAILED,
                              r < 0 ? r : -EIO, "systemd, %s: %s", call->method,
                              e->message ? e->message : e->name);
        }
        call->done(call->userdata, r, &fault);
        return 0;
}

static int call_new(SystemdClient *client, const char *method, const char *unit, ScopeDone done,
                    void *userdata, ScopeFreeze **ret, Fault *fault)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        ScopeFreeze *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        *call = (ScopeFreeze){ .method = method, .done = done, .userdata = userdata };
        r = sd_bus_message_new_method_call(client->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, method);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        if (r >= 0)
                r = sd_bus_call_async(client->bus, &call->slot, m, on_answer, call, TIMEOUT_USEC);
        if (r < 0) {
                scope_freeze_free(call);
                return fault_set(fault, FAULT_FAILED, r, "Cannot ask systemd for %s: %m", method);
        }
        *ret = call;
        return 0;
}

int scope_freeze(SystemdClient *client, const char *unit, ScopeDone done, void *userdata,
                 ScopeFreeze **ret, Fault *fault)
{
        return call_new(client, "FreezeUnit", unit, done, userdata, ret, fault);
}

int scope_thaw(SystemdClient *client, const char *unit, ScopeDone done, void *userdata,
               ScopeFreeze **ret, Fault *fault)
{
        return call_new(client, "ThawUnit", unit, done, userdata, ret, fault);
}

static int on_thawed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                log_debug("systemd, ThawUnit: %s", e->message);
        return 0;
}

int scope_thaw_soon(SystemdClient *client, const char *unit)
{
        return sd_bus_call_method_async(client->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                        SYSTEMD_MANAGER, "ThawUnit", on_thawed, NULL, "s", unit);
}
