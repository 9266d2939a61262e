/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "firewall/counter.h"
#include "wire/firewall-message.h"

/* A FIREWALL_REBUILD as commands of the language of nft(8), for one transaction of libnftables. All
 * that is ours is in two tables, `inet warden` and `arp warden`. The number of rules does not
 * depend on the number of containers: one is a few elements of sets that are looked up by hash, and
 * a chain of its own only when it has rules of its own. */

/* Writes both tables anew, in place of those that are there, with the host's policy and all
 * containers.
 * @counters   what the old ones have counted, from where the new ones go on; may be NULL */
void firewall_text_write(FILE *f, const FirewallRequest *request, const CounterList *counters);
