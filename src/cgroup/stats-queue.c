/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/interface.h"
#include "cgroup/stats-queue.h"

#define BUFFER_BYTES 4096U /* one queue is a few hundred */

static const struct rtattr *find(const void *data, size_t size, unsigned type)
{
        for (const struct rtattr *a = data; RTA_OK(a, size); a = RTA_NEXT(a, size))
                if ((a->rta_type & NLA_TYPE_MASK) == type)
                        return a;
        return NULL;
}

static int is_bucket(const struct rtattr *kind)
{
        return kind && RTA_PAYLOAD(kind) == sizeof("tbf") &&
               memcmp(RTA_DATA(kind), "tbf", sizeof("tbf")) == 0;
}

int queue_stats_parse(const void *data, size_t size, QueueStats *ret)
{
        const struct nlmsghdr *header = data;
        const struct rtattr *attributes, *part;
        struct gnet_stats_queue queue;
        size_t left;

        if (!NLMSG_OK(header, size))
                return -EBADMSG;
        if (header->nlmsg_type != RTM_NEWQDISC)
                return -ENODATA;
        if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct tcmsg)))
                return -EBADMSG;
        attributes = (const void *)((const uint8_t *)NLMSG_DATA(header) +
                                    NLMSG_ALIGN(sizeof(struct tcmsg)));
        left = header->nlmsg_len - NLMSG_LENGTH(sizeof(struct tcmsg));
        if (!is_bucket(find(attributes, left, TCA_KIND)))
                return -ENODATA;
        part = find(attributes, left, TCA_STATS2);
        if (part)
                part = find(RTA_DATA(part), RTA_PAYLOAD(part), TCA_STATS_QUEUE);
        if (!part || RTA_PAYLOAD(part) < sizeof(queue))
                return -EBADMSG;
        memcpy(&queue, RTA_DATA(part), sizeof(queue));
        *ret = (QueueStats){ .dropped = queue.drops, .delayed = queue.overlimits };
        return 0;
}

/* The kernel answers by the news that it tells of queues, and only who asks for an echo gets them.
 * The acknowledgement comes behind. */
static int receive(int fd, QueueStats *ret)
{
        uint64_t buffer[BUFFER_BYTES / sizeof(uint64_t)];
        int result = -ENODATA;

        for (;;) {
                const struct nlmsghdr *header = (const void *)buffer;
                ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                r = queue_stats_parse(buffer, (size_t)n, ret);
                if (r != -ENODATA)
                        result = r;
                if (r == -EBADMSG || header->nlmsg_type == NLMSG_ERROR)
                        return result;
        }
}

/* Like: tc -s qdisc show dev I root */
static int read_queue(int fd, unsigned index, QueueStats *ret)
{
        struct {
                struct nlmsghdr header;
                struct tcmsg body;
        } request = {
                .header = { .nlmsg_len = sizeof(request),
                            .nlmsg_type = RTM_GETQDISC,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ECHO | NLM_F_ACK },
                .body = { .tcm_ifindex = (int)index, .tcm_parent = TC_H_ROOT },
        };

        return send(fd, &request, sizeof(request), 0) < 0 ? -errno : receive(fd, ret);
}

static void read_one(int fd, const char *interface, Stat dropped, Stat delayed, Stats *stats)
{
        int index = interface_index(interface);
        QueueStats queue;

        if (index < 0 || read_queue(fd, (unsigned)index, &queue) < 0)
                return;
        stats_set(stats, dropped, queue.dropped);
        stats_set(stats, delayed, queue.delayed);
}

int stats_read_bandwidth(const char *interface, Stats *stats)
{
        _drop_(drop_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        char device[IFNAMSIZ];

        if (fd < 0)
                return -errno;
        read_one(fd, interface, STAT_NETWORK_RECEIVE_LIMIT_DROPPED,
                 STAT_NETWORK_RECEIVE_LIMIT_DELAYED, stats);
        /* What it sends goes by a device of its own. */
        (void)snprintf(device, sizeof(device), "i%s", interface + 1);
        read_one(fd, device, STAT_NETWORK_TRANSMIT_LIMIT_DROPPED,
                 STAT_NETWORK_TRANSMIT_LIMIT_DELAYED, stats);
        return 0;
}
