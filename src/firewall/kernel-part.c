/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/macro.h"
#include "firewall/kernel-part.h"

#define PROBE "inet warden-probe"
#define PROBE_CHAIN(type, hook, rule)                                                              \
        "add table " PROBE "\nadd chain " PROBE " c { type " type " hook " hook " priority 0; }\n" \
        "add rule " PROBE " c " rule "\ndelete table " PROBE "\n"
#define PROBE_RULE(rule) PROBE_CHAIN("filter", "forward", rule)

typedef struct KernelPart {
        KernelUse use;
        const char *modules; /* with spaces between */
        const char *text;
} KernelPart;

static const KernelPart parts[] = {
        { KERNEL_USE_TABLES, "nf_tables", "add table " PROBE "\ndelete table " PROBE "\n" },
        { KERNEL_USE_TABLES, "nf_tables",
          "add table arp warden-probe\nadd chain arp warden-probe c { type filter hook input "
          "priority 0; }\ndelete table arp warden-probe\n" },
        { KERNEL_USE_TABLES, "nf_conntrack nft_ct", PROBE_RULE("ct state invalid drop") },
        { KERNEL_USE_TABLES, "nft_chain_nat", PROBE_CHAIN("nat", "postrouting", "accept") },
        { KERNEL_USE_TABLES, "nft_masq", PROBE_CHAIN("nat", "postrouting", "masquerade") },
        { KERNEL_USE_TABLES, "nft_nat", PROBE_CHAIN("nat", "prerouting", "dnat ip to 192.0.2.1") },
        { KERNEL_USE_TABLES, "nft_fib_inet",
          PROBE_CHAIN("filter", "prerouting", "fib daddr type local accept") },
        { KERNEL_USE_TABLES, "nft_reject_inet",
          PROBE_CHAIN("filter", "input", "reject with icmpx admin-prohibited") },
        { KERNEL_USE_RULES, "nft_objref",
          "add table " PROBE "\nadd counter " PROBE " n\nadd chain " PROBE " c\n"
          "add rule " PROBE " c counter name n\ndelete table " PROBE "\n" },
        { KERNEL_USE_LOG, "nft_limit", PROBE_RULE("limit rate 10/second burst 50 packets accept") },
        { KERNEL_USE_LOG, "nft_log", PROBE_RULE("log prefix \"warden \"") },
};

/* What was asked for, and how to do without. */
static const struct {
        KernelUse use;
        const char *name, *instead;
} uses_by_weight[] = {
        { KERNEL_USE_TABLES, "Network=private", "; Network=none and Network=host do without" },
        { KERNEL_USE_RULES, "AllowEgress", "" },
        { KERNEL_USE_LOG, "AllowEgress: Log", "" },
};

/* A list of words, each once. */
static void add_words(char *list, size_t size, const char *words)
{
        size_t n = strlen(list);

        if (!strstr(list, words))
                (void)snprintf(list + n, size - n, "%s%s", n > 0 ? " " : "", words);
}

static int check_use(KernelProbe probe, void *userdata, size_t index, Fault *fault)
{
        char missing[160] = "";

        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (parts[i].use == uses_by_weight[index].use && probe(userdata, parts[i].text) < 0)
                        add_words(missing, sizeof(missing), parts[i].modules);
        if (!*missing)
                return 0;
        return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                         "%s: this kernel is without '%s' (try 'modprobe -a %s')%s",
                         uses_by_weight[index].name, missing, missing,
                         uses_by_weight[index].instead);
}

int kernel_parts_check(KernelProbe probe, void *userdata, unsigned uses, Fault *fault)
{
        for (size_t i = 0; i < ELEMENTSOF(uses_by_weight); i++) {
                int r = uses & uses_by_weight[i].use ? check_use(probe, userdata, i, fault) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}
