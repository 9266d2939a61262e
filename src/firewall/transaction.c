/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nftables/libnftables.h>

#include "basic/macro.h"
#include "firewall/kernel-part.h"
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

static int on_probe(void *userdata, const char *text)
{
        return transaction_run(userdata, text, NULL);
}

int transaction_find_missing(Transaction *t, unsigned uses, Fault *fault)
{
        return kernel_parts_check(on_probe, t, uses, fault);
}
