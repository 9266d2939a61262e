/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/map.h"
#include "systemd/scope-request.h"

/* What the client (signals of systemd's manager) and its calls (one scope each) share. Only
 * systemd/scope*.c include this. */

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

struct SystemdClient {
        sd_bus *bus;
        sd_bus_slot *job_removed_slot, *reloading_slot, *owner_slot, *subscribe_slot;
        Map *by_job;      /* ScopeCall, by job path, while CALL_QUEUED */
        ScopeCall *calls; /* all that are unfinished */
        char *owner;      /* its unique name, "" while it is away; NULL: not known yet */
        int is_present;   /* systemd owns its name, as far as we were told */
};

/* JobRemoved came for @job of @unit: of one of the client's calls, of none, or of one that does not
 * know its job yet. */
void scope_client_job_removed(SystemdClient *client, const char *job, const char *unit,
                              const char *result);

/* systemd may have told us less than everything: asks it for each call again. */
void scope_client_recheck(SystemdClient *client);

/* The client ends before its calls: their owners keep them, but are not called any more. */
void scope_client_drop_calls(SystemdClient *client);
