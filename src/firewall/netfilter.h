/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

struct nl_msg;
struct nl_sock;
struct nlmsghdr;

/* Requests to the kernel's netfilter families, in the network namespace of the caller. Blocks, but
 * only for the kernel. */

typedef struct nl_sock Netfilter;

/* Returns 0; negative errno with a fault. */
int netfilter_open(Netfilter **ret, Fault *fault);
void netfilter_close(Netfilter *netfilter);
DEFINE_DROP(Netfilter, netfilter, netfilter_close);

void netfilter_message_free(struct nl_msg *message);
DEFINE_DROP(struct nl_msg, nl_msg, netfilter_message_free);

/* A request with the header that all of them have. NULL: no memory.
 * @subsystem   NFNL_SUBSYS_*
 * @family      AF_INET, AF_INET6, NFPROTO_* */
struct nl_msg *netfilter_message_new(int subsystem, int type, int flags, int family);

/* How often something is tried again that failed with one of these errors: the kernel was in its
 * own way or in that of others, or had no room for its answer, which is another one next time. */
#define NETFILTER_ATTEMPTS_MAX 8

int netfilter_is_transient(int error);

/* Sends it and waits for the acknowledgement; repeats what the kernel says to repeat.
 * Returns 0; the kernel's negative errno. */
int netfilter_call(Netfilter *netfilter, struct nl_msg *message);

/* Sends a request with NLM_F_DUMP and tells @func of each answer; a negative errno of it is the
 * result, but all answers are read.
 * Returns 0; the kernel's negative errno. With a transient one, as -EINTR when what was listed has
 * changed meanwhile, some may be missing, and all is to be listed anew. */
int netfilter_dump(Netfilter *netfilter, struct nl_msg *message,
                   int (*func)(void *userdata, struct nlmsghdr *answer), void *userdata);
