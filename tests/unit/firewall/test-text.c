/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The texts are compared with files in golden/. After a change on purpose, WARDEN_GOLDEN=write
 * writes them anew; what they say is then to be read. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "firewall/text.h"

static FirewallContainer made(unsigned number, int has_ipv6)
{
        FirewallContainer c = { 0 };
        NetworkAddresses *a = &c.addresses;

        (void)snprintf(c.id, sizeof(c.id), "%011u", number);
        (void)snprintf(a->interface, sizeof(a->interface), "w-%011u", number);
        memcpy(a->mac, "\2\0\0\0\0\1", 6);
        a->container4 = htonl(0x0afe0002 + 4 * number);
        a->host4 = htonl(0x0afe0001 + 4 * number);
        if (!has_ipv6)
                return c;
        a->prefix6 = 126;
        memcpy(a->container6, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
        return c;
}

static void add_forward(FirewallContainer *c, const char *text)
{
        PortForward forward;

        assert_int_equal(port_forward_parse(text, &forward, NULL), 0);
        assert_int_equal(port_forwards_append(&c->forwards, &c->n_forwards, &forward, NULL), 0);
}

static void add_rule(FirewallContainer *c, NetworkProtocol protocol, int is_host,
                     const char *network, const char *network6, const char *ports)
{
        EgressRule rule = EGRESS_RULE_INIT;
        size_t n = c->n_rules;

        rule.protocol = protocol;
        rule.is_host = is_host;
        rule.is_logged = !!network6;
        if (network)
                assert_int_equal(egress_rule_add_network(&rule, network, NULL), 0);
        if (network6)
                assert_int_equal(egress_rule_add_network(&rule, network6, NULL), 0);
        if (ports)
                assert_int_equal(egress_rule_add_ports(&rule, ports, NULL), 0);
        if (protocol == NETWORK_PROTOCOL_ICMPV6)
                rule.icmp_type = 128;
        assert_int_equal(egress_rule_validate(&rule, NULL), 0);
        assert_int_equal(egress_rules_append(&c->rules, &n, &rule, NULL), 0);
        c->n_rules = n;
}

static void free_made(FirewallContainer *c)
{
        free(c->forwards);
        c->rules = egress_rules_free(c->rules, c->n_rules);
}

static char *text_of(const FirewallRequest *request)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        firewall_text_write(f, request, NULL);
        assert_int_equal(fclose(f), 0);
        return text;
}

static void assert_golden(const char *name, const FirewallRequest *request)
{
        _drop_(drop_free) char *text = text_of(request), *golden = NULL;
        const char *directory = getenv("GOLDEN");
        char path[512];

        assert_non_null(directory);
        (void)snprintf(path, sizeof(path), "%s/%s.nft", directory, name);
        if (getenv("WARDEN_GOLDEN")) {
                FILE *f = fopen(path, "we");

                assert_non_null(f);
                (void)fprintf(f, "# SPDX-License-Identifier: LGPL-2.1-or-later\n%s", text);
                assert_int_equal(fclose(f), 0);
        }
        assert_int_equal(io_read_file(AT_FDCWD, path, 1U << 20, &golden, NULL), 0);
        assert_string_equal(strchr(golden, '\n') + 1, text);
}

static void test_rebuild(void **state)
{
        IpRange allow, deny[2];
        FirewallRequest request = {
                .action = FIREWALL_REBUILD, .allow = &allow, .n_allow = 1, .deny = deny, .n_deny = 2
        };

        assert_int_equal(ip_range_parse("x", "10.0.0.53", &allow, NULL), 0);
        assert_int_equal(ip_range_parse("x", "10.0.0.0/8", &deny[0], NULL), 0);
        assert_int_equal(ip_range_parse("x", "fc00::/7", &deny[1], NULL), 0);
        assert_golden("rebuild", &request);
}

static void test_container(void **state)
{
        FirewallContainer c[] = { made(1, 1), made(2, 0) };
        FirewallRequest request = { .action = FIREWALL_REBUILD,
                                    .containers = c,
                                    .n_containers = 2 };

        add_forward(&c[0], "8080:80");
        add_forward(&c[0], "127.0.0.1:53-54:53-54/udp");
        add_forward(&c[0], "[fd01::1]:443:443/sctp");
        add_rule(&c[0], NETWORK_PROTOCOL_TCP, 0, "10.0.0.0/8", "fd00::1-fd00::9", "80-89");
        add_rule(&c[0], NETWORK_PROTOCOL_UDP, 1, NULL, NULL, "53");
        add_rule(&c[0], NETWORK_PROTOCOL_ICMPV6, 0, NULL, NULL, NULL);
        add_rule(&c[0], NETWORK_PROTOCOL_ANY, 0, "192.0.2.1", NULL, NULL);
        add_forward(&c[1], "8081:80");
        c[1].segment = 42;
        assert_golden("containers", &request);
        free_made(&c[0]);
        free_made(&c[1]);
}

static size_t count_lines(const char *text, const char *prefix)
{
        size_t n = 0;

        for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
                n += strncmp(text, prefix, strlen(prefix)) == 0 ? 1 : 0;
        return n;
}

static void test_has_no_rule_per_container(void **state)
{
        FirewallContainer c[100];
        FirewallRequest request = { .action = FIREWALL_REBUILD,
                                    .containers = c,
                                    .n_containers = 100 };
        _drop_(drop_free) char *text = NULL;

        for (unsigned i = 0; i < 100; i++) {
                c[i] = made(i, 1);
                add_forward(&c[i], "8080:80");
        }
        text = text_of(&request);
        assert_int_equal(count_lines(text, "add rule"), 0);
        assert_int_equal(count_lines(text, "add chain"), 0);
        assert_int_equal(count_lines(text, "add element inet warden slots"), 100);
        for (unsigned i = 0; i < 100; i++)
                free_made(&c[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "writes the tables and the host's policy", test_rebuild },
                { "writes a container, its forwards and its rules", test_container },
                { "has no rule for a container that has none of its own",
                  test_has_no_rule_per_container },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
