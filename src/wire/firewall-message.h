/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/egress.h"
#include "model/name.h"
#include "model/network.h"
#include "wire/codec.h"

/* What wardend asks of warden-firewall, in the blob of a WORKER_FIREWALL (worker-message.h); the
 * answer is DONE or FAILED. The program keeps nothing: what is in force is in the kernel, and all
 * that ought to be is with the daemon. */

typedef enum FirewallAction {
        FIREWALL_REBUILD = 1, /* policy; all containers: replaces whatever there is of ours */
        FIREWALL_ADD,         /* containers with all that is theirs; those that are there stay */
        FIREWALL_REMOVE,      /* the same, gone; those that are not there are fine */
        FIREWALL_FORWARD,     /* of one container only these; the host's ports must be free */
        FIREWALL_UNFORWARD,
        FIREWALL_RULES,   /* of one container: these instead of those it had */
        FIREWALL_CUT,     /* of the first container: connections by these forwards and rules, that
                         * live on, and those with all the other containers, whoever began */
        FIREWALL_SEGMENT, /* of one container: this one instead of segment_before */
        FIREWALL_COUNT,   /* of one container: what was counted; the answer has FirewallCounters */
        _FIREWALL_ACTION_MAX,
} FirewallAction;

typedef struct FirewallContainer {
        char id[CONTAINER_ID_LENGTH + 1];
        NetworkAddresses addresses; /* its pool and the prefixes do not matter here, but that
                                       prefix6 is 0 without IPv6 */
        uint32_t segment;           /* number of the one that it is in; 0: none */
        uint32_t segment_before;    /* the same, for FIREWALL_SEGMENT alone */
        PortForward *forwards;
        size_t n_forwards;
        EgressRule *rules; /* each with a number of its own */
        size_t n_rules;
        uint64_t retired_rules; /* numbers of those that FIREWALL_RULES takes away: bit 0 is 1 */
} FirewallContainer;

typedef struct FirewallRequest {
        FirewallAction action;
        IpRange *allow, *deny; /* of the host's policy, for all containers */
        size_t n_allow, n_deny;
        FirewallContainer *containers;
        size_t n_containers;
} FirewallRequest;

/* Returns 0; -ENOMEM. */
int firewall_request_encode(const FirewallRequest *request, WireWriter *w);

/* Checks as if the other side were hostile: 0; -EBADMSG; -ENOMEM. */
int firewall_request_decode(const void *data, size_t size, FirewallRequest *ret);
void firewall_request_done(FirewallRequest *request); /* of a decoded one */

/* For the state file, too. Decoding returns 0; -EBADMSG; -ENOMEM. */
void port_forward_encode(const PortForward *forward, uint16_t tag, WireWriter *w);
int port_forward_decode(const WireField *f, PortForward *ret);
void egress_rule_encode(const EgressRule *rule, uint16_t tag, WireWriter *w);
int egress_rule_decode(const WireField *f, EgressRule *ret);
