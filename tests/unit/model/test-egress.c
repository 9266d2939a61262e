/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes networks and ports", test_adds },
                { "refuses ports that are none, and too many", test_refuses_ports },
                { "refuses what contradicts itself, naming the key", test_contradictions },
                { "finds a rule by what it means", test_list },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
