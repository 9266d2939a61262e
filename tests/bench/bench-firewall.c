/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-firewall CONTAINERS N
 *
 * What a change of the packet filter takes in the kernel while there are that many containers, each
 * with a forward and a rule of its own, in a network namespace of its own. N times each; one line
 * of JSON a kind: "add", "forward", "rules", "unforward" and "remove" are of one container more, as
 * warden-firewall does them; "library" is the forward by libnftables, for comparison. Needs root.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "firewall/change.h"
#include "firewall/text.h"
#include "firewall/transaction.h"
#include "model/egress-text.h"
#include "samples.h"

#define CONTAINERS_MAX 16384

typedef struct Bench {
        Transaction *transaction;
        Netfilter *netfilter;
        FirewallContainer *containers; /* the last is the one more */
        size_t n_containers;           /* without it */
} Bench;

static uint64_t now_nsec(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static int make_container(unsigned number, FirewallContainer *c)
{
        PortForward forward = PORT_FORWARD_INIT;
        EgressRule rule = EGRESS_RULE_INIT;
        int r;

        (void)snprintf(c->id, sizeof(c->id), "%011u", number);
        (void)snprintf(c->addresses.interface, sizeof(c->addresses.interface), "w-%011u", number);
        c->addresses.mac[0] = 2;
        c->addresses.container4 = htonl(0x0afe0002 + 4 * number);
        c->addresses.prefix6 = 126;
        c->addresses.container6[0] = 0xfd;
        memcpy(c->addresses.container6 + 12, &c->addresses.container4, 4);
        forward.host_port = 10000 + number;
        forward.container_port = 80;
        r = port_forwards_append(&c->forwards, &c->n_forwards, &forward, NULL);
        if (r >= 0)
                r = egress_rule_parse("[10.0.0.0/8,fd00::/8]:443", &rule, NULL);
        return r < 0 ? r : egress_rules_append(&c->rules, &c->n_rules, &rule, NULL);
}

static int rebuild(const Bench *bench, Fault *fault)
{
        const FirewallRequest request = { .action = FIREWALL_REBUILD,
                                          .containers = bench->containers,
                                          .n_containers = bench->n_containers };
        _drop_(drop_free) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        firewall_text_write(f, &request, NULL);
        return fclose(f) != 0 ? -ENOMEM : transaction_run(bench->transaction, text, fault);
}

static int change(const Bench *bench, FirewallAction action, Samples *samples, Fault *fault)
{
        FirewallContainer one = bench->containers[bench->n_containers];
        const FirewallRequest request = { .action = action, .containers = &one, .n_containers = 1 };
        _drop_(batch_done) Batch batch = BATCH_INIT;
        uint64_t start = now_nsec();
        int r;

        if (action == FIREWALL_ADD)
                one.n_forwards = one.n_rules = 0;
        firewall_change_write(&batch, &request);
        r = batch_run(&batch, bench->netfilter, fault);
        return r < 0 ? r : samples_add(samples, (now_nsec() - start) / 1000);
}

static int change_by_library(const Bench *bench, Samples *samples, Fault *fault)
{
        const char text[] = "add element inet warden forwards4 { tcp . 9 : 10.254.0.2 . 80 }\n"
                            "delete element inet warden forwards4 { tcp . 9 }\n";
        uint64_t start = now_nsec();
        int r = transaction_run(bench->transaction, text, fault);

        return r < 0 ? r : samples_add(samples, (now_nsec() - start) / 1000);
}

static int measure(const Bench *bench, unsigned n, Fault *fault)
{
        static const struct {
                const char *name;
                FirewallAction action;
        } kinds[] = {
                { "add", FIREWALL_ADD },       { "forward", FIREWALL_FORWARD },
                { "rules", FIREWALL_RULES },   { "unforward", FIREWALL_UNFORWARD },
                { "remove", FIREWALL_REMOVE },
        };
        Samples samples[ELEMENTSOF(kinds) + 1] = { 0 };
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++) {
                for (size_t k = 0; k < ELEMENTSOF(kinds) && r >= 0; k++)
                        r = change(bench, kinds[k].action, &samples[k], fault);
                if (r >= 0)
                        r = change_by_library(bench, &samples[ELEMENTSOF(kinds)], fault);
        }
        for (size_t k = 0; k <= ELEMENTSOF(kinds); k++) {
                if (r >= 0)
                        samples_print(&samples[k],
                                      k < ELEMENTSOF(kinds) ? kinds[k].name : "library", stdout);
                samples_done(&samples[k]);
        }
        return r;
}

static int prepare(Bench *bench, Fault *fault)
{
        int r = 0;

        bench->containers = calloc(bench->n_containers + 1, sizeof(*bench->containers));
        if (!bench->containers || unshare(CLONE_NEWNET) < 0)
                return -errno;
        for (size_t i = 0; i <= bench->n_containers && r >= 0; i++)
                r = make_container((unsigned)i, &bench->containers[i]);
        if (r >= 0)
                r = transaction_new(&bench->transaction);
        if (r >= 0)
                r = netfilter_open(&bench->netfilter, fault);
        return r < 0 ? r : rebuild(bench, fault);
}

int main(int argc, char **argv)
{
        Bench bench = { 0 };
        Fault fault = FAULT_INIT;
        uint32_t n_containers, n;
        int r;

        if (argc != 3 || parse_u32(argv[1], &n_containers) < 0 || parse_u32(argv[2], &n) < 0 ||
            n_containers > CONTAINERS_MAX || n == 0) {
                (void)fprintf(stderr, "usage: bench-firewall CONTAINERS N\n");
                return EXIT_FAILURE;
        }
        bench.n_containers = n_containers;
        r = prepare(&bench, &fault);
        if (r >= 0)
                r = measure(&bench, n, &fault);
        if (r < 0) {
                (void)fault_set(&fault, FAULT_FAILED, r, "%m");
                (void)fprintf(stderr, "bench-firewall: %s\n", fault.text);
        }
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
