/* SPDX-License-Identifier: LGPL-2.1-or-later */

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

#include "basic/macro.h"
#include "firewall/change.h"
#include "firewall/text.h"
#include "made-tables.h"
#include "model/egress-text.h"

int made_tables_setup(void **state)
{
        static MadeTables f;
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

int made_tables_teardown(void **state)
{
        MadeTables *f = *state;

        nft_ctx_free(f->lister);
        netfilter_close(f->netfilter);
        transaction_free(f->transaction);
        return 0;
}

void made_container_add_forward(FirewallContainer *c, const char *text)
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

FirewallContainer made_container_plain(unsigned number)
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
FirewallContainer made_container_full(unsigned number)
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
        FirewallContainer c = made_container_plain(number);

        c.segment = 0x01020304;
        made_container_add_forward(&c, "8080:80");
        made_container_add_forward(&c, "127.0.0.1:53-55:1053-1055/udp");
        made_container_add_forward(&c, "[2001:db8::1]:443:8443/sctp");
        made_container_add_forward(&c, "0.0.0.0:9000:9000");
        made_container_add_forward(&c, "[::]:9001:9001");
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                add_rule(&c, rules[i]);
        return c;
}

void made_container_done(FirewallContainer *c)
{
        free(c->forwards);
        c->rules = egress_rules_free(c->rules, c->n_rules);
}

int made_tables_run(MadeTables *f, FirewallAction action, FirewallContainer *c, size_t n,
                    const CounterList *counters, Fault *fault)
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
        firewall_text_write(stream, &request, counters);
        assert_int_equal(fclose(stream), 0);
        return transaction_run(f->transaction, text, fault);
}

void assert_runs(MadeTables *f, FirewallAction action, FirewallContainer *c, size_t n)
{
        Fault fault = FAULT_INIT;

        if (made_tables_run(f, action, c, n, NULL, &fault) < 0)
                fail_msg("action %d: %s", action, fault.text);
}
