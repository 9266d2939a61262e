/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "systemd/scope.h"

/* FreezeUnit and ThawUnit, which systemd answers when all processes of the unit stand still, or go
 * on; cgroup v2 only. */

typedef struct ScopeFreeze ScopeFreeze;

/* @done   called exactly once, from the event loop; as that of scope_start()
 * @ret    owned by the caller; scope_freeze_free() cancels: done is not called any more, but
 *         systemd goes on */
int scope_freeze(SystemdClient *client, const char *unit, ScopeDone done, void *userdata,
                 ScopeFreeze **ret, Fault *fault);
int scope_thaw(SystemdClient *client, const char *unit, ScopeDone done, void *userdata,
               ScopeFreeze **ret, Fault *fault);
ScopeFreeze *scope_freeze_free(ScopeFreeze *call);

/* ThawUnit with no one waiting, for a unit that is about to end. */
int scope_thaw_soon(SystemdClient *client, const char *unit);
