/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "wire/firewall-message.h"

static FirewallContainer made(void)
{
        FirewallContainer c = { .id = "0123456789a" };
        size_t n_rules = 0;
        EgressRule rule = EGRESS_RULE_INIT;
        PortForward forward;

        (void)snprintf(c.addresses.interface, sizeof(c.addresses.interface), "w-0123456789a");
        memcpy(c.addresses.mac, "\2\1\2\3\4\5", 6);
        memcpy(&c.addresses.host4, "\x0a\0\0\1", 4);
        memcpy(&c.addresses.container4, "\x0a\0\0\2", 4);
        c.addresses.prefix6 = 64;
        c.segment = 7;
        c.segment_before = 5;
        memcpy(c.addresses.container6, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
        assert_int_equal(port_forward_parse("8080:80", &forward, NULL), 0);
        assert_int_equal(port_forwards_append(&c.forwards, &c.n_forwards, &forward, NULL), 0);
        assert_int_equal(port_forward_parse("[::1]:53-54:53-54/udp", &forward, NULL), 0);
        assert_int_equal(port_forwards_append(&c.forwards, &c.n_forwards, &forward, NULL), 0);
        rule.protocol = NETWORK_PROTOCOL_TCP;
        rule.is_logged = 1;
        assert_int_equal(egress_rule_add_network(&rule, "10.0.0.0/8", NULL), 0);
        assert_int_equal(egress_rule_add_network(&rule, "fd00::/8", NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, "80-89", NULL), 0);
        assert_int_equal(egress_rules_append(&c.rules, &n_rules, &rule, NULL), 0);
        rule.protocol = NETWORK_PROTOCOL_ICMP;
        rule.icmp_type = 8;
        rule.icmp_code = 0;
        assert_int_equal(egress_rules_append(&c.rules, &n_rules, &rule, NULL), 0);
        c.n_rules = n_rules;
        return c;
}

static void free_made(FirewallContainer *c)
{
        free(c->forwards);
        c->rules = egress_rules_free(c->rules, c->n_rules);
}

static int pass(const FirewallRequest *request, FirewallRequest *ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(firewall_request_encode(request, &w), 0);
        r = firewall_request_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void test_carries_all(void **state)
{
        _drop_(firewall_request_done) FirewallRequest back = { 0 };
        FirewallContainer containers[] = { made(), made() };
        IpRange deny[2];
        FirewallRequest request = { .action = FIREWALL_REBUILD,
                                    .deny = deny,
                                    .n_deny = 2,
                                    .containers = containers,
                                    .n_containers = 2 };

        assert_int_equal(ip_range_parse("x", "169.254.0.0/16", &deny[0], NULL), 0);
        assert_int_equal(ip_range_parse("x", "fe80::/10", &deny[1], NULL), 0);
        assert_int_equal(pass(&request, &back), 0);
        assert_int_equal(back.action, FIREWALL_REBUILD);
        assert_int_equal(back.n_deny, 2);
        assert_int_equal(back.n_allow, 0);
        assert_int_equal(back.containers[1].segment, 7);
        assert_int_equal(back.containers[1].segment_before, 5);
        assert_true(ip_range_equal(&back.deny[1], &deny[1]));
        assert_int_equal(back.n_containers, 2);
        assert_string_equal(back.containers[1].id, "0123456789a");
        assert_string_equal(back.containers[1].addresses.interface, "w-0123456789a");
        assert_memory_equal(back.containers[1].addresses.mac, containers[1].addresses.mac, 6);
        assert_int_equal(back.containers[1].addresses.container4,
                         containers[1].addresses.container4);
        assert_int_not_equal(back.containers[1].addresses.prefix6, 0);
        assert_memory_equal(back.containers[1].addresses.container6,
                            containers[1].addresses.container6, 16);
        assert_int_equal(back.containers[1].n_forwards, 2);
        assert_int_equal(back.containers[1].n_rules, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_true(port_forward_equal(&back.containers[1].forwards[i],
                                               &containers[1].forwards[i]));
                assert_true(
                        egress_rule_equal(&back.containers[1].rules[i], &containers[1].rules[i]));
        }
        free_made(&containers[0]);
        free_made(&containers[1]);
}

static void test_without_ipv6(void **state)
{
        _drop_(firewall_request_done) FirewallRequest back = { 0 };
        FirewallContainer c = made();
        FirewallRequest request = { .action = FIREWALL_ADD, .containers = &c, .n_containers = 1 };

        c.addresses.prefix6 = 0;
        assert_int_equal(pass(&request, &back), 0);
        assert_int_equal(back.containers[0].addresses.prefix6, 0);
        free_made(&c);
}

/* They become words of a language: what could end a word must not come through. */
static void test_refuses_names(void **state)
{
        static const char *const names[] = { "", "w-\"", "w- x", "w-;", "w-\n", "W-A", "w-{}" };
        FirewallContainer c = made();
        FirewallRequest request = { .action = FIREWALL_ADD, .containers = &c, .n_containers = 1 };
        FirewallRequest back;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void)snprintf(c.addresses.interface, sizeof(c.addresses.interface), "%s",
                               names[i]);
                assert_int_equal(pass(&request, &back), -EBADMSG);
        }
        (void)snprintf(c.addresses.interface, sizeof(c.addresses.interface), "w-1");
        (void)snprintf(c.id, sizeof(c.id), "no id");
        assert_int_equal(pass(&request, &back), -EBADMSG);
        free_made(&c);
}

static void test_refuses_requests(void **state)
{
        FirewallContainer c[] = { made(), made() };
        FirewallRequest request = { .action = 0 }, back;

        assert_int_equal(pass(&request, &back), -EBADMSG);
        request.action = _FIREWALL_ACTION_MAX;
        assert_int_equal(pass(&request, &back), -EBADMSG);
        /* What is about one container is about one. */
        request.action = FIREWALL_FORWARD;
        assert_int_equal(pass(&request, &back), -EBADMSG);
        request.containers = c;
        request.n_containers = 2;
        assert_int_equal(pass(&request, &back), -EBADMSG);
        request.action = FIREWALL_SEGMENT;
        assert_int_equal(pass(&request, &back), -EBADMSG);
        /* But a cut may be about others, too. */
        request.action = FIREWALL_CUT;
        assert_int_equal(pass(&request, &back), 0);
        assert_int_equal(back.n_containers, 2);
        firewall_request_done(&back);
        request.n_containers = 0;
        assert_int_equal(pass(&request, &back), -EBADMSG);
        c[0].forwards[0].container_port = 0;
        request.action = FIREWALL_FORWARD;
        request.n_containers = 1;
        assert_int_equal(pass(&request, &back), -EBADMSG);
        free_made(&c[0]);
        free_made(&c[1]);
}

static void test_cut_short(void **state)
{
        FirewallContainer c = made();
        FirewallRequest request = { .action = FIREWALL_ADD, .containers = &c, .n_containers = 1 };
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(firewall_request_encode(&request, &w), 0);
        for (size_t n = 0; n < w.size; n++) {
                FirewallRequest back = { 0 };
                int r = firewall_request_decode(w.data, n, &back);

                /* The first field alone is a whole request. */
                assert_true(r == -EBADMSG || (r == 0 && back.n_containers == 0));
                firewall_request_done(&back);
        }
        wire_writer_done(&w);
        free_made(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries containers with forwards and rules", test_carries_all },
                { "carries a container without IPv6", test_without_ipv6 },
                { "refuses names that could be more than a name", test_refuses_names },
                { "refuses requests that make no sense", test_refuses_requests },
                { "refuses what was cut short", test_cut_short },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
