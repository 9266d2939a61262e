/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-network.h"
#include "daemon/container-forward.h"

/* -- reading forwards -- */

static int read_protocol(sd_bus_message *m, const DictKey *key, const char *names,
                         NetworkProtocol *ret, Fault *fault)
{
        NetworkProtocol protocol;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        protocol = network_protocol_from_string(text);
        if ((int)protocol < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: '%.32s' is not %s", key->name,
                                 text, names);
        *ret = protocol;
        return 0;
}

static int set_forward_protocol(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        PortForward *forward = target;

        return read_protocol(m, key, "'tcp', 'udp' or 'sctp'", &forward->protocol, fault);
}

static int set_forward_number(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        uint16_t value;
        int r = sd_bus_message_read(m, "q", &value);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        *(uint32_t *)(void *)((char *)target + key->offset) = value;
        return 0;
}

static int set_forward_address(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        PortForward *forward = target;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        return *text ? ip_range_parse(key->name, text, &forward->host_address, fault) : 0;
}

/* With what goes with taking one back; the forward is first, so that its keys find it alone too. */
typedef struct ForwardRemoval {
        PortForward forward;
        int is_cutting;
} ForwardRemoval;

static const DictKey forward_keys[] = {
        { "HostPort", "q", set_forward_number, offsetof(PortForward, host_port) },
        { "ContainerPort", "q", set_forward_number, offsetof(PortForward, container_port) },
        { "Count", "q", set_forward_number, offsetof(PortForward, count) },
        { "Protocol", "s", set_forward_protocol },
        { "HostAddress", "s", set_forward_address },
        /* Only of a removal. */
        { "CutConnections", "b", bus_dict_set_boolean, offsetof(ForwardRemoval, is_cutting) },
};

static int read_forward(sd_bus_message *m, PortForward *ret, Fault *fault)
{
        int r;

        *ret = PORT_FORWARD_INIT;
        r = bus_dict_read(m, forward_keys, ELEMENTSOF(forward_keys) - 1, ret, fault);
        return r < 0 ? r : port_forward_validate(ret, "", fault);
}

/* To name one fewer words do. */
static int read_forward_removal(sd_bus_message *m, ForwardRemoval *ret, Fault *fault)
{
        PortForward whole;
        int r;

        *ret = (ForwardRemoval){ .forward = PORT_FORWARD_INIT };
        ret->forward.count = 0;
        r = bus_dict_read(m, forward_keys, ELEMENTSOF(forward_keys), ret, fault);
        if (r < 0)
                return r;
        if (ret->forward.host_port == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "HostPort: is required");
        whole = ret->forward;
        whole.count = MAX2(whole.count, 1U);
        whole.container_port = MAX2(whole.container_port, 1U);
        return port_forward_validate(&whole, "", fault);
}

int bus_network_set_forwards(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        PortForward forward;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        while ((r = sd_bus_message_at_end(m, 0)) == 0) {
                r = read_forward(m, &forward, fault);
                if (r >= 0)
                        r = port_forwards_append(&spec->forwards, &spec->n_forwards, &forward,
                                                 fault);
                if (r < 0)
                        return r == -ENOMEM ? r : fault_prefix(fault, key->name);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? bus_dict_fail_read(key, r, fault) : 0;
}

/* -- reading rules -- */

static int set_rule_words(sd_bus_message *m, const DictKey *key, EgressRule *rule,
                          int (*add)(EgressRule *rule, const char *text, Fault *fault),
                          Fault *fault)
{
        const char *text;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        while ((r = sd_bus_message_read(m, "s", &text)) > 0) {
                r = add(rule, text, fault);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? bus_dict_fail_read(key, r, fault) : 0;
}

static int set_rule_networks(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return set_rule_words(m, key, target, egress_rule_add_network, fault);
}

static int set_rule_ports(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return set_rule_words(m, key, target, egress_rule_add_ports, fault);
}

static int set_rule_protocol(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        EgressRule *rule = target;

        return read_protocol(m, key, "'tcp', 'udp', 'sctp', 'icmp', 'icmpv6' or empty",
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

/* As above. */
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

int bus_network_set_egress(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        while ((r = sd_bus_message_at_end(m, 0)) == 0) {
                _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;

                r = read_rule(m, &rule, fault);
                if (r >= 0)
                        r = egress_rules_append(&spec->egress, &spec->n_egress, &rule, fault);
                if (r < 0)
                        return r == -ENOMEM ? r : fault_prefix(fault, key->name);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? bus_dict_fail_read(key, r, fault) : 0;
}

/* -- properties -- */

static int append_forward(sd_bus_message *reply, const PortForward *forward)
{
        char address[IP_RANGE_MAX];

        ip_range_format(&forward->host_address, address);
        return sd_bus_message_append(
                reply, "a{sv}", 5, "HostPort", "q", (uint16_t)forward->host_port, "ContainerPort",
                "q", (uint16_t)forward->container_port, "Count", "q", (uint16_t)forward->count,
                "Protocol", "s", network_protocol_to_string(forward->protocol), "HostAddress", "s",
                address);
}

int bus_network_get_forwards(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
        const Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; i < c->spec->n_forwards && r >= 0; i++)
                r = append_forward(reply, &c->spec->forwards[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

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

/* What was not said is not there, so that it can be given to DenyEgress as it is. */
static int append_rule(sd_bus_message *reply, const EgressRule *rule)
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
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_network_get_egress(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error)
{
        const Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; i < c->spec->n_egress && r >= 0; i++)
                r = append_rule(reply, &c->spec->egress[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* -- methods -- */

static void on_forwarded(void *userdata, const PortForward *forward, int error, const Fault *fault)
{
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_ports(userdata, (uint16_t)forward->host_port,
                                     (uint16_t)forward->container_port);
}

int bus_network_method_forward(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        PortForward forward;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = read_forward(m, &forward, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_forward(userdata, &forward, on_forwarded, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_network_method_unforward(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        ForwardRemoval removal;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = read_forward_removal(m, &removal, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_unforward(userdata, &removal.forward, removal.is_cutting, bus_call_reply_done,
                                call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_network_method_allow_egress(sd_bus_message *m, void *userdata, sd_bus_error *error)
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

int bus_network_method_deny_egress(sd_bus_message *m, void *userdata, sd_bus_error *error)
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
