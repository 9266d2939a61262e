/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "daemon/firewall-monitor.h"

#define TABLE "warden"
#define OURSELVES "warden-firewall"
#define BUFFER_BYTES (64U << 10)
#define DATAGRAMS_MAX 64 /* a turn: others wait for the loop */

/* All kinds of messages of nftables have the table's name as this attribute; only that of the
 * transaction's end has other ones. */
#define ATTRIBUTE_TABLE 1

struct FirewallMonitor {
        sd_event_source *source;
        int fd;
        int touched;
        void (*func)(void *userdata);
        void *userdata;
        uint8_t buffer[BUFFER_BYTES];
};

/* The string of an attribute, or NULL. The kernel's, but bounds are cheap. */
static const char *find_string(const struct nlmsghdr *h, uint16_t type)
{
        size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));

        while (offset + sizeof(struct nlattr) <= h->nlmsg_len) {
                const struct nlattr *a = (const void *)((const uint8_t *)h + offset);
                const char *text = (const char *)(a + 1);

                if (a->nla_len < sizeof(*a) || a->nla_len > h->nlmsg_len - offset)
                        return NULL;
                if ((a->nla_type & NLA_TYPE_MASK) == type)
                        return memchr(text, 0, a->nla_len - sizeof(*a)) ? text : NULL;
                offset += NLA_ALIGN(a->nla_len);
        }
        return NULL;
}

int firewall_monitor_parse(const void *data, size_t size, int *touched)
{
        const uint8_t *p = data;
        int is_foreign = 0;

        while (size >= sizeof(struct nlmsghdr)) {
                const struct nlmsghdr *h = (const void *)p;
                const char *text;
                size_t n;

                if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > size)
                        break;
                if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)) {
                        text = find_string(h, NFTA_GEN_PROC_NAME);
                        is_foreign |= *touched && (!text || strcmp(text, OURSELVES) != 0);
                        *touched = 0;
                } else if (h->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES) {
                        text = find_string(h, ATTRIBUTE_TABLE);
                        *touched |= text && strcmp(text, TABLE) == 0;
                }
                n = NLMSG_ALIGN((size_t)h->nlmsg_len);
                p += MIN2(n, size);
                size -= MIN2(n, size);
        }
        return is_foreign;
}

static int on_netlink(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        FirewallMonitor *monitor = userdata;
        int is_foreign = 0;

        for (int i = 0; i < DATAGRAMS_MAX; i++) {
                ssize_t n = recv(fd, monitor->buffer, sizeof(monitor->buffer), MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        /* Something was lost: it may have been about us. */
                        is_foreign |= errno == ENOBUFS;
                        break;
                }
                is_foreign |= firewall_monitor_parse(monitor->buffer, (size_t)n, &monitor->touched);
        }
        if (is_foreign)
                monitor->func(monitor->userdata);
        return 0;
}

int firewall_monitor_new(sd_event *event, void (*func)(void *userdata), void *userdata,
                         FirewallMonitor **ret)
{
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
        _drop_(drop_firewall_monitor) FirewallMonitor *monitor = calloc(1, sizeof(*monitor));
        const int group = NFNLGRP_NFTABLES, size = 1 << 20;

        if (!monitor)
                return -ENOMEM;
        monitor->func = func;
        monitor->userdata = userdata;
        monitor->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                             NETLINK_NETFILTER);
        if (monitor->fd < 0)
                return -errno;
        (void)setsockopt(monitor->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        if (bind(monitor->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            setsockopt(monitor->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
                return -errno;
        if (sd_event_add_io(event, &monitor->source, monitor->fd, EPOLLIN, on_netlink, monitor) < 0)
                return -ENOMEM;
        *ret = take_ptr(monitor);
        return 0;
}

FirewallMonitor *firewall_monitor_free(FirewallMonitor *monitor)
{
        if (!monitor)
                return NULL;
        sd_event_source_disable_unref(monitor->source);
        fd_close(monitor->fd);
        free(monitor);
        return NULL;
}
