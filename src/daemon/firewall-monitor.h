/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/macro.h"

/* Tells when somebody else has changed our tables: `nft flush ruleset`, a reload of another
 * firewall, a hand. The kernel says who made a transaction, by the name of the process. */

struct sd_event;

typedef struct FirewallMonitor FirewallMonitor;

/* @func   called from the loop, once for any number of changes that come together
 * Returns 0; -EPERM; negative errno. */
int firewall_monitor_new(struct sd_event *event, void (*func)(void *userdata), void *userdata,
                         FirewallMonitor **ret);
FirewallMonitor *firewall_monitor_free(FirewallMonitor *monitor);
DEFINE_DROP(FirewallMonitor, firewall_monitor, firewall_monitor_free);

/* For the above and its test: what one datagram of the kernel says. *touched carries over what was
 * seen of a transaction whose end is in a later one. Returns 1 when a transaction of somebody
 * else's has ended that touched our tables; 0. */
int firewall_monitor_parse(const void *data, size_t size, int *touched);
