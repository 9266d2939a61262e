/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "firewall/batch.h"
#include "model/egress.h"

/* A rule of egress as rules of nftables: one for each pair of network and ports, so that no set of
 * its own is needed, and two where it is logged, as the limit of the log is not one of the accept.
 */

typedef struct RulePart {
        const EgressRule *rule;
        const IpRange *network; /* NULL: everywhere */
        const PortRange *ports; /* NULL: every one */
        int is_log;
} RulePart;

/* The part @index, from 0. Returns 1; 0 when there is none. */
int rule_part(const EgressRule *rule, size_t index, RulePart *ret);

/* How many bits of @range are fixed when it is a network; -1: it is no network. */
int ip_range_prefix(const IpRange *range);

#define RULE_LOG_PREFIX "warden %s: " /* the container's id */
#define RULE_LOG_RATE 10              /* a second */
#define RULE_LOG_BURST 50

/* Appends it to the chain of table `inet warden`, where the counter of its rule is (counter.h).
 * @id    of the container */
void rule_part_write(Batch *batch, const char *chain, const char *id, const RulePart *part);
