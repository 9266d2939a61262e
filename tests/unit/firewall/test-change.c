/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against the kernel, in a network namespace of its own: what is changed step by step must be what
 * is made at once. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "made-tables.h"

static char *list(MadeTables *f, const char *what)
{
        char command[64];
        char *text;

        (void)snprintf(command, sizeof(command), "list %s", what);
        if (nft_run_cmd_from_buffer(f->lister, command) != 0)
                fail_msg("%s", nft_ctx_get_error_buffer(f->lister));
        text = strdup(nft_ctx_get_output_buffer(f->lister));
        assert_non_null(text);
        return text;
}

static int compare_words(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Elements of a set come in no order, so all words are sorted. */
static char *words_of_ruleset(MadeTables *f)
{
        _drop_(drop_free) char *text = list(f, "ruleset");
        char *words[4096], *sorted = calloc(1, strlen(text) + 1);
        size_t n = 0;

        assert_non_null(sorted);
        for (char *word = strtok(text, " ,\t\n"); word; word = strtok(NULL, " ,\t\n")) {
                assert_true(n < ELEMENTSOF(words));
                words[n++] = word;
        }
        qsort(words, n, sizeof(*words), compare_words);
        for (size_t i = 0; i < n; i++) {
                strcat(sorted, words[i]);
                strcat(sorted, "\n");
        }
        return sorted;
}

static void assert_same_words(MadeTables *f, const char *expected)
{
        _drop_(drop_free) char *words = NULL;

        /* Those that are gone are known for a while, which a rebuild does not know. */
        assert_int_equal(transaction_run(f->transaction, "flush set inet warden leaving\n", NULL),
                         0);
        words = words_of_ruleset(f);
        assert_string_equal(words, expected);
}

static void test_same(void **state)
{
        static const char *const chains[] = { "chain inet warden rules-00000000001",
                                              "chain inet warden host-00000000001" };
        FirewallContainer c = made_container_full(1);
        MadeTables *f = *state;
        _drop_(drop_free) char *empty = NULL, *whole = NULL;
        char *texts[2];

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        empty = words_of_ruleset(f);
        assert_runs(f, FIREWALL_REBUILD, &c, 1);
        whole = words_of_ruleset(f);
        for (size_t i = 0; i < 2; i++)
                texts[i] = list(f, chains[i]);
        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        /* Each twice: what is there already, or not any more, is fine. Rules are replaced, as a
         * container is added with them only where it was not, or after a failure. */
        for (int i = 0; i < 2; i++) {
                assert_runs(f, FIREWALL_ADD, &c, 1);
                assert_same_words(f, whole);
        }
        for (size_t i = 0; i < 2; i++) {
                _drop_(drop_free) char *text = list(f, chains[i]);

                assert_string_equal(text, texts[i]);
                free(texts[i]);
        }
        for (int i = 0; i < 2; i++) {
                assert_runs(f, FIREWALL_REMOVE, &c, 1);
                assert_same_words(f, empty);
        }
        made_container_done(&c);
}

static void test_steps(void **state)
{
        FirewallContainer c = made_container_full(1), bare = made_container_plain(1),
                          other = made_container_full(2);
        MadeTables *f = *state;
        _drop_(drop_free) char *whole = NULL, *without = NULL;

        bare.segment = c.segment;
        bare.retired_rules = UINT64_MAX;
        other.segment = 9;
        other.n_forwards = 0; /* both would have the same ports */
        assert_runs(f, FIREWALL_REBUILD, (FirewallContainer[]){ bare, other }, 2);
        without = words_of_ruleset(f);
        assert_runs(f, FIREWALL_REBUILD, (FirewallContainer[]){ c, other }, 2);
        whole = words_of_ruleset(f);
        for (int i = 0; i < 2; i++) {
                assert_runs(f, FIREWALL_UNFORWARD, &c, 1);
                assert_runs(f, FIREWALL_RULES, &bare, 1);
                assert_same_words(f, without);
                for (int k = 0; k < 2; k++) {
                        assert_runs(f, FIREWALL_FORWARD, &c, 1);
                        assert_runs(f, FIREWALL_RULES, &c, 1);
                }
                assert_same_words(f, whole);
        }
        made_container_done(&c);
        made_container_done(&other);
}

/* Into one, to another, out of it, and from nowhere to nowhere. */
static void test_moves(void **state)
{
        static const uint32_t moves[][2] = { { 0, 5 }, { 5, 6 }, { 6, 0 }, { 0, 0 } };
        FirewallContainer c = made_container_plain(1), other = made_container_plain(2);
        MadeTables *f = *state;

        other.segment = 5;
        for (size_t i = 0; i < ELEMENTSOF(moves); i++) {
                _drop_(drop_free) char *expected = NULL;

                c.segment_before = 0;
                c.segment = moves[i][1];
                assert_runs(f, FIREWALL_REBUILD, (FirewallContainer[]){ c, other }, 2);
                expected = words_of_ruleset(f);
                c.segment = moves[i][0];
                assert_runs(f, FIREWALL_REBUILD, (FirewallContainer[]){ c, other }, 2);
                c.segment_before = moves[i][0];
                c.segment = moves[i][1];
                assert_runs(f, FIREWALL_SEGMENT, &c, 1);
                assert_same_words(f, expected);
        }
}

/* Each forward of 1024 ports is as many elements. */
static void test_many_ports(void **state)
{
        FirewallContainer c = made_container_plain(1);
        MadeTables *f = *state;
        _drop_(drop_free) char *empty = NULL;
        char forward[64];

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        empty = words_of_ruleset(f);
        for (int i = 0; i < 16; i++) {
                (void)snprintf(forward, sizeof(forward), "%d-%d:%d-%d", 1000 + 1024 * i,
                               2023 + 1024 * i, 1000 + 1024 * i, 2023 + 1024 * i);
                made_container_add_forward(&c, forward);
        }
        assert_runs(f, FIREWALL_ADD, &c, 1);
        assert_int_equal(transaction_run(f->transaction,
                                         "get element inet warden forwards6 { tcp . 17383 }\n",
                                         NULL),
                         0);
        assert_runs(f, FIREWALL_REMOVE, &c, 1);
        assert_same_words(f, empty);
        made_container_done(&c);
}

/* As many as the model allows. */
static void test_many_rules(void **state)
{
        FirewallContainer c = made_container_plain(1);
        EgressRule rule = EGRESS_RULE_INIT;
        MadeTables *f = *state;
        _drop_(drop_free) char *empty = NULL;
        char text[32];

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        empty = words_of_ruleset(f);
        rule.protocol = NETWORK_PROTOCOL_TCP;
        for (int i = 0; i < 64; i++) {
                (void)snprintf(text, sizeof(text), "10.%d.0.0-10.%d.99.0", i, i);
                assert_int_equal(egress_rule_add_network(&rule, text, NULL), 0);
                (void)snprintf(text, sizeof(text), "%d-%d", 1000 + 10 * i, 1005 + 10 * i);
                assert_int_equal(egress_rule_add_ports(&rule, text, NULL), 0);
        }
        assert_int_equal(egress_rules_append(&c.rules, &c.n_rules, &rule, NULL), 0);
        assert_runs(f, FIREWALL_ADD, &c, 1);
        assert_runs(f, FIREWALL_RULES, &c, 1);
        assert_runs(f, FIREWALL_REMOVE, &c, 1);
        assert_same_words(f, empty);
        made_container_done(&c);
}

static void test_says_that_tables_are_gone(void **state)
{
        FirewallContainer c = made_container_full(1);
        Fault fault = FAULT_INIT;
        MadeTables *f = *state;

        assert_int_equal(made_tables_run(f, FIREWALL_ADD, &c, 1, NULL, &fault), -ENOENT);
        assert_int_equal(fault.kind, FAULT_FAILED);
        assert_non_null(strstr(fault.text, "nftables: "));
        made_container_done(&c);
}

static void test_is_whole(void **state)
{
        FirewallContainer c[] = { made_container_full(1), made_container_full(2) };
        MadeTables *f = *state;
        _drop_(drop_free) char *empty = NULL;

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        empty = words_of_ruleset(f);
        /* Two owners of one port, which the daemon does not ask for. */
        assert_int_equal(made_tables_run(f, FIREWALL_ADD, c, 2, NULL, NULL), -EEXIST);
        assert_same_words(f, empty);
        /* What was refused is not in the way of the next. */
        assert_runs(f, FIREWALL_ADD, c, 1);
        assert_runs(f, FIREWALL_REMOVE, c, 1);
        assert_same_words(f, empty);
        made_container_done(&c[0]);
        made_container_done(&c[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "adds and removes what a rebuild would make", test_same, made_tables_setup,
                  made_tables_teardown, NULL },
                { "changes forwards and rules to what a rebuild would make", test_steps,
                  made_tables_setup, made_tables_teardown, NULL },
                { "moves a container from segment to segment", test_moves, made_tables_setup,
                  made_tables_teardown, NULL },
                { "takes thousands of ports at once", test_many_ports, made_tables_setup,
                  made_tables_teardown, NULL },
                { "takes thousands of rules at once", test_many_rules, made_tables_setup,
                  made_tables_teardown, NULL },
                { "says that there are no tables any more", test_says_that_tables_are_gone,
                  made_tables_setup, made_tables_teardown, NULL },
                { "does all or nothing", test_is_whole, made_tables_setup, made_tables_teardown,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
