/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "systemd/scope.h"

struct sd_bus_message;

/* A ScopeRequest that owns its strings: a request may have to be sent a second time, long after the
 * caller's is gone. */
typedef struct ScopeRequestCopy {
        ScopeRequest request; /* points into the members below */
        char *unit, *description, *slice;
        Limits limits;
} ScopeRequestCopy;

/* Returns 0; -ENOMEM, with nothing held. */
int scope_request_copy(const ScopeRequest *request, ScopeRequestCopy *ret);
void scope_request_copy_done(ScopeRequestCopy *copy);

/* A StartTransientUnit call for it.
 * @ret      new reference, owned by the caller
 * Returns   0; sd-bus's errors. */
int scope_request_to_message(const ScopeRequest *request, struct sd_bus *bus,
                             struct sd_bus_message **ret);
