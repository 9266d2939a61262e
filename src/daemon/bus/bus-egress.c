/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-egress.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-network.h"
#include "daemon/container-egress.h"

/* -- reading -- */

static int add_rule_network(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : egress_rule_add_network(target, text, fault);
}

static int set_rule_networks(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "s", add_rule_network, target, fault);
}

static int add_rule_ports(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : egress_rule_add_ports(target, text, fault);
}

static int set_rule_ports(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "s", add_rule_ports, target, fault);
}

static int set_rule_protocol(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        EgressRule *rule = target;

        return bus_network_read_protocol(m, key, "'tcp', 'udp', 'sctp', 'icmp', 'icmpv6' or empty",
                                         &rule->protocol, fault);
}

static int set_rule_icmp(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        uint8_t value;
        int r = sd_bus_message_read(m, "y", &value);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        *(int *)(void *)((char *)target + key->offset) = value;
        return 0;
}

/* With what goes with taking one back; the rule is first, so that its keys find it alone too. */
typedef struct RuleRemoval {
        EgressRule rule;
        int is_cutting;
} RuleRemoval;

static const DictKey rule_keys[] = {
        { "Networks", "as", set_rule_networks },
        { "Protocol", "s", set_rule_protocol },
        { "Ports", "as", set_rule_ports },
        { "IcmpType", "y", set_rule_icmp, offsetof(EgressRule, icmp_type) },
        { "IcmpCode", "y", set_rule_icmp, offsetof(EgressRule, icmp_code) },
        { "Host", "b", bus_dict_set_boolean, offsetof(EgressRule, is_host) },
        { "Log", "b", bus_dict_set_boolean, offsetof(EgressRule, is_logged) },
        /* Only of a removal. */
        { "CutConnections", "b", bus_dict_set_boolean, offsetof(RuleRemoval, is_cutting) },
};

/* @ret   empty; the caller's, also on failure */
static int read_rule(sd_bus_message *m, EgressRule *ret, Fault *fault)
{
        int r = bus_dict_read(m, rule_keys, ELEMENTSOF(rule_keys) - 1, ret, fault);

        return r < 0 ? r : egress_rule_validate(ret, fault);
}

static int add_rule(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        ContainerSpec *spec = target;
        int r;

        r = read_rule(m, &rule, fault);
        if (r >= 0)
                r = egress_rules_append(&spec->egress, &spec->n_egress, &rule, fault);
        return r < 0 && r != -ENOMEM ? fault_prefix(fault, key->name) : r;
}

int bus_egress_set(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "a{sv}", add_rule, target, fault);
}

/* -- rules -- */

static int open_words(sd_bus_message *reply, const char *key)
{
        int r;

        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        return r < 0 ? r : sd_bus_message_open_container(reply, 'a', "s");
}

static int close_words(sd_bus_message *reply)
{
        int r = 0;

        for (int i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(reply);
        return r;
}

static int append_rule_networks(sd_bus_message *reply, const EgressRule *rule)
{
        char text[IP_RANGE_MAX];
        int r;

        if (rule->n_networks == 0)
                return 0;
        r = open_words(reply, "Networks");
        for (size_t i = 0; i < rule->n_networks && r >= 0; i++) {
                ip_range_format(&rule->networks[i], text);
                r = sd_bus_message_append(reply, "s", text);
        }
        return r < 0 ? r : close_words(reply);
}

static int append_rule_ports(sd_bus_message *reply, const EgressRule *rule)
{
        char text[16];
        int r;

        if (rule->n_ports == 0)
                return 0;
        r = open_words(reply, "Ports");
        for (size_t i = 0; i < rule->n_ports && r >= 0; i++) {
                const PortRange *p = &rule->ports[i];

                if (p->first == p->last)
                        (void)snprintf(text, sizeof(text), "%u", p->first);
                else
                        (void)snprintf(text, sizeof(text), "%u-%u", p->first, p->last);
                r = sd_bus_message_append(reply, "s", text);
        }
        return r < 0 ? r : close_words(reply);
}

static int append_count(sd_bus_message *reply, const char *packets, const char *bytes,
                        const FirewallCount *count)
{
        return sd_bus_message_append(reply, "{sv}{sv}", packets, "t", count->packets, bytes, "t",
                                     count->bytes);
}

/* What was not said is not there, so that it can be given to DenyEgress as it is.
 * @count   NULL: without */
static int append_rule(sd_bus_message *reply, const EgressRule *rule, const FirewallCount *count)
{
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = append_rule_networks(reply, rule);
        if (r >= 0 && rule->protocol != NETWORK_PROTOCOL_ANY)
                r = sd_bus_message_append(reply, "{sv}", "Protocol", "s",
                                          network_protocol_to_string(rule->protocol));
        if (r >= 0)
                r = append_rule_ports(reply, rule);
        if (r >= 0 && rule->icmp_type >= 0)
                r = sd_bus_message_append(reply, "{sv}", "IcmpType", "y", rule->icmp_type);
        if (r >= 0 && rule->icmp_code >= 0)
                r = sd_bus_message_append(reply, "{sv}", "IcmpCode", "y", rule->icmp_code);
        if (r >= 0 && rule->is_host)
                r = sd_bus_message_append(reply, "{sv}", "Host", "b", 1);
        if (r >= 0 && rule->is_logged)
                r = sd_bus_message_append(reply, "{sv}", "Log", "b", 1);
        if (r >= 0 && count)
                r = append_count(reply, "Packets", "Bytes", count);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_egress_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; i < c->spec->n_egress && r >= 0; i++)
                r = append_rule(reply, &c->spec->egress[i], NULL);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* -- methods -- */

int bus_egress_method_allow(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = read_rule(m, &rule, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_allow_egress(userdata, &rule, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_egress_method_deny(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        RuleRemoval removal = { .rule = EGRESS_RULE_INIT };
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_dict_read(m, rule_keys, ELEMENTSOF(rule_keys), &removal, &fault);
        if (r >= 0)
                r = egress_rule_validate(&removal.rule, &fault);
        if (r < 0) {
                egress_rule_done(&removal.rule);
                return bus_fault_to_error(&fault, r, error);
        }
        r = bus_call_new(m, &call, error);
        if (r >= 0) {
                r = container_deny_egress(userdata, &removal.rule, removal.is_cutting,
                                          bus_call_reply_done, call, &fault);
                r = r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
        }
        egress_rule_done(&removal.rule);
        return r;
}

static int append_counts(sd_bus_message *reply, const Container *c,
                         const FirewallCounters *counters)
{
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; i < c->spec->n_egress && r >= 0; i++) {
                const EgressRule *rule = &c->spec->egress[i];

                r = append_rule(reply, rule, &counters->rules[rule->number - 1]);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = append_count(reply, "RefusedPackets", "RefusedBytes", &counters->refused);
        if (r >= 0)
                r = append_count(reply, "ForgedPackets", "ForgedBytes", &counters->forged);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void on_counted(void *userdata, const Container *c, const FirewallCounters *counters,
                       int error, const Fault *fault)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (error >= 0)
                error = bus_call_new_reply(userdata, &reply);
        if (error >= 0)
                error = append_counts(reply, c, counters);
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_message(userdata, reply);
}

int bus_egress_method_count(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_count_egress(userdata, on_counted, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}
