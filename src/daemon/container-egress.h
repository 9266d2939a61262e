/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "wire/firewall-counters.h"

/* What a container may reach although the host's policy says no, and what it has used of that. The
 * rules are the spec's, so that they are saved with it and come back with a start. */

/* @take_rule   taken in success. One that is there already is fine. */
int container_allow_egress(Container *c, EgressRule *take_rule, ReplyFunc func, void *userdata,
                           Fault *fault);

/* Takes back what was allowed with the same words. -ENOENT (FAULT_NOT_FOUND).
 * @is_cutting   connections that the rule allows, too, whether another one does or not */
int container_deny_egress(Container *c, const EgressRule *rule, int is_cutting, ReplyFunc func,
                          void *userdata, Fault *fault);

/* @c, @counters   NULL with a negative errno and a fault; the rules are those that @c has now */
typedef void (*EgressCountFunc)(void *userdata, const Container *c,
                                const FirewallCounters *counters, int error, const Fault *fault);

/* What the kernel has counted since the container was started; of one that does not run, nothing.
 * @func   called once from the loop */
int container_count_egress(Container *c, EgressCountFunc func, void *userdata, Fault *fault);
