/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "network/address.h"
#include "network/link.h"
#include "network/route.h"
#include "rootfs/etc.h"
#include "worker/channel.h"
#include "worker/room-network.h"

/* By a socket, which needs no procfs. */
int room_network_send(int channel_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF, netns_fd = -EBADF;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0)
                netns_fd = ioctl(fd, SIOCGSKNS);
        if (netns_fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "cannot get hold of the network namespace: %m");
        return channel_send(channel_fd, CHANNEL_NETWORK, &netns_fd, 1);
}

int room_network_configure(const Plan *plan, Fault *fault)
{
        const NetworkAddresses *addresses = &plan->addresses;
        _drop_(drop_netlink) Netlink *netlink = NULL;
        unsigned index;
        int r;

        r = netlink_open(&netlink, fault);
        if (r < 0)
                return r;
        r = link_find(plan->interface_name ?: NETWORK_INTERFACE_INSIDE, fault);
        if (r < 0)
                return r;
        index = (unsigned)r;
        r = link_raise(netlink, index, 0, fault);
        if (r >= 0)
                r = address_add(netlink, index, AF_INET, &addresses->container4, addresses->prefix4,
                                fault);
        if (r >= 0)
                r = route_add_default(netlink, index, AF_INET, &addresses->host4, fault);
        if (r < 0 || addresses->prefix6 == 0)
                return r;
        r = address_add(netlink, index, AF_INET6, addresses->container6, addresses->prefix6, fault);
        return r < 0 ? r : route_add_default(netlink, index, AF_INET6, addresses->host6, fault);
}

int room_network_write_names(const Plan *plan, int root_fd, Fault *fault)
{
        char hostname[80];
        int r;

        if (!plan->resolv_conf || !plan->hosts)
                return 0;
        r = etc_write(root_fd, "resolv.conf", plan->resolv_conf, fault);
        if (r >= 0)
                r = etc_write(root_fd, "hosts", plan->hosts, fault);
        if (r < 0)
                return r;
        (void)snprintf(hostname, sizeof(hostname), "%s\n", plan->hostname);
        return etc_write(root_fd, "hostname", hostname, fault);
}
