/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/egress.h"

/* A rule as one word, for command lines: TO[:PORTS][/PROTOCOL][/log].
 *
 *   TO         "any", "host", or networks and ranges with commas between them; in brackets where an
 *              IPv6 address and ports meet
 *   PORTS      80,443,8000-8010; tcp unless the protocol says otherwise
 *   PROTOCOL   tcp, udp, sctp, icmp[:TYPE[.CODE]], icmpv6[:TYPE[.CODE]]
 *
 * "10.0.0.0/8", "any:443", "host:53/udp", "[fd00::/8,10.0.0.1]:80/tcp/log", "any/icmp:8". */

/* @ret       empty. Returns 0; -EINVAL, -E2BIG with a fault that shows good ones; -ENOMEM. */
int egress_rule_parse(const char *text, EgressRule *ret, Fault *fault);

/* What parses as the same again; NULL without memory. The caller's. */
char *egress_rule_format(const EgressRule *rule);

/* Parts of it, for tables: "any", "10.0.0.0/8,fd00::/8"; "80,443" or ""; "icmp:8" or "". */
char *egress_rule_format_to(const EgressRule *rule);
char *egress_rule_format_ports(const EgressRule *rule);
char *egress_rule_format_protocol(const EgressRule *rule);
