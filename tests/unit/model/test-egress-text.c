/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/egress-text.h"

static void test_parses(void **state)
{
        static const struct {
                const char *text, *meaning;
        } cases[] = {
                { "any", "any" },
                { "10.0.0.0/8", "10.0.0.0/8" },
                { "10.0.0.1:443", "10.0.0.1:443/tcp" },
                { "10.0.0.1-10.0.0.9:53,67-68/udp", "10.0.0.1-10.0.0.9:53,67-68/udp" },
                { "10.0.0.1,fd00::1", "[10.0.0.1,fd00::1]" },
                { "fd00::/8", "[fd00::/8]" },
                { "fd00::/8/tcp", "[fd00::/8]/tcp" },
                { "[fd00::/8]:80", "[fd00::/8]:80/tcp" },
                { "[fd00::1-fd00::9]:80-80/sctp/log", "[fd00::1-fd00::9]:80/sctp/log" },
                { "[10.0.0.0/8]", "10.0.0.0/8" },
                { "host", "host" },
                { "host:53/udp", "host:53/udp" },
                { "any/icmp", "any/icmp" },
                { "any/icmp:8", "any/icmp:8" },
                { "192.0.2.1/icmp:3.4", "192.0.2.1/icmp:3.4" },
                { "fd00::/8/icmpv6:128/log", "[fd00::/8]/icmpv6:128/log" },
                { "any/log", "any/log" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
                _drop_(drop_free) char *text = NULL;
                Fault fault = FAULT_INIT;

                if (egress_rule_parse(cases[i].text, &rule, &fault) < 0)
                        fail_msg("'%s': %s", cases[i].text, fault.text);
                text = egress_rule_format(&rule);
                assert_non_null(text);
                assert_string_equal(text, cases[i].meaning);
        }
}

static void test_refuses(void **state)
{
        static const char *const texts[] = {
                "",          "/tcp",        "/log",          ":80",          "any:",
                "any:0",     "any:65536",   "any:90-80",     "any:http",     "any:80/icmp",
                "any/icmpx", "any/icmp:",   "any/icmp:256",  "any/icmp:8.",  "any/icmp:.8",
                "any/tcp:8", "any/tcp/tcp", "any/log/log",   "any/LOG",      "host,10.0.0.1",
                "hosts",     "10.0.0.1/33", "10.0.0.1/8",    "example.org",  "10.0.0.9-10.0.0.1",
                "[fd00::1",  "[fd00::1]80", "[fd00::1]:80]", "10.0.0.1,",    ",10.0.0.1",
                "fd00::g",   "any:80,",     "fd00::1/icmp",  "10.0.0.1 :80", "[]",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
                Fault fault = FAULT_INIT;

                if (egress_rule_parse(texts[i], &rule, &fault) >= 0)
                        fail_msg("'%s' was taken", texts[i]);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_int_equal(rule.n_networks, 0);
        }
}

static void test_names_what_is_wrong(void **state)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        Fault name = FAULT_INIT, port = FAULT_INIT, form = FAULT_INIT;

        assert_int_equal(egress_rule_parse("example.org:80", &rule, &name), -EINVAL);
        assert_non_null(strstr(name.text, "Networks: 'example.org'"));
        assert_int_equal(egress_rule_parse("any:80-79", &rule, &port), -EINVAL);
        assert_non_null(strstr(port.text, "Ports: '80-79'"));
        assert_int_equal(egress_rule_parse("any/ftp", &rule, &form), -EINVAL);
        assert_non_null(strstr(form.text, "'any/ftp' is not TO[:PORTS]"));
}

static void test_formats_parts(void **state)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        _drop_(drop_free) char *to = NULL, *ports = NULL, *protocol = NULL;

        assert_int_equal(egress_rule_parse("[10.0.0.0/8,fd00::1]:80,90-99/udp", &rule, NULL), 0);
        to = egress_rule_format_to(&rule);
        ports = egress_rule_format_ports(&rule);
        protocol = egress_rule_format_protocol(&rule);
        assert_string_equal(to, "10.0.0.0/8,fd00::1");
        assert_string_equal(ports, "80,90-99");
        assert_string_equal(protocol, "udp");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes rules as one word and writes them back", test_parses },
                { "refuses what is no rule", test_refuses },
                { "names what is wrong with it", test_names_what_is_wrong },
                { "formats the parts for a table", test_formats_parts },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
