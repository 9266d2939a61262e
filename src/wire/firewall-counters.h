/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/egress.h"
#include "wire/codec.h"

/* What the packet filter has counted of a container, as warden-firewall answers a FIREWALL_COUNT
 * (firewall-message.h). */

typedef struct FirewallCount {
        uint64_t packets, bytes;
} FirewallCount;

typedef struct FirewallCounters {
        FirewallCount rules[EGRESS_RULES_MAX]; /* the rule with number N is at N - 1 */
        FirewallCount refused;                 /* what it asked for and may not have */
        FirewallCount forged; /* what it sent in another's name, or as if it were a router */
} FirewallCounters;

/* Returns 0; -ENOMEM. */
int firewall_counters_encode(const FirewallCounters *counters, WireWriter *w);

/* What is not there is 0. Returns 0; -EBADMSG. */
int firewall_counters_decode(const void *data, size_t size, FirewallCounters *ret);
