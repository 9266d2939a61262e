/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nftables/libnftables.h>

#include "firewall/netfilter.h"
#include "firewall/text.h"
#include "firewall/transaction.h"

/* The kernel's packet filter in a network namespace of its own, and containers for it. */

typedef struct MadeTables {
        Transaction *transaction;
        Netfilter *netfilter;
        struct nft_ctx *lister; /* its output is in its buffer */
} MadeTables;

/* For cmocka; skips where the kernel cannot. The state is a MadeTables. */
int made_tables_setup(void **state);
int made_tables_teardown(void **state);

/* Sends it as the program would.
 * @counters   for FIREWALL_REBUILD; may be NULL
 * Returns     0; negative errno with a fault */
int made_tables_run(MadeTables *f, FirewallAction action, FirewallContainer *c, size_t n,
                    const CounterList *counters, Fault *fault);
void assert_runs(MadeTables *f, FirewallAction action, FirewallContainer *c, size_t n);

/* With both addresses, and with all that a container can have; for made_container_done(). */
FirewallContainer made_container_plain(unsigned number);
FirewallContainer made_container_full(unsigned number);
void made_container_add_forward(FirewallContainer *c, const char *text);
void made_container_done(FirewallContainer *c);
