/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A kernel that takes all commands but those with certain words: what a client is told then. */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "firewall/kernel-part.h"

/* @userdata   the words; NULL: none */
static int probe(void *userdata, const char *text)
{
        return userdata && strstr(text, userdata) ? -ENOENT : 0;
}

static void assert_missing(const char *words, unsigned uses, const char *expected)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(kernel_parts_check(probe, (void *)(uintptr_t)words, uses, &fault),
                         -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_string_equal(fault.text, expected);
}

#define TABLES(module)                                                                   \
        "Network=private: this kernel is without '" module "' (try 'modprobe -a " module \
        "'); Network=none and Network=host do without"

static void test_tables(void **state)
{
        static const struct {
                const char *words, *expected;
        } cases[] = {
                { "table arp", TABLES("nf_tables") },
                { "ct state", TABLES("nf_conntrack nft_ct") },
                { "postrouting priority 0; }\nadd rule inet warden-probe c accept",
                  TABLES("nft_chain_nat") },
                { "masquerade", TABLES("nft_masq") },
                { "dnat", TABLES("nft_nat") },
                { "fib daddr", TABLES("nft_fib_inet") },
                { "reject", TABLES("nft_reject_inet") },
                { "type nat", TABLES("nft_chain_nat nft_masq nft_nat") },
                /* Without the first there is nothing, and each is named once. */
                { "add table",
                  TABLES("nf_tables nf_conntrack nft_ct nft_chain_nat nft_masq nft_nat "
                         "nft_fib_inet nft_reject_inet") },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_missing(cases[i].words, UINT_MAX, cases[i].expected);
}

static void test_rules(void **state)
{
        const unsigned rules = KERNEL_USE_RULES, log = KERNEL_USE_RULES | KERNEL_USE_LOG;

        assert_missing("counter name", rules,
                       "AllowEgress: this kernel is without 'nft_objref' (try 'modprobe -a "
                       "nft_objref')");
        assert_missing("log prefix", log,
                       "AllowEgress: Log: this kernel is without 'nft_log' (try 'modprobe -a "
                       "nft_log')");
        assert_missing("limit rate", log,
                       "AllowEgress: Log: this kernel is without 'nft_limit' (try 'modprobe -a "
                       "nft_limit')");
        /* Nobody has asked for a log. */
        assert_int_equal(kernel_parts_check(probe, (char[]){ "log prefix" }, rules, NULL), 0);
}

static void test_all_there(void **state)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(kernel_parts_check(probe, NULL, UINT_MAX, &fault), 0);
        assert_int_equal(fault.kind, FAULT_NONE);
        assert_int_equal(kernel_parts_check(probe, (char[]){ "add" }, 0, &fault), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "names the modules of the tables", test_tables, NULL, NULL, NULL },
                { "names those of rules, and of logged ones", test_rules, NULL, NULL, NULL },
                { "finds nothing missing where there is all", test_all_there, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
