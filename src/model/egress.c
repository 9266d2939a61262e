/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "model/egress.h"

void egress_rule_done(EgressRule *rule)
{
        free(rule->networks);
        free(rule->ports);
        *rule = EGRESS_RULE_INIT;
}

int egress_rule_add_network(EgressRule *rule, const char *text, Fault *fault)
{
        IpRange range, *p;
        int r;

        if (rule->n_networks >= EGRESS_NETWORKS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "Networks: more than %u",
                                 EGRESS_NETWORKS_MAX);
        r = ip_range_parse("Networks", text, &range, fault);
        if (r < 0)
                return r;
        p = realloc(rule->networks, (rule->n_networks + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        rule->networks = p;
        p[rule->n_networks++] = range;
        return 0;
}

static int port_parse(const char *text, size_t n, uint16_t *ret)
{
        char copy[8];
        uint32_t port;

        if (n >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, n);
        copy[n] = 0;
        if (parse_u32(copy, &port) < 0 || port < 1 || port > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t)port;
        return 0;
}

static int ports_parse(const char *text, PortRange *ret)
{
        size_t n = strcspn(text, "-");
        PortRange range;

        if (port_parse(text, n, &range.first) < 0)
                return -EINVAL;
        range.last = range.first;
        if (text[n] && port_parse(text + n + 1, strlen(text + n + 1), &range.last) < 0)
                return -EINVAL;
        if (range.last < range.first)
                return -EINVAL;
        *ret = range;
        return 0;
}

int egress_rule_add_ports(EgressRule *rule, const char *text, Fault *fault)
{
        PortRange range, *p;

        if (rule->n_ports >= EGRESS_PORTS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "Ports: more than %u",
                                 EGRESS_PORTS_MAX);
        if (ports_parse(text, &range) < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Ports: '%.32s' is not PORT or FIRST-LAST, from 1 to 65535", text);
        p = realloc(rule->ports, (rule->n_ports + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        rule->ports = p;
        p[rule->n_ports++] = range;
        return 0;
}

static int icmp_validate(const EgressRule *rule, Fault *fault)
{
        int is_icmp = rule->protocol == NETWORK_PROTOCOL_ICMP ||
                      rule->protocol == NETWORK_PROTOCOL_ICMPV6;

        if (rule->icmp_type < 0 && rule->icmp_code < 0)
                return 0;
        if (!is_icmp)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "IcmpType: needs Protocol 'icmp' or 'icmpv6'");
        if (rule->icmp_type < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "IcmpCode: needs an IcmpType");
        if (rule->icmp_type > UINT8_MAX || rule->icmp_code > UINT8_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "IcmpType: type and code are from 0 to 255");
        return 0;
}

int egress_rule_validate(const EgressRule *rule, Fault *fault)
{
        int wrong_family = rule->protocol == NETWORK_PROTOCOL_ICMP     ? AF_INET6
                           : rule->protocol == NETWORK_PROTOCOL_ICMPV6 ? AF_INET
                                                                       : AF_UNSPEC;
        char text[IP_RANGE_MAX];

        if (rule->n_ports > 0 && !network_protocol_has_ports(rule->protocol))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Ports: need Protocol 'tcp', 'udp' or 'sctp'");
        if (rule->is_host && rule->n_networks > 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Networks: a rule with Host is about the host's own addresses");
        for (size_t i = 0; i < rule->n_networks; i++) {
                if (rule->networks[i].family != wrong_family)
                        continue;
                ip_range_format(&rule->networks[i], text);
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Networks: %s has no %s", text,
                                 network_protocol_to_string(rule->protocol));
        }
        return icmp_validate(rule, fault);
}

int egress_rule_equal(const EgressRule *a, const EgressRule *b)
{
        if (a->protocol != b->protocol || a->n_networks != b->n_networks ||
            a->n_ports != b->n_ports || a->icmp_type != b->icmp_type ||
            a->icmp_code != b->icmp_code || a->is_host != b->is_host ||
            a->is_logged != b->is_logged)
                return 0;
        for (size_t i = 0; i < a->n_networks; i++)
                if (!ip_range_equal(&a->networks[i], &b->networks[i]))
                        return 0;
        for (size_t i = 0; i < a->n_ports; i++)
                if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
                        return 0;
        return 1;
}

static int has_number(const EgressRule *array, size_t n, unsigned number)
{
        for (size_t i = 0; i < n; i++)
                if (array[i].number == number)
                        return 1;
        return 0;
}

static unsigned choose_number(const EgressRule *array, size_t n, unsigned wanted)
{
        unsigned number = 1;

        if (wanted > 0 && wanted <= EGRESS_RULES_MAX && !has_number(array, n, wanted))
                return wanted;
        while (has_number(array, n, number))
                number++;
        return number;
}

static size_t count_combinations(const EgressRule *rule)
{
        return MAX2(rule->n_networks, (size_t)1) * MAX2(rule->n_ports, (size_t)1) *
               (rule->is_logged ? 2 : 1);
}

static int check_room(const EgressRule *array, size_t n, const EgressRule *rule, Fault *fault)
{
        size_t sum = count_combinations(rule);

        if (n >= EGRESS_RULES_MAX)
                return fault_set(fault, FAULT_LIMIT, -E2BIG,
                                 "there are %u rules, the most that a container may have",
                                 EGRESS_RULES_MAX);
        for (size_t i = 0; i < n; i++)
                sum += count_combinations(&array[i]);
        if (sum > EGRESS_COMBINATIONS_MAX)
                return fault_set(fault, FAULT_LIMIT, -E2BIG,
                                 "with this rule there would be %zu combinations of a network and "
                                 "ports, twice of rules with Log; a container may have %u",
                                 sum, EGRESS_COMBINATIONS_MAX);
        return 0;
}

int egress_rules_append(EgressRule **array, size_t *n, EgressRule *take_rule, Fault *fault)
{
        EgressRule *p;

        int r = check_room(*array, *n, take_rule, fault);

        if (r < 0)
                return r;
        p = realloc(*array, (*n + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        *array = p;
        take_rule->number = choose_number(p, *n, take_rule->number);
        p[(*n)++] = *take_rule;
        *take_rule = EGRESS_RULE_INIT;
        return 0;
}

void egress_rules_remove(EgressRule *array, size_t *n, size_t index)
{
        egress_rule_done(&array[index]);
        memmove(array + index, array + index + 1, (*n - index - 1) * sizeof(*array));
        (*n)--;
}

EgressRule *egress_rules_free(EgressRule *array, size_t n)
{
        for (size_t i = 0; i < n; i++)
                egress_rule_done(&array[i]);
        free(array);
        return NULL;
}

int egress_rules_find(const EgressRule *array, size_t n, const EgressRule *rule)
{
        for (size_t i = 0; i < n; i++)
                if (egress_rule_equal(&array[i], rule))
                        return (int)i;
        return -ENOENT;
}
