/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "network/netlink.h"

#define ATTEMPTS_MAX 8 /* the kernel asks to repeat when it was in the way of itself */
#define REASON_MAX 128

typedef struct Answer {
        uint32_t number; /* of the request: what else comes is of one before */
        int error;
        int is_there;
        char reason[REASON_MAX]; /* of the kernel's own words */
} Answer;

int netlink_errno(int nl_error)
{
        switch (nl_error < 0 ? -nl_error : nl_error) {
        case NLE_NOMEM:
                return -ENOMEM;
        case NLE_PERM:
                return -EPERM;
        case NLE_OPNOTSUPP:
        case NLE_AF_NOSUPPORT:
        case NLE_PROTO_MISMATCH:
                return -EOPNOTSUPP;
        case NLE_INTR:
                return -EINTR;
        case NLE_AGAIN:
                return -EAGAIN;
        default:
                return -EIO;
        }
}

int netlink_open(Netlink **ret, Fault *fault)
{
        _drop_(drop_netlink) Netlink *netlink = nl_socket_alloc();
        int one = 1, r;

        if (!netlink)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        r = nl_connect(netlink, NETLINK_ROUTE);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, netlink_errno(r),
                                 "cannot open a socket to the kernel's network: %s",
                                 nl_geterror(r));
        /* Not in every kernel, and then there are no words to the error. */
        (void)setsockopt(nl_socket_get_fd(netlink), SOL_NETLINK, NETLINK_EXT_ACK, &one,
                         sizeof(one));
        *ret = take_ptr(netlink);
        return 0;
}

void netlink_close(Netlink *netlink)
{
        nl_socket_free(netlink);
}

void netlink_message_free(struct nl_msg *message)
{
        nlmsg_free(message);
}

static void answer_read_reason(Answer *answer, struct nlmsghdr *header)
{
        const struct nlmsgerr *error = nlmsg_data(header);
        size_t skip = sizeof(*error), size = (size_t)nlmsg_datalen(header);
        struct nlattr *words;

        if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
                return;
        if (!(header->nlmsg_flags & NLM_F_CAPPED))
                skip += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(error->msg);
        if (skip >= size)
                return;
        words = nla_find((struct nlattr *)(void *)((char *)nlmsg_data(header) + skip),
                         (int)(size - skip), NLMSGERR_ATTR_MSG);
        if (words)
                (void)nla_strlcpy(answer->reason, words, sizeof(answer->reason));
}

static int netlink_receive(Netlink *netlink, Answer *answer)
{
        struct sockaddr_nl from;
        unsigned char *buffer = NULL;
        int n;

        n = nl_recv(netlink, &from, &buffer, NULL);
        if (n <= 0)
                return n == 0 ? -EIO : netlink_errno(n);
        for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)buffer; nlmsg_ok(h, n);
             h = nlmsg_next(h, &n)) {
                if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq != answer->number ||
                    nlmsg_datalen(h) < (int)sizeof(struct nlmsgerr))
                        continue;
                answer->is_there = 1;
                answer->error = ((struct nlmsgerr *)nlmsg_data(h))->error;
                if (answer->error < 0)
                        answer_read_reason(answer, h);
        }
        free(buffer);
        return 0;
}

static int netlink_call_once(Netlink *netlink, struct nl_msg *message, Answer *answer)
{
        int r;

        /* A number of its own each time. */
        nlmsg_hdr(message)->nlmsg_seq = NL_AUTO_SEQ;
        nl_complete_msg(netlink, message);
        nlmsg_hdr(message)->nlmsg_flags |= NLM_F_ACK;
        *answer = (Answer){ .number = nlmsg_hdr(message)->nlmsg_seq };
        r = nl_send(netlink, message);
        if (r < 0)
                return netlink_errno(r);
        while (!answer->is_there) {
                r = netlink_receive(netlink, answer);
                if (r < 0 && r != -EINTR && r != -EAGAIN)
                        return r;
        }
        return answer->error;
}

/* What the kernel answers when nothing was done. That an answer is lost is another error: then it
 * may have been, and to do it twice is none of ours. */
static int is_transient(int error)
{
        return error == -EINTR || error == -EAGAIN || error == -ERESTART || error == -ENOBUFS;
}

int netlink_call(Netlink *netlink, struct nl_msg *take_message, const char *what, Fault *fault)
{
        _drop_(drop_nl_msg) struct nl_msg *message = take_message;
        Answer answer = { .error = 0 };
        int r = 0;

        for (int i = 0; i < ATTEMPTS_MAX; i++) {
                r = netlink_call_once(netlink, message, &answer);
                if (!is_transient(r))
                        break;
        }
        if (r < 0 && what)
                return fault_set(fault, FAULT_FAILED, r,
                                 answer.reason[0] ? "cannot %s: %m (%s)" : "cannot %s: %m", what,
                                 answer.reason);
        return r;
}
