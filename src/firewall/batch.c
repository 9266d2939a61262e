/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/macro.h"
#include "firewall/batch.h"

#define ATTEMPTS_MAX 20
#define PAUSE_USEC 5000 /* somebody else's transaction takes about that */
#define ROOM_FIRST 4096
#define ANSWER_BYTES (32U << 10)

void batch_done(Batch *batch)
{
        free(batch->data);
        *batch = BATCH_INIT;
}

/* -- writing -- */

/* Room for @size bytes, zeroed up to the next multiple of four. NULL after a failure. */
static void *batch_reserve(Batch *batch, size_t size)
{
        size_t aligned = NLMSG_ALIGN(size), room = batch->room ?: ROOM_FIRST;
        uint8_t *data;

        if (batch->error < 0)
                return NULL;
        while (batch->size + aligned > room)
                room *= 2;
        if (room > batch->room) {
                data = realloc(batch->data, room);
                if (!data) {
                        batch->error = -ENOMEM;
                        return NULL;
                }
                batch->data = data;
                batch->room = room;
        }
        data = batch->data + batch->size;
        memset(data, 0, aligned);
        batch->size += aligned;
        return data;
}

/* @type   with its subsystem
 * @id     of what a bracket of the transaction is about */
static size_t begin_message(Batch *batch, int type, int flags, int family, uint16_t id)
{
        size_t mark = batch->size;
        struct nlmsghdr *h = batch_reserve(batch, NLMSG_HDRLEN + sizeof(struct nfgenmsg));
        struct nfgenmsg *head;

        if (!h)
                return mark;
        h->nlmsg_type = (uint16_t)type;
        h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
        head = (struct nfgenmsg *)(void *)((uint8_t *)h + NLMSG_HDRLEN);
        head->nfgen_family = (uint8_t)family;
        head->version = NFNETLINK_V0;
        head->res_id = htons(id);
        return mark;
}

static void put_bracket(Batch *batch, int type)
{
        batch_end(batch, begin_message(batch, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

size_t batch_begin(Batch *batch, int type, int flags, int family)
{
        if (batch->size == 0)
                put_bracket(batch, NFNL_MSG_BATCH_BEGIN);
        return begin_message(batch, NFNL_SUBSYS_NFTABLES << 8 | type, flags, family, 0);
}

void batch_end(Batch *batch, size_t mark)
{
        struct nlmsghdr *h;

        if (batch->error < 0)
                return;
        h = (struct nlmsghdr *)(void *)(batch->data + mark);
        h->nlmsg_len = (uint32_t)(batch->size - mark);
}

void batch_put(Batch *batch, int type, const void *data, size_t size)
{
        struct nlattr *a = batch_reserve(batch, NLA_HDRLEN + size);

        if (!a)
                return;
        a->nla_type = (uint16_t)type;
        a->nla_len = (uint16_t)(NLA_HDRLEN + size);
        if (size > 0)
                memcpy((uint8_t *)a + NLA_HDRLEN, data, size);
}

void batch_put_string(Batch *batch, int type, const char *s)
{
        batch_put(batch, type, s, strlen(s) + 1);
}

void batch_put_u32(Batch *batch, int type, uint32_t value)
{
        value = htonl(value);
        batch_put(batch, type, &value, sizeof(value));
}

void batch_put_u64(Batch *batch, int type, uint64_t value)
{
        value = htobe64(value);
        batch_put(batch, type, &value, sizeof(value));
}

size_t batch_nest(Batch *batch, int type)
{
        size_t mark = batch->size;

        batch_put(batch, type | NLA_F_NESTED, NULL, 0);
        return mark;
}

void batch_nest_end(Batch *batch, size_t mark)
{
        struct nlattr *a;

        if (batch->error < 0)
                return;
        a = (struct nlattr *)(void *)(batch->data + mark);
        a->nla_len = (uint16_t)(batch->size - mark);
}

/* -- sending -- */

static void number_messages(const Batch *batch, Netfilter *netfilter)
{
        struct nlmsghdr *h;

        for (size_t i = 0; i < batch->size; i += h->nlmsg_len) {
                h = (struct nlmsghdr *)(void *)(batch->data + i);
                h->nlmsg_seq = nl_socket_use_seq(netfilter);
                h->nlmsg_pid = nl_socket_get_local_port(netfilter);
        }
}

/* The kernel is through with it when the sending returns, and says only what it refuses. */
static int read_errors(int fd)
{
        _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_BYTES];
        int error = 0;

        for (;;) {
                ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
                const struct nlmsghdr *h = (const void *)answer;
                const struct nlmsgerr *e = (const void *)(answer + NLMSG_HDRLEN);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
                        return error < 0 || errno == EAGAIN ? error : -ENOBUFS;
                if (n < 0)
                        return -errno;
                if ((size_t)n >= NLMSG_HDRLEN + sizeof(*e) && h->nlmsg_type == NLMSG_ERROR &&
                    error >= 0)
                        error = e->error;
        }
}

static int run_once(const Batch *batch, Netfilter *netfilter)
{
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        int fd = nl_socket_get_fd(netfilter);

        number_messages(batch, netfilter);
        if (sendto(fd, batch->data, batch->size, 0, (const struct sockaddr *)&kernel,
                   sizeof(kernel)) < 0)
                return -errno;
        return read_errors(fd);
}

int batch_run(Batch *batch, Netfilter *netfilter, Fault *fault)
{
        size_t size = batch->size;
        int r = 0, room;

        if (size == 0 && batch->error >= 0)
                return 0;
        put_bracket(batch, NFNL_MSG_BATCH_END);
        room = (int)MIN2(2 * batch->size, (size_t)INT32_MAX);
        if (batch->error < 0)
                return fault_set(fault, FAULT_FAILED, batch->error, "Out of memory");
        (void)setsockopt(nl_socket_get_fd(netfilter), SOL_SOCKET, SO_SNDBUFFORCE, &room,
                         sizeof(room));
        for (int i = 0; i < ATTEMPTS_MAX; i++) {
                r = run_once(batch, netfilter);
                if (!netfilter_is_transient(r))
                        break;
                (void)usleep(PAUSE_USEC);
        }
        batch->size = size;
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "nftables: %m") : 0;
}
