/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "systemd/scope.h"

/* The limits of a scope that is there: set, and read as systemd has them. */

struct sd_bus_message;

/* error 0: @in_force has what systemd says, which may be more or less than was asked for: numbers
 * that are no limit are not set in it. Called exactly once, from the event loop, never from within
 * scope_limits_begin(). */
typedef void (*ScopeLimitsDone)(void *userdata, int error, const Limits *in_force,
                                const Fault *fault);

typedef struct ScopeLimitsCall ScopeLimitsCall;

/* SetUnitProperties, and behind it the question what is in force: by the time of that answer
 * systemd has written the values into the control group.
 * @changes   what was given is set; what was given as none takes a limit back. NULL: only ask
 * @ret       owned by the caller; scope_limits_call_free() cancels: done is not called any more
 * Returns    0; sd-bus's errors with a fault. Does not block. */
int scope_limits_begin(SystemdClient *client, const char *unit, const Limits *changes,
                       ScopeLimitsDone done, void *userdata, ScopeLimitsCall **ret, Fault *fault);
ScopeLimitsCall *scope_limits_call_free(ScopeLimitsCall *call);
DEFINE_DROP(ScopeLimitsCall, scope_limits_call, scope_limits_call_free);

/* For scope-request.c: appends the (sv) of each limit that was given and is systemd's. */
int scope_limits_append(struct sd_bus_message *m, const Limits *limits);

/* For tests: reads an a{sv} of properties. Unknown ones are skipped.
 * Returns 0; -EBADMSG a value has another type than systemd's; -E2BIG; -ENOMEM. */
int scope_limits_read(struct sd_bus_message *m, Limits *ret);
