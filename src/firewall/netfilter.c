/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#include "firewall/netfilter.h"

typedef struct Answers {
        int (*func)(void *userdata, struct nlmsghdr *answer);
        void *userdata;
        uint32_t number; /* of the request: what else comes is of one before */
        int error;
        int is_over;
} Answers;

int netfilter_open(Netfilter **ret, Fault *fault)
{
        _drop_(drop_netfilter) Netfilter *netfilter = nl_socket_alloc();
        int r;

        if (!netfilter)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        r = nl_connect(netfilter, NETLINK_NETFILTER);
        if (r == -NLE_PROTO_MISMATCH)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "Network=private: this kernel is without 'nfnetlink' (try "
                                 "'modprobe nfnetlink'); Network=none and Network=host do without");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, -EIO,
                                 "cannot open a socket to the kernel's packet filter: %s",
                                 nl_geterror(r));
        *ret = take_ptr(netfilter);
        return 0;
}

void netfilter_close(Netfilter *netfilter)
{
        nl_socket_free(netfilter);
}

void netfilter_message_free(struct nl_msg *message)
{
        nlmsg_free(message);
}

struct nl_msg *netfilter_message_new(int subsystem, int type, int flags, int family)
{
        const struct nfgenmsg head = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 };
        _drop_(drop_nl_msg) struct nl_msg *m = nlmsg_alloc_simple(subsystem << 8 | type, flags);

        if (!m || nlmsg_append(m, (void *)&head, sizeof(head), NLMSG_ALIGNTO) < 0)
                return NULL;
        return take_ptr(m);
}

/* A list may also end because the kernel could not go on with it. */
static int read_end(const struct nlmsghdr *h)
{
        int32_t error = 0;

        if (nlmsg_datalen(h) >= (int)sizeof(error))
                memcpy(&error, nlmsg_data(h), sizeof(error));
        return error < 0 ? error : 0;
}

static void take_answer(Answers *answers, struct nlmsghdr *h)
{
        const struct nlmsgerr *error = nlmsg_data(h);
        int r = 0;

        if (h->nlmsg_seq != answers->number || answers->is_over)
                return;
        if (h->nlmsg_flags & NLM_F_DUMP_INTR)
                r = -EINTR;
        if (h->nlmsg_type == NLMSG_DONE) {
                answers->is_over = 1;
                r = r < 0 ? r : read_end(h);
        } else if (h->nlmsg_type == NLMSG_ERROR) {
                answers->is_over = 1;
                r = nlmsg_datalen(h) < (int)sizeof(*error) ? -EBADMSG : error->error;
        } else if (answers->func) {
                int k = answers->func(answers->userdata, h);

                /* Of a change only one of the items may tell, and not the end. */
                r = k < 0 ? k : r;
        }
        if (r < 0 && answers->error >= 0)
                answers->error = r;
}

int netfilter_is_transient(int error)
{
        return error == -EBUSY || error == -EINTR || error == -EAGAIN || error == -ENOBUFS;
}

/* Answers are lost, or there is no memory for them. Whether more come nobody knows: the kernel
 * could be in the middle of a list, and begins no other one on this socket. */
static int begin_anew(Netfilter *netfilter)
{
        nl_close(netfilter);
        return nl_connect(netfilter, NETLINK_NETFILTER) < 0 ? -EIO : 0;
}

static int receive(Netfilter *netfilter, Answers *answers)
{
        struct sockaddr_nl from;
        unsigned char *buffer = NULL;
        int n = nl_recv(netfilter, &from, &buffer, NULL);

        if (n == -NLE_INTR || n == -NLE_AGAIN)
                return 0;
        if (n <= 0) {
                int r = begin_anew(netfilter);

                return r < 0 ? r : n == -NLE_NOMEM ? -ENOBUFS : -EIO;
        }
        for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)buffer; nlmsg_ok(h, n);
             h = nlmsg_next(h, &n))
                take_answer(answers, h);
        free(buffer);
        return 0;
}

static int exchange(Netfilter *netfilter, struct nl_msg *message, Answers *answers)
{
        int r;

        nlmsg_hdr(message)->nlmsg_seq = NL_AUTO_SEQ;
        nl_complete_msg(netfilter, message);
        answers->number = nlmsg_hdr(message)->nlmsg_seq;
        r = nl_send(netfilter, message);
        if (r < 0)
                return r == -NLE_NOMEM ? -ENOBUFS : r == -NLE_PERM ? -EPERM : -EIO;
        while (!answers->is_over) {
                r = receive(netfilter, answers);
                if (r < 0)
                        return r;
        }
        return answers->error;
}

int netfilter_call(Netfilter *netfilter, struct nl_msg *message)
{
        int r = -EAGAIN;

        nlmsg_hdr(message)->nlmsg_flags |= NLM_F_ACK;
        for (int i = 0; i < NETFILTER_ATTEMPTS_MAX && netfilter_is_transient(r); i++) {
                Answers answers = { 0 };

                r = exchange(netfilter, message, &answers);
        }
        return r;
}

int netfilter_dump(Netfilter *netfilter, struct nl_msg *message,
                   int (*func)(void *userdata, struct nlmsghdr *answer), void *userdata)
{
        Answers answers = { .func = func, .userdata = userdata };

        return exchange(netfilter, message, &answers);
}
