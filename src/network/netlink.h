/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

struct nl_msg;
struct nl_sock;

/* Requests to the kernel's routing family, one at a time. libnl makes the messages; its own way of
 * sending them forgets the errno and what the kernel said beside it. */

typedef struct nl_sock Netlink;

/* In the network namespace of the caller. Returns 0; negative errno with a fault. */
int netlink_open(Netlink **ret, Fault *fault);
void netlink_close(Netlink *netlink);
DEFINE_DROP(Netlink, netlink, netlink_close);

void netlink_message_free(struct nl_msg *message);
DEFINE_DROP(struct nl_msg, nl_msg, netlink_message_free);

/* Sends and waits for the acknowledgement; repeats what the kernel says to repeat.
 * @take_message   freed
 * @what           for the fault: "cannot WHAT: reason"; NULL: no fault is set
 * Returns 0; the kernel's negative errno. */
int netlink_call(Netlink *netlink, struct nl_msg *take_message, const char *what, Fault *fault);

/* An error of libnl as an errno. */
int netlink_errno(int nl_error);
