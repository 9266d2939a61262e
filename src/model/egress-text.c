/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "model/egress-text.h"

#define LOG "/log"

/* -- parsing -- */

/* Adds each word between commas. */
static int add_words(EgressRule *rule, char *words,
                     int (*add)(EgressRule *rule, const char *text, Fault *fault), Fault *fault)
{
        char *word;
        int r = 0;

        while (r >= 0 && (word = strsep(&words, ",")))
                r = add(rule, word, fault);
        return r;
}

static int icmp_number_parse(const char *text, int *ret)
{
        uint32_t value;

        if (parse_u32(text, &value) < 0 || value > UINT8_MAX)
                return -EINVAL;
        *ret = (int)value;
        return 0;
}

static int protocol_parse(char *text, EgressRule *rule)
{
        char *type = strchr(text, ':'), *code = type ? strchr(type, '.') : NULL;
        int r = 0;

        if (type)
                *type++ = 0;
        if (code)
                *code++ = 0;
        rule->protocol = network_protocol_from_string(text);
        if ((int)rule->protocol < 0)
                return -EINVAL;
        if (type)
                r = icmp_number_parse(type, &rule->icmp_type);
        if (r >= 0 && code)
                r = icmp_number_parse(code, &rule->icmp_code);
        return r;
}

/* Takes "/PROTOCOL" and "/log" off the end. What follows the slash of a prefix is a digit. */
static int suffixes_parse(char *text, EgressRule *rule)
{
        size_t n = strlen(text);
        char *slash;

        if (n > strlen(LOG) && strcmp(text + n - strlen(LOG), LOG) == 0) {
                text[n - strlen(LOG)] = 0;
                rule->is_logged = 1;
        }
        slash = strrchr(text, '/');
        if (!slash || slash[1] < 'a' || slash[1] > 'z')
                return 0;
        *slash = 0;
        return protocol_parse(slash + 1, rule);
}

/* Cuts the ports off; NULL in @ret: there are none. */
static int ports_cut(char **to, char **ret)
{
        char *colon = strchr(*to, ':'), *bracket;

        *ret = NULL;
        if (**to == '[') {
                bracket = strchr(*to, ']');
                if (!bracket || (bracket[1] && bracket[1] != ':'))
                        return -EINVAL;
                if (bracket[1])
                        *ret = bracket + 2;
                *bracket = 0;
                (*to)++;
        } else if (colon && !strchr(colon + 1, ':')) {
                *colon = 0;
                *ret = colon + 1;
        }
        return 0;
}

static int rule_parse(char *text, EgressRule *rule, Fault *fault)
{
        char *to = text, *ports;
        int r;

        r = suffixes_parse(text, rule);
        if (r >= 0)
                r = ports_cut(&to, &ports);
        if (r < 0)
                return r;
        if (ports && rule->protocol == NETWORK_PROTOCOL_ANY)
                rule->protocol = NETWORK_PROTOCOL_TCP;
        if (ports) {
                r = add_words(rule, ports, egress_rule_add_ports, fault);
                if (r < 0)
                        return r;
        }
        if (strcmp(to, "host") == 0)
                rule->is_host = 1;
        else if (strcmp(to, "any") != 0)
                return add_words(rule, to, egress_rule_add_network, fault);
        return 0;
}

int egress_rule_parse(const char *text, EgressRule *ret, Fault *fault)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        _drop_(drop_free) char *copy = strdup(text);
        int r;

        if (!copy)
                return -ENOMEM;
        r = rule_parse(copy, &rule, fault);
        if (r >= 0)
                r = egress_rule_validate(&rule, fault);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 "'%.64s' is not TO[:PORTS][/PROTOCOL][/log], as in 10.0.0.0/8, "
                                 "any:443/tcp, host:53/udp, [fd00::/8]:80,443 or any/icmp:8",
                                 text);
        *ret = rule;
        rule = EGRESS_RULE_INIT;
        return 0;
}

/* -- formatting -- */

static void write_to(FILE *f, const EgressRule *rule)
{
        char text[IP_RANGE_MAX];

        if (rule->n_networks == 0)
                (void)fputs(rule->is_host ? "host" : "any", f);
        for (size_t i = 0; i < rule->n_networks; i++) {
                ip_range_format(&rule->networks[i], text);
                (void)fprintf(f, "%s%s", i > 0 ? "," : "", text);
        }
}

static void write_ports(FILE *f, const EgressRule *rule)
{
        for (size_t i = 0; i < rule->n_ports; i++) {
                const PortRange *p = &rule->ports[i];

                (void)fprintf(f, "%s%u", i > 0 ? "," : "", p->first);
                if (p->last != p->first)
                        (void)fprintf(f, "-%u", p->last);
        }
}

static void write_protocol(FILE *f, const EgressRule *rule)
{
        (void)fputs(network_protocol_to_string(rule->protocol), f);
        if (rule->icmp_type >= 0)
                (void)fprintf(f, ":%d", rule->icmp_type);
        if (rule->icmp_code >= 0)
                (void)fprintf(f, ".%d", rule->icmp_code);
}

static void write_rule(FILE *f, const EgressRule *rule)
{
        int is_bracketed = 0;

        for (size_t i = 0; i < rule->n_networks; i++)
                if (rule->networks[i].family == AF_INET6)
                        is_bracketed = 1;
        (void)fputs(is_bracketed ? "[" : "", f);
        write_to(f, rule);
        (void)fputs(is_bracketed ? "]" : "", f);
        (void)fputs(rule->n_ports > 0 ? ":" : "", f);
        write_ports(f, rule);
        (void)fputs(rule->protocol != NETWORK_PROTOCOL_ANY ? "/" : "", f);
        write_protocol(f, rule);
        (void)fputs(rule->is_logged ? LOG : "", f);
}

static char *format(const EgressRule *rule, void (*write)(FILE *f, const EgressRule *rule))
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        write(f, rule);
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

char *egress_rule_format(const EgressRule *rule)
{
        return format(rule, write_rule);
}

char *egress_rule_format_to(const EgressRule *rule)
{
        return format(rule, write_to);
}

char *egress_rule_format_ports(const EgressRule *rule)
{
        return format(rule, write_ports);
}

char *egress_rule_format_protocol(const EgressRule *rule)
{
        return format(rule, write_protocol);
}
