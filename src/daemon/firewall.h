/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "wire/firewall-counters.h"
#include "wire/firewall-message.h"

/* The daemon's side of wire/firewall-message.h. What ought to be in the kernel follows from the
 * containers; this tells warden-firewall of each change, and of everything when the tables are not
 * there or somebody else has changed them. The tables are made with the first container that has
 * a private network. */

typedef struct Firewall Firewall;
typedef struct FirewallCall FirewallCall;

/* Returns 0; -ENOMEM. */
int firewall_new(Manager *manager, Firewall **ret);
Firewall *firewall_free(Firewall *firewall);
DEFINE_DROP(Firewall, firewall, firewall_free);

/* One change. The removal of a container without forwards may take a moment, and is not to be
 * waited for.
 * @action      not FIREWALL_REBUILD, FIREWALL_RULES, FIREWALL_CUT or FIREWALL_SEGMENT
 * @forwards    what of them it is about; FIREWALL_REMOVE is about all that the container has
 * @func        called once from the loop; the call may be freed from within
 * @ret         owned by the caller, also after @func was called; of one that is freed before,
 *              nothing is heard any more, but what it asked for happens
 * Returns      0; negative errno with a fault. */
int firewall_call(Firewall *firewall, FirewallAction action, Container *c,
                  const PortForward *forwards, size_t n_forwards, ReplyFunc func, void *userdata,
                  FirewallCall **ret, Fault *fault);

/* The same of FIREWALL_RULES: those of its spec.
 * @retired   numbers of those that are gone (egress_number_bit()) */
int firewall_change_rules(Firewall *firewall, Container *c, uint64_t retired, ReplyFunc func,
                          void *userdata, FirewallCall **ret, Fault *fault);

/* The same of FIREWALL_CUT: connections that live on.
 * @forward, @rule   one of them; the other is NULL */
int firewall_cut(Firewall *firewall, Container *c, const PortForward *forward,
                 const EgressRule *rule, ReplyFunc func, void *userdata, FirewallCall **ret,
                 Fault *fault);

/* The answer to a FIREWALL_COUNT, once @func was told of no error; the call's own. */
const FirewallCounters *firewall_call_counters(const FirewallCall *call);

/* FIREWALL_SEGMENT: from the one that it is in to another.
 * @number   of that; 0: to none */
int firewall_move(Firewall *firewall, Container *c, uint32_t number, ReplyFunc func, void *userdata,
                  FirewallCall **ret, Fault *fault);

/* FIREWALL_CUT of connections with those that are in the segment of this number. */
int firewall_cut_segment(Firewall *firewall, Container *c, uint32_t number, ReplyFunc func,
                         void *userdata, FirewallCall **ret, Fault *fault);

FirewallCall *firewall_call_free(FirewallCall *call);

/* Starts the program ahead, so that no container waits for it. A failure is logged, and told to
 * whoever needs it. */
void firewall_start(Firewall *firewall);

/* Everything anew: at the start of the daemon, and when the policy has changed. Nothing happens
 * while no container has a private network. */
void firewall_rebuild(Firewall *firewall);
