/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/limits.h"

/* The asynchronous client of systemd's manager: transient scopes. Callers see no bus type. */

struct sd_bus;

typedef struct SystemdClient SystemdClient;

/* Subscribes to systemd1 (Subscribe, JobRemoved, Reloading). @bus is referenced. Does not block.
 * Returns 0; -ENOMEM and sd-bus's errors. */
int systemd_client_new(struct sd_bus *bus, SystemdClient **ret);
SystemdClient *systemd_client_free(SystemdClient *client);
DEFINE_DROP(SystemdClient, systemd_client, systemd_client_free);

/* TasksMax of a scope for which none is asked: the number is machined's. */
#define SCOPE_TASKS_MAX_DEFAULT UINT64_C(16384)

typedef struct ScopeRequest {
        const char *unit; /* warden-ID.scope */
        const char *description;
        const char *slice;
        uint32_t pid;       /* must be alive or a zombie that we have not reaped */
        uint64_t stop_usec; /* TimeoutStopUSec */
        const Limits *limits;
        int has_io_accounting; /* IOAccounting: cheap on v2, one more group to make on v1 */
} ScopeRequest;

/* error 0: the process is in its scope. Else negative errno with a fault that names the stage
 * and systemd's reason. Called exactly once, from the event loop, never from within
 * scope_start(). */
typedef void (*ScopeDone)(void *userdata, int error, const Fault *fault);

typedef struct ScopeCall ScopeCall;

/* StartTransientUnit, then JobRemoved of its job. The match is installed before the call is sent, a
 * job that ended while systemd was reloading is looked up again, and 30 s without an answer is a
 * failure.
 * @ret   owned by the caller; scope_call_free() cancels: done is not called any more (the unit
 *        may be there) */
int scope_start(SystemdClient *client, const ScopeRequest *request, ScopeDone done, void *userdata,
                ScopeCall **ret, Fault *fault);
ScopeCall *scope_call_free(ScopeCall *call);
DEFINE_DROP(ScopeCall, scope_call, scope_call_free);

/* StopUnit with no one waiting: for a scope that is empty or about to be. A unit that is gone is
 * fine. */
int scope_stop(SystemdClient *client, const char *unit);

/* KillUnit(all, SIGKILL), likewise. */
int scope_kill(SystemdClient *client, const char *unit);
