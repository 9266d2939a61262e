/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "daemon/link-monitor.h"

#define BUFFER_BYTES (32U << 10) /* more than the kernel puts into one datagram */

struct LinkMonitor {
        int fd;
        sd_event_source *source;
        LinkGoneFunc func;
        void *userdata;
        uint64_t buffer[BUFFER_BYTES / sizeof(uint64_t)];
};

static const char *find_name(const struct nlmsghdr *header)
{
        const struct ifinfomsg *info = NLMSG_DATA(header);
        size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*info));

        for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
                if (a->rta_type == IFLA_IFNAME && RTA_PAYLOAD(a) > 0 &&
                    strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) < RTA_PAYLOAD(a))
                        return RTA_DATA(a);
        return NULL;
}

void link_monitor_parse(const void *data, size_t size, LinkGoneFunc func, void *userdata)
{
        for (const struct nlmsghdr *h = data; NLMSG_OK(h, size); h = NLMSG_NEXT(h, size)) {
                const char *name;

                if (h->nlmsg_type != RTM_DELLINK ||
                    h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
                        continue;
                name = find_name(h);
                if (name)
                        func(userdata, name);
        }
}

static int on_message(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        LinkMonitor *monitor = userdata;
        struct sockaddr_nl from = { 0 };
        struct iovec part = { monitor->buffer, sizeof(monitor->buffer) };
        struct msghdr message = {
                .msg_name = &from,
                .msg_namelen = sizeof(from),
                .msg_iov = &part,
                .msg_iovlen = 1,
        };
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n < 0 || (message.msg_flags & MSG_TRUNC))
                monitor->func(monitor->userdata, NULL);
        else if (from.nl_pid == 0)
                link_monitor_parse(monitor->buffer, (size_t)n, monitor->func, monitor->userdata);
        return 0;
}

/* Interfaces are made and changed with every container, and nobody wants to know: the daemon is not
 * to be woken for it. The kernel announces each change in a datagram of its own. Without the filter
 * all is the same, only slower. */
static void ask_for_deletions(int fd)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 1),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };
        const struct sock_fprog program = { .len = ELEMENTSOF(code), .filter = code };

        (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int link_monitor_new(sd_event *event, LinkGoneFunc func, void *userdata, LinkMonitor **ret,
                     Fault *fault)
{
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
        _drop_(drop_link_monitor) LinkMonitor *monitor = calloc(1, sizeof(*monitor));
        int r;

        if (!monitor)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        monitor->func = func;
        monitor->userdata = userdata;
        monitor->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (monitor->fd >= 0)
                ask_for_deletions(monitor->fd);
        if (monitor->fd < 0 ||
            bind(monitor->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "Cannot listen for changes of interfaces: %m");
        r = sd_event_add_io(event, &monitor->source, monitor->fd, EPOLLIN, on_message, monitor);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r,
                                 "Cannot listen for changes of interfaces: %m");
        *ret = take_ptr(monitor);
        return 0;
}

LinkMonitor *link_monitor_free(LinkMonitor *monitor)
{
        if (!monitor)
                return NULL;
        sd_event_source_disable_unref(monitor->source);
        fd_close(monitor->fd);
        free(monitor);
        return NULL;
}
