/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against the kernel, in network namespaces of its own. */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "firewall/text.h"
#include "firewall/transaction.h"

static int setup(void **state)
{
        Transaction *t;
        int flags = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);

        if (unshare(flags) < 0) {
                print_message("# cannot make a network namespace: %s\n", strerror(errno));
                skip();
        }
        assert_int_equal(transaction_new(&t), 0);
        if (transaction_run(t, "add table inet probe\ndelete table inet probe\n", NULL) < 0) {
                print_message("# this kernel has no nftables\n");
                transaction_free(t);
                skip();
        }
        *state = t;
        return 0;
}

static FirewallContainer made(unsigned number)
{
        FirewallContainer c = { 0 };
        PortForward forward = PORT_FORWARD_INIT;
        EgressRule rule = EGRESS_RULE_INIT;
        size_t n = 0;

        (void)snprintf(c.id, sizeof(c.id), "%011u", number);
        (void)snprintf(c.addresses.interface, sizeof(c.addresses.interface), "w-%011u", number);
        c.addresses.container4 = htonl(0x0afe0002 + 4 * number);
        c.addresses.prefix6 = 126;
        c.segment = 7;
        c.addresses.container6[0] = 0xfd;
        c.addresses.container6[15] = (uint8_t)number;
        forward.host_port = 8000 + number;
        forward.container_port = 80;
        assert_int_equal(port_forwards_append(&c.forwards, &c.n_forwards, &forward, NULL), 0);
        rule.protocol = NETWORK_PROTOCOL_TCP;
        rule.is_logged = 1;
        assert_int_equal(egress_rule_add_network(&rule, "10.0.0.0/8", NULL), 0);
        assert_int_equal(egress_rule_add_network(&rule, "fd00::/8", NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, "80-89", NULL), 0);
        assert_int_equal(egress_rules_append(&c.rules, &n, &rule, NULL), 0);
        rule.is_host = 1;
        assert_int_equal(egress_rules_append(&c.rules, &n, &rule, NULL), 0);
        c.n_rules = n;
        return c;
}

static void free_made(FirewallContainer *c)
{
        free(c->forwards);
        c->rules = egress_rules_free(c->rules, c->n_rules);
}

static int run(Transaction *t, FirewallAction action, FirewallContainer *c, size_t n, Fault *fault)
{
        FirewallRequest request = { .action = action, .containers = c, .n_containers = n };
        _drop_(drop_free) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        firewall_text_write(f, &request, NULL);
        assert_int_equal(fclose(f), 0);
        return transaction_run(t, text, fault);
}

static void assert_runs(Transaction *t, FirewallAction action, FirewallContainer *c, size_t n)
{
        Fault fault = FAULT_INIT;

        if (run(t, action, c, n, &fault) < 0)
                fail_msg("action %d: %s", action, fault.text);
}

/* 1 when the kernel takes this, which it does not of a set that has no such element. */
static int has_element(Transaction *t, const char *set, const char *element)
{
        char text[256];

        (void)snprintf(text, sizeof(text), "get element inet warden %s { %s }\n", set, element);
        return transaction_run(t, text, NULL) == 0;
}

static void test_rebuilds(void **state)
{
        FirewallContainer c[] = { made(1), made(2) };
        Transaction *t = *state;

        assert_int_equal(transaction_run(t, "add table inet other\n", NULL), 0);
        assert_runs(t, FIREWALL_REBUILD, c, 2);
        assert_runs(t, FIREWALL_REBUILD, c + 1, 1);
        assert_false(has_element(t, "slots", "\"w-00000000001\""));
        assert_true(has_element(t, "slots", "\"w-00000000002\""));
        /* Nobody else's. */
        assert_int_equal(transaction_run(t, "delete table inet other\n", NULL), 0);
        free_made(&c[0]);
        free_made(&c[1]);
}

static void test_is_whole(void **state)
{
        Transaction *t = *state;

        assert_runs(t, FIREWALL_REBUILD, NULL, 0);
        assert_true(transaction_run(t,
                                    "add element inet warden slots { \"w-1\" }\n"
                                    "delete element inet warden slots { \"w-2\" }\n",
                                    NULL) < 0);
        assert_false(has_element(t, "slots", "\"w-1\""));
}

static void test_misses_nothing(void **state)
{
        Fault fault = FAULT_INIT;

        if (transaction_find_missing(*state, UINT_MAX, &fault) < 0)
                fail_msg("%s", fault.text);
}

static void test_names_what_is_missing(void **state)
{
        Fault fault = FAULT_INIT;

        /* Without privileges nothing works, which is what a kernel without it looks like. */
        if (unshare(CLONE_NEWUSER) < 0)
                skip();
        assert_int_equal(transaction_find_missing(*state, UINT_MAX, &fault), -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_non_null(strstr(fault.text, "nf_tables"));
        assert_non_null(strstr(fault.text, "nft_masq"));
}

static int teardown(void **state)
{
        transaction_free(*state);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "replaces what is there, and nobody else's tables", test_rebuilds, setup,
                  teardown, NULL },
                { "does all or nothing", test_is_whole, setup, teardown, NULL },
                { "finds nothing missing where there is all", test_misses_nothing, setup, teardown,
                  NULL },
                { "names the modules that are missing", test_names_what_is_missing, setup, teardown,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
