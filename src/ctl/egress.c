/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>

#include "ctl/dict.h"
#include "ctl/egress.h"
#include "ctl/json.h"

static int append_networks(sd_bus_message *m, const EgressRule *rule)
{
        char text[IP_RANGE_MAX];
        int r;

        if (rule->n_networks == 0)
                return 0;
        r = dict_open_array(m, "Networks", "s");
        for (size_t i = 0; i < rule->n_networks && r >= 0; i++) {
                ip_range_format(&rule->networks[i], text);
                r = sd_bus_message_append(m, "s", text);
        }
        return r < 0 ? r : dict_close_array(m);
}

static int append_ports(sd_bus_message *m, const EgressRule *rule)
{
        char text[16];
        int r;

        if (rule->n_ports == 0)
                return 0;
        r = dict_open_array(m, "Ports", "s");
        for (size_t i = 0; i < rule->n_ports && r >= 0; i++) {
                (void)snprintf(text, sizeof(text), "%u-%u", rule->ports[i].first,
                               rule->ports[i].last);
                r = sd_bus_message_append(m, "s", text);
        }
        return r < 0 ? r : dict_close_array(m);
}

int egress_append(sd_bus_message *m, const EgressRule *rule, int is_cutting)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_networks(m, rule);
        if (r >= 0 && rule->protocol != NETWORK_PROTOCOL_ANY)
                r = sd_bus_message_append(m, "{sv}", "Protocol", "s",
                                          network_protocol_to_string(rule->protocol));
        if (r >= 0)
                r = append_ports(m, rule);
        if (r >= 0 && rule->icmp_type >= 0)
                r = sd_bus_message_append(m, "{sv}", "IcmpType", "y", rule->icmp_type);
        if (r >= 0 && rule->icmp_code >= 0)
                r = sd_bus_message_append(m, "{sv}", "IcmpCode", "y", rule->icmp_code);
        if (r >= 0 && rule->is_host)
                r = sd_bus_message_append(m, "{sv}", "Host", "b", 1);
        if (r >= 0 && rule->is_logged)
                r = sd_bus_message_append(m, "{sv}", "Log", "b", 1);
        if (r >= 0 && is_cutting)
                r = sd_bus_message_append(m, "{sv}", "CutConnections", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_words(EgressRule *rule, struct json_object *words,
                     int (*add)(EgressRule *rule, const char *text, Fault *fault))
{
        int r = 0;

        for (size_t i = 0; words && i < json_object_array_length(words) && r >= 0; i++)
                r = add(rule, json_object_get_string(json_object_array_get_idx(words, i)) ?: "",
                        NULL);
        return r;
}

static int has_flag(struct json_object *object, const char *key)
{
        return json_object_get_boolean(json_get_typed(object, key, json_type_boolean));
}

int egress_from_json(struct json_object *object, EgressRule *ret)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        int r;

        rule.protocol = network_protocol_from_string(json_get_string(object, "Protocol", ""));
        if ((int)rule.protocol < 0)
                return -EINVAL;
        rule.icmp_type = (int)json_get_i64(object, "IcmpType", -1);
        rule.icmp_code = (int)json_get_i64(object, "IcmpCode", -1);
        rule.is_host = has_flag(object, "Host");
        rule.is_logged = has_flag(object, "Log");
        r = add_words(&rule, json_get_typed(object, "Networks", json_type_array),
                      egress_rule_add_network);
        if (r >= 0)
                r = add_words(&rule, json_get_typed(object, "Ports", json_type_array),
                              egress_rule_add_ports);
        if (r >= 0)
                r = egress_rule_validate(&rule, NULL);
        if (r < 0)
                return r;
        *ret = rule;
        rule = EGRESS_RULE_INIT;
        return 0;
}
