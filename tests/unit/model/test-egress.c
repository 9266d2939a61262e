/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/egress.h"

static void test_adds(void **state)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;

        rule.protocol = NETWORK_PROTOCOL_TCP;
        assert_int_equal(egress_rule_add_network(&rule, "10.0.0.0/8", NULL), 0);
        assert_int_equal(egress_rule_add_network(&rule, "fd00::1", NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, "443", NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, "8000-8100", NULL), 0);
        assert_int_equal(rule.n_networks, 2);
        assert_int_equal(rule.ports[0].last, 443);
        assert_int_equal(rule.ports[1].first, 8000);
        assert_int_equal(rule.ports[1].last, 8100);
        assert_int_equal(egress_rule_validate(&rule, NULL), 0);
}

static void test_refuses_ports(void **state)
{
        static const char *const texts[] = { "",    "0",   "65536", "90-80",   "http",
                                             "80-", "-80", "80 ",   "1-65536", "80-90-100" };
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (egress_rule_add_ports(&rule, texts[i], NULL) != -EINVAL)
                        fail_msg("'%s' was taken", texts[i]);
        assert_int_equal(rule.n_ports, 0);
        for (unsigned i = 0; i < EGRESS_PORTS_MAX; i++)
                assert_int_equal(egress_rule_add_ports(&rule, "1", NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, "1", NULL), -E2BIG);
}

static void assert_invalid(const EgressRule *rule, const char *field)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(egress_rule_validate(rule, &fault), -EINVAL);
        if (strncmp(fault.text, field, strlen(field)) != 0)
                fail_msg("%s", fault.text);
}

static void test_contradictions(void **state)
{
        _drop_(egress_rule_done) EgressRule ports = EGRESS_RULE_INIT;
        _drop_(egress_rule_done) EgressRule networks = EGRESS_RULE_INIT;
        EgressRule rule = EGRESS_RULE_INIT;

        assert_int_equal(egress_rule_validate(&rule, NULL), 0);
        rule.icmp_code = 1;
        assert_invalid(&rule, "IcmpType: ");
        rule.protocol = NETWORK_PROTOCOL_ICMP;
        assert_invalid(&rule, "IcmpCode: ");
        rule.icmp_type = 256;
        assert_invalid(&rule, "IcmpType: ");
        rule.icmp_type = 8;
        assert_int_equal(egress_rule_validate(&rule, NULL), 0);

        assert_int_equal(egress_rule_add_ports(&ports, "80", NULL), 0);
        assert_invalid(&ports, "Ports: ");
        ports.protocol = NETWORK_PROTOCOL_ICMP;
        assert_invalid(&ports, "Ports: ");

        assert_int_equal(egress_rule_add_network(&networks, "10.0.0.0/8", NULL), 0);
        networks.is_host = 1;
        assert_invalid(&networks, "Networks: ");
        networks.is_host = 0;
        networks.protocol = NETWORK_PROTOCOL_ICMPV6;
        assert_invalid(&networks, "Networks: 10.0.0.0/8 has no icmpv6");
}

static EgressRule made(const char *network, const char *ports)
{
        EgressRule rule = EGRESS_RULE_INIT;

        rule.protocol = NETWORK_PROTOCOL_TCP;
        assert_int_equal(egress_rule_add_network(&rule, network, NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, ports, NULL), 0);
        return rule;
}

static void test_list(void **state)
{
        EgressRule *list = NULL, rule = made("10.0.0.0/8", "80");
        _drop_(egress_rule_done) EgressRule same = made("10.0.0.0-10.255.255.255", "80");
        _drop_(egress_rule_done) EgressRule other = made("10.0.0.0/8", "81");
        size_t n = 0;

        assert_int_equal(egress_rules_append(&list, &n, &rule, NULL), 0);
        assert_null(rule.networks);
        assert_int_equal(egress_rules_find(list, n, &same), 0);
        assert_int_equal(egress_rules_find(list, n, &other), -ENOENT);
        same.is_logged = 1;
        assert_int_equal(egress_rules_find(list, n, &same), -ENOENT);
        egress_rules_remove(list, &n, 0);
        assert_int_equal(n, 0);
        egress_rules_free(list, n);
}

static void append(EgressRule **list, size_t *n, const char *network)
{
        EgressRule rule = made(network, "80");

        assert_int_equal(egress_rules_append(list, n, &rule, NULL), 0);
}

static void test_numbers(void **state)
{
        EgressRule *list = NULL;
        EgressRule again = made("10.9.0.0/16", "80");
        size_t n = 0;

        append(&list, &n, "10.1.0.0/16");
        append(&list, &n, "10.2.0.0/16");
        append(&list, &n, "10.3.0.0/16");
        egress_rules_remove(list, &n, 1);
        append(&list, &n, "10.4.0.0/16");
        assert_int_equal(list[0].number, 1);
        assert_int_equal(list[1].number, 3);
        assert_int_equal(list[2].number, 2);
        /* One that had a number keeps it when nobody else has it. */
        again.number = 9;
        assert_int_equal(egress_rules_append(&list, &n, &again, NULL), 0);
        assert_int_equal(list[3].number, 9);
        again = made("10.8.0.0/16", "80");
        again.number = 3;
        assert_int_equal(egress_rules_append(&list, &n, &again, NULL), 0);
        assert_int_equal(list[4].number, 4);
        egress_rules_free(list, n);
}

static EgressRule made_wide(int is_logged)
{
        EgressRule rule = EGRESS_RULE_INIT;
        char text[32];

        rule.protocol = NETWORK_PROTOCOL_TCP;
        rule.is_logged = is_logged;
        for (int i = 0; i < EGRESS_NETWORKS_MAX; i++) {
                (void)snprintf(text, sizeof(text), "10.%d.0.0/16", i);
                assert_int_equal(egress_rule_add_network(&rule, text, NULL), 0);
                (void)snprintf(text, sizeof(text), "%d", 1000 + i);
                assert_int_equal(egress_rule_add_ports(&rule, text, NULL), 0);
        }
        return rule;
}

static void test_bounds(void **state)
{
        EgressRule wide = made_wide(0), logged = made_wide(1), one = made("192.0.2.1", "80");
        EgressRule *list = NULL;
        Fault fault = FAULT_INIT;
        size_t n = 0;

        assert_int_equal(egress_rules_append(&list, &n, &logged, &fault), -E2BIG);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        assert_non_null(strstr(fault.text, "8192 combinations"));
        assert_int_equal(egress_rules_append(&list, &n, &wide, NULL), 0);
        assert_int_equal(egress_rules_append(&list, &n, &one, NULL), -E2BIG);
        assert_int_equal(n, 1);
        egress_rules_remove(list, &n, 0);
        assert_int_equal(egress_rules_append(&list, &n, &one, NULL), 0);
        for (int i = 1; i < EGRESS_RULES_MAX; i++) {
                char text[32];

                (void)snprintf(text, sizeof(text), "10.%d.0.0/16", i);
                append(&list, &n, text);
        }
        one = made("192.0.2.9", "80");
        fault = FAULT_INIT;
        assert_int_equal(egress_rules_append(&list, &n, &one, &fault), -E2BIG);
        assert_non_null(strstr(fault.text, "there are 64 rules"));
        egress_rule_done(&one);
        egress_rule_done(&logged);
        egress_rules_free(list, n);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes networks and ports", test_adds },
                { "refuses ports that are none, and too many", test_refuses_ports },
                { "refuses what contradicts itself, naming the key", test_contradictions },
                { "finds a rule by what it means", test_list },
                { "gives each rule a number for as long as it is there", test_numbers },
                { "bounds what a container may have", test_bounds },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
