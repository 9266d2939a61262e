/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "systemd/scope.h"

/* The scopes that systemd has, whoever asked for them. */

typedef struct ScopeSearch ScopeSearch;

/* @unit, @control_group   as systemd names them; the group is never empty */
typedef void (*ScopeFoundFunc)(void *userdata, const char *unit, const char *control_group);

/* Asks for the units whose names match the glob @pattern, then each for its control group.
 * @func   is called from the loop, once for each that has a group; not at all when systemd does not
 *         answer, which is logged
 * @ret    owned by the caller; scope_search_free() ends it. To be freed before @client
 * Returns 0; -ENOMEM and sd-bus's errors. Does not block. */
int scope_search_new(SystemdClient *client, const char *pattern, ScopeFoundFunc func,
                     void *userdata, ScopeSearch **ret);
ScopeSearch *scope_search_free(ScopeSearch *search);
DEFINE_DROP(ScopeSearch, scope_search, scope_search_free);
