/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "firewall/netfilter.h"
#include "wire/firewall-counters.h"
#include "wire/firewall-message.h"

/* What our tables count of each container: a named counter for each of its rules, which the rules
 * of nftables that are made of it share and which stays when these are replaced, and elements of
 * two sets that count by themselves. */

#define COUNTER_NAME_MAX 32

/* Of the rule with that number of the container. */
void counter_name(const char *id, unsigned number, char ret[COUNTER_NAME_MAX]);

#define COUNTER_SET_REFUSED "refused"
#define COUNTER_SET_FORGED "forged"

/* Of one container. What is not there counts as 0. Returns 0; the kernel's negative errno. */
int counters_read(Netfilter *netfilter, const FirewallContainer *c, FirewallCounters *ret);

/* Of everything, for tables that are made anew and shall go on counting. */
typedef struct CounterList CounterList;

/* Without tables it is empty. Returns 0; the kernel's negative errno; -ENOMEM. */
int counter_list_read(Netfilter *netfilter, CounterList **ret);
CounterList *counter_list_free(CounterList *list);
DEFINE_DROP(CounterList, counter_list, counter_list_free);

/* Never NULL: what is not there counts as 0, as does all of a NULL list. */
const FirewallCount *counter_list_find_rule(const CounterList *list, const char *id,
                                            unsigned number);
/* @set   COUNTER_SET_* */
const FirewallCount *counter_list_find_element(const CounterList *list, const char *set,
                                               const char *interface);
