/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "firewall/netfilter.h"

/* Changes of nftables as the kernel takes them, which are done all together or not at all. The
 * library's language is nicer to read, but before each change it asks the kernel for every chain
 * and set of the host, so that one rule would cost more with every container. */

typedef struct Batch {
        uint8_t *data;
        size_t size, room;
        int error; /* the first failure, -ENOMEM; later puts do nothing */
} Batch;

#define BATCH_INIT ((Batch){ 0 })

void batch_done(Batch *batch);

/* Opens a message.
 * @type      NFT_MSG_*
 * @flags     NLM_F_*, beside NLM_F_REQUEST
 * @family    NFPROTO_*
 * Returns a mark for batch_end(). */
size_t batch_begin(Batch *batch, int type, int flags, int family);
void batch_end(Batch *batch, size_t mark);

/* Attributes of the message, or of what is nested. Numbers are in network byte order, as nearly
 * everything in nftables. */
void batch_put(Batch *batch, int type, const void *data, size_t size);
void batch_put_string(Batch *batch, int type, const char *s);
void batch_put_u32(Batch *batch, int type, uint32_t value);
void batch_put_u64(Batch *batch, int type, uint64_t value);
size_t batch_nest(Batch *batch, int type);
void batch_nest_end(Batch *batch, size_t mark);

/* Sends all of it as one transaction; an empty one is fine. Repeats it when the kernel says that
 * somebody else was in the way. May be called again.
 * Returns 0; -ENOENT: something that was named, a table for one, is not there; the kernel's
 * negative errno, with a fault. */
int batch_run(Batch *batch, Netfilter *netfilter, Fault *fault);
