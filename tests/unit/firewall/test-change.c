/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against the kernel, in a network namespace of its own: what is changed step by step must be what
 * is made at once. */

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nftables/libnftables.h>

#include "basic/macro.h"
#include "firewall/change.h"
#include "firewall/text.h"
#include "firewall/transaction.h"
#include "model/egress-text.h"

typedef struct Fixture {
        Transaction *transaction;
        Netfilter *netfilter;
        struct nft_ctx *lister;
} Fixture;

static int setup(void **state)
{
        static Fixture f;
        int flags = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);

        if (unshare(flags) < 0) {
                print_message("# cannot make a network namespace: %s\n", strerror(errno));
                skip();
        }
        assert_int_equal(transaction_new(&f.transaction), 0);
        if (transaction_run(f.transaction, "add table inet probe\ndelete table inet probe\n",
                            NULL) < 0) {
                print_message("# this kernel has no nftables\n");
                transaction_free(f.transaction);
                skip();
        }
        assert_int_equal(netfilter_open(&f.netfilter, NULL), 0);
        f.lister = nft_ctx_new(NFT_CTX_DEFAULT);
        assert_non_null(f.lister);
        assert_int_equal(nft_ctx_buffer_output(f.lister), 0);
        assert_int_equal(nft_ctx_buffer_error(f.lister), 0);
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        nft_ctx_free(f->lister);
        netfilter_close(f->netfilter);
        transaction_free(f->transaction);
        return 0;
}

static void add_forward(FirewallContainer *c, const char *text)
{
        PortForward forward;

        assert_int_equal(port_forward_parse(text, &forward, NULL), 0);
        assert_int_equal(port_forwards_append(&c->forwards, &c->n_forwards, &forward, NULL), 0);
}

static void add_rule(FirewallContainer *c, const char *text)
{
        EgressRule rule = EGRESS_RULE_INIT;
        Fault fault = FAULT_INIT;

        if (egress_rule_parse(text, &rule, &fault) < 0)
                fail_msg("%s", fault.text);
        assert_int_equal(egress_rules_append(&c->rules, &c->n_rules, &rule, NULL), 0);
}

static FirewallContainer plain(unsigned number)
{
        FirewallContainer c = { 0 };
        NetworkAddresses *a = &c.addresses;

        (void)snprintf(c.id, sizeof(c.id), "%011u", number);
        (void)snprintf(a->interface, sizeof(a->interface), "w-%011u", number);
        memcpy(a->mac, "\x02\x11\x22\x33\x44\x55", 6);
        a->container4 = htonl(0x0afe0002 + 4 * number);
        a->prefix6 = 126;
        a->container6[0] = 0xfd;
        a->container6[15] = (uint8_t)number;
        return c;
}

/* All that a container can have. */
static FirewallContainer full(unsigned number)
{
        static const char *const rules[] = {
                "10.0.0.0/8:80-89,443/tcp/log",
                "10.16.0.0/12,192.0.2.1-192.0.2.9,198.51.100.7:53/udp",
                "[fc00::/7,2001:db8::/33,2001:db8::1-2001:db8::9,2001:db8::1]:443/sctp",
                "any/icmp:8",
                "192.0.2.0/24/icmp:3.4",
                "any/icmpv6:128/log",
                "fc00::/8/icmpv6",
                "host:53/udp",
                "host:8000-8010",
                "any:1-65535/udp/log",
        };
        FirewallContainer c = plain(number);

        c.segment = 0x01020304;
        add_forward(&c, "8080:80");
        add_forward(&c, "127.0.0.1:53-55:1053-1055/udp");
        add_forward(&c, "[2001:db8::1]:443:8443/sctp");
        add_forward(&c, "0.0.0.0:9000:9000");
        add_forward(&c, "[::]:9001:9001");
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                add_rule(&c, rules[i]);
        return c;
}

static void free_made(FirewallContainer *c)
{
        free(c->forwards);
        c->rules = egress_rules_free(c->rules, c->n_rules);
}

static int run(Fixture *f, FirewallAction action, FirewallContainer *c, size_t n, Fault *fault)
{
        FirewallRequest request = { .action = action, .containers = c, .n_containers = n };
        _drop_(batch_done) Batch batch = BATCH_INIT;
        _drop_(drop_free) char *text = NULL;
        size_t size;
        FILE *stream;

        if (action != FIREWALL_REBUILD) {
                firewall_change_write(&batch, &request);
                return batch_run(&batch, f->netfilter, fault);
        }
        stream = open_memstream(&text, &size);
        assert_non_null(stream);
        firewall_text_write(stream, &request);
        assert_int_equal(fclose(stream), 0);
        return transaction_run(f->transaction, text, fault);
}

static void assert_runs(Fixture *f, FirewallAction action, FirewallContainer *c, size_t n)
{
        Fault fault = FAULT_INIT;

        if (run(f, action, c, n, &fault) < 0)
                fail_msg("action %d: %s", action, fault.text);
}

static char *list(Fixture *f, const char *what)
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
static char *words_of_ruleset(Fixture *f)
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

static void assert_same_words(Fixture *f, const char *expected)
{
        _drop_(drop_free) char *words = words_of_ruleset(f);

        assert_string_equal(words, expected);
}

static void test_same(void **state)
{
        static const char *const chains[] = { "chain inet warden rules-00000000001",
                                              "chain inet warden host-00000000001" };
        FirewallContainer c = full(1);
        Fixture *f = *state;
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
        free_made(&c);
}

static void test_steps(void **state)
{
        FirewallContainer c = full(1), bare = plain(1), other = full(2);
        Fixture *f = *state;
        _drop_(drop_free) char *whole = NULL, *without = NULL;

        bare.segment = c.segment;
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
        free_made(&c);
        free_made(&other);
}

/* Each forward of 1024 ports is as many elements. */
static void test_many_ports(void **state)
{
        FirewallContainer c = plain(1);
        Fixture *f = *state;
        _drop_(drop_free) char *empty = NULL;
        char forward[64];

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        empty = words_of_ruleset(f);
        for (int i = 0; i < 16; i++) {
                (void)snprintf(forward, sizeof(forward), "%d-%d:%d-%d", 1000 + 1024 * i,
                               2023 + 1024 * i, 1000 + 1024 * i, 2023 + 1024 * i);
                add_forward(&c, forward);
        }
        assert_runs(f, FIREWALL_ADD, &c, 1);
        assert_int_equal(transaction_run(f->transaction,
                                         "get element inet warden forwards6 { tcp . 17383 }\n",
                                         NULL),
                         0);
        assert_runs(f, FIREWALL_REMOVE, &c, 1);
        assert_same_words(f, empty);
        free_made(&c);
}

static void test_says_that_tables_are_gone(void **state)
{
        FirewallContainer c = full(1);
        Fault fault = FAULT_INIT;
        Fixture *f = *state;

        assert_int_equal(run(f, FIREWALL_ADD, &c, 1, &fault), -ENOENT);
        assert_int_equal(fault.kind, FAULT_FAILED);
        assert_non_null(strstr(fault.text, "nftables: "));
        free_made(&c);
}

static void test_is_whole(void **state)
{
        FirewallContainer c[] = { full(1), full(2) };
        Fixture *f = *state;
        _drop_(drop_free) char *empty = NULL;

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        empty = words_of_ruleset(f);
        /* Two owners of one port, which the daemon does not ask for. */
        assert_int_equal(run(f, FIREWALL_ADD, c, 2, NULL), -EEXIST);
        assert_same_words(f, empty);
        /* What was refused is not in the way of the next. */
        assert_runs(f, FIREWALL_ADD, c, 1);
        assert_runs(f, FIREWALL_REMOVE, c, 1);
        assert_same_words(f, empty);
        free_made(&c[0]);
        free_made(&c[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "adds and removes what a rebuild would make", test_same, setup, teardown, NULL },
                { "changes forwards and rules to what a rebuild would make", test_steps, setup,
                  teardown, NULL },
                { "takes thousands of ports at once", test_many_ports, setup, teardown, NULL },
                { "says that there are no tables any more", test_says_that_tables_are_gone, setup,
                  teardown, NULL },
                { "does all or nothing", test_is_whole, setup, teardown, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
