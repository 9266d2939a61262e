/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nftables/libnftables.h>

#include "basic/macro.h"
#include "firewall/netfilter.h"
#include "firewall/transaction.h"

#define ATTEMPTS_MAX 20
#define PAUSE_USEC 5000 /* somebody else's transaction takes about that */

struct Transaction {
        struct nft_ctx *context;
};

#define HEAP_KEPT_BYTES (16 << 20)

/* libnftables allocates, clears and frees two megabytes of hash tables each time, and the pages
 * cost more than all of its work: they are kept. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
        (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
        (void)mallopt(M_MMAP_THRESHOLD, HEAP_KEPT_BYTES);
#endif
}

int transaction_new(Transaction **ret)
{
        _drop_(drop_transaction) Transaction *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        keep_memory();
        t->context = nft_ctx_new(NFT_CTX_DEFAULT);
        if (!t->context || nft_ctx_buffer_error(t->context) != 0 ||
            nft_ctx_buffer_output(t->context) != 0)
                return -ENOMEM;
        *ret = take_ptr(t);
        return 0;
}

Transaction *transaction_free(Transaction *t)
{
        if (!t)
                return NULL;
        if (t->context)
                nft_ctx_free(t->context);
        free(t);
        return NULL;
}

/* The library says what went wrong in words only; those of an errno are the C library's. */
static int find_errno(const char *text)
{
        static const int known[] = { ENOENT, EEXIST,     EBUSY,  EINTR,  EAGAIN, ENOBUFS,
                                     EPERM,  EOPNOTSUPP, EACCES, ENOMEM, EMFILE, ENFILE };

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (strstr(text, strerror(known[i])))
                        return -known[i];
        return -EIO;
}

int transaction_run(Transaction *t, const char *text, Fault *fault)
{
        char line[256] = "";

        for (int i = 0; i < ATTEMPTS_MAX; i++) {
                const char *words;
                int r;

                if (nft_run_cmd_from_buffer(t->context, text) == 0)
                        return 0;
                words = nft_ctx_get_error_buffer(t->context);
                (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(words, "\n"), words);
                r = find_errno(line);
                if (!netfilter_is_transient(r))
                        return fault_set(fault, FAULT_FAILED, r, "nftables: %s", line);
                (void)usleep(PAUSE_USEC);
        }
        return fault_set(fault, FAULT_FAILED, -EBUSY, "nftables: %s", line);
}

#define PROBE "inet warden-probe"
#define PROBE_CHAIN(type, hook, rule)                                                              \
        "add table " PROBE "\nadd chain " PROBE " c { type " type " hook " hook " priority 0; }\n" \
        "add rule " PROBE " c " rule "\ndelete table " PROBE "\n"

int transaction_find_missing(Transaction *t, Fault *fault)
{
        static const struct {
                const char *module, *text;
        } probes[] = {
                { "nf_tables", "add table " PROBE "\ndelete table " PROBE "\n" },
                { "nf_tables (arp)", "add table arp warden-probe\nadd chain arp warden-probe c { "
                                     "type filter hook input "
                                     "priority 0; }\ndelete table arp warden-probe\n" },
                { "nf_conntrack, nft_ct",
                  PROBE_CHAIN("filter", "forward", "ct state invalid drop") },
                { "nft_chain_nat", PROBE_CHAIN("nat", "postrouting", "accept") },
                { "nft_masq", PROBE_CHAIN("nat", "postrouting", "masquerade") },
                { "nft_nat", PROBE_CHAIN("nat", "prerouting", "dnat ip to 192.0.2.1") },
                { "nft_fib_inet",
                  PROBE_CHAIN("filter", "prerouting", "fib daddr type local accept") },
                { "nft_reject_inet",
                  PROBE_CHAIN("filter", "input", "reject with icmpx admin-prohibited") },
        };
        char missing[256] = "";

        for (size_t i = 0; i < ELEMENTSOF(probes); i++) {
                size_t n = strlen(missing);

                if (transaction_run(t, probes[i].text, NULL) < 0)
                        (void)snprintf(missing + n, sizeof(missing) - n, "%s%s", n > 0 ? ", " : "",
                                       probes[i].module);
        }
        if (!*missing)
                return 0;
        return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                         "this kernel is without %s, which a private network needs; Network=none "
                         "and Network=host do without",
                         missing);
}
