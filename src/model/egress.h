/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/forward.h"

/* What a container may reach although the host's policy says no: one rule allows, and taking it
 * back is the only way to deny. */

#define EGRESS_NETWORKS_MAX 64 /* of one rule */
#define EGRESS_PORTS_MAX 64
#define EGRESS_RULES_MAX 64 /* of one container; no more than a uint64_t has bits */

typedef struct PortRange {
        uint16_t first, last;
} PortRange;

typedef struct EgressRule {
        unsigned number; /* among those of its container, from 1 to EGRESS_RULES_MAX, for as long as
                            it has it; 0: none yet. By it the kernel's counter is found. */
        NetworkProtocol protocol; /* any: every one */
        IpRange *networks;        /* of both families; none: everywhere */
        size_t n_networks;
        PortRange *ports; /* none: every one */
        size_t n_ports;
        int icmp_type, icmp_code; /* -1: every one */
        int is_host;              /* services of the host itself, instead of what lies behind it */
        int is_logged;            /* every new connection, to the kernel's log */
} EgressRule;

/* Of all rules of a container together: each is as many in the packet filter as it has networks
 * times ports, and twice that when it is logged. */
#define EGRESS_COMBINATIONS_MAX 4096

/* For sets of numbers. */
#define egress_number_bit(number) (UINT64_C(1) << ((number)-1) % 64)

#define EGRESS_RULE_INIT ((EgressRule){ .icmp_type = -1, .icmp_code = -1 })

void egress_rule_done(EgressRule *rule);

/* Parse and add. 0; -EINVAL, -E2BIG with a fault; -ENOMEM. */
int egress_rule_add_network(EgressRule *rule, const char *text, Fault *fault);
int egress_rule_add_ports(EgressRule *rule, const char *text, Fault *fault); /* "80", "80-89" */

/* What needs the whole: ports only with a protocol that has them, ICMP types only with ICMP, and
 * networks of its family. Returns 0; -EINVAL with a fault. */
int egress_rule_validate(const EgressRule *rule, Fault *fault);

int egress_rule_equal(const EgressRule *a, const EgressRule *b); /* whatever their numbers are */

/* Growing arrays. append takes the rule (leaves it empty) on success, and gives it the least number
 * that is free when it has none of its own: 0; -ENOMEM; -E2BIG (FAULT_LIMIT) with a fault. */
int egress_rules_append(EgressRule **array, size_t *n, EgressRule *take_rule, Fault *fault);
void egress_rules_remove(EgressRule *array, size_t *n, size_t index);
EgressRule *egress_rules_free(EgressRule *array, size_t n);

/* The index, or -ENOENT. */
int egress_rules_find(const EgressRule *array, size_t n, const EgressRule *rule);
