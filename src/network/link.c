/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "network/link.h"

#define MTU_DEFAULT 1500U
/* For documentation (RFC 5737, RFC 3849): no host has a better route there than its default one. */
#define FAR_ADDRESS4 "198.51.100.1"
#define FAR_ADDRESS6 "2001:db8:ffff:ffff::1"

static inline void drop_rtnl_link(struct rtnl_link **p)
{
        if (*p)
                rtnl_link_put(*p);
}

static int set_hardware_address(struct rtnl_link *link, const uint8_t mac[6])
{
        struct nl_addr *address = nl_addr_build(AF_LLC, mac, 6);

        if (!address)
                return -ENOMEM;
        rtnl_link_set_addr(link, address); /* copies it */
        nl_addr_put(address);
        return 0;
}

/* Not told how many, the kernel makes a queue for each processor with its folders in sysfs, and
 * takes all but the first away again: each side waits then for a grace period of RCU, with the lock
 * of all interfaces held. */
static void set_one_queue(struct rtnl_link *link)
{
        rtnl_link_set_num_tx_queues(link, 1);
        rtnl_link_set_num_rx_queues(link, 1);
}

static int build_pair(const NetworkAddresses *addresses, const char *inside, int netns_fd,
                      uint32_t mtu, struct nl_msg **ret)
{
        _drop_(drop_rtnl_link) struct rtnl_link *link = rtnl_link_veth_alloc();
        struct rtnl_link *peer;
        uint8_t host_mac[6];
        int r;

        if (!link)
                return -ENOMEM;
        peer = rtnl_link_veth_get_peer(link);
        network_host_mac(addresses, host_mac);
        rtnl_link_set_name(link, addresses->interface);
        rtnl_link_set_mtu(link, mtu);
        rtnl_link_set_name(peer, inside);
        rtnl_link_set_mtu(peer, mtu);
        rtnl_link_set_ns_fd(peer, netns_fd);
        set_one_queue(link);
        set_one_queue(peer);
        r = set_hardware_address(link, host_mac);
        if (r >= 0)
                r = set_hardware_address(peer, addresses->mac);
        if (r >= 0) {
                r = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, ret);
                r = r < 0 ? netlink_errno(r) : 0;
        }
        rtnl_link_put(peer);
        return r;
}

int link_make_pair(Netlink *netlink, const NetworkAddresses *addresses, const char *inside,
                   int netns_fd, uint32_t mtu, Fault *fault)
{
        struct nl_msg *message;
        int r = 0;

        for (int is_second = 0; is_second < 2; is_second++) {
                r = build_pair(addresses, inside, netns_fd, mtu, &message);
                if (r >= 0)
                        r = netlink_call(netlink, message, is_second ? "make the pair" : NULL,
                                         fault);
                if (r != -EEXIST || is_second)
                        break;
                /* Of an earlier start; the kernel takes a namespace apart when it has time. */
                (void)link_remove(netlink, addresses->interface);
        }
        if (r == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 "Network=private: this kernel is without 'veth' (try 'modprobe "
                                 "veth'); Network=none and Network=host do without");
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot make the pair: %m") : 0;
}

/* Only a link that is there can be told. A kernel without IPv6 has nothing to be told. */
static void keep_addressless(Netlink *netlink, const char *name)
{
        _drop_(drop_rtnl_link) struct rtnl_link *old = rtnl_link_alloc();
        _drop_(drop_rtnl_link) struct rtnl_link *link = rtnl_link_alloc();
        struct nl_msg *message;

        if (!old || !link)
                return;
        rtnl_link_set_ifindex(old, (int)if_nametoindex(name));
        if (rtnl_link_inet6_set_addr_gen_mode(link, IN6_ADDR_GEN_MODE_NONE) >= 0 &&
            rtnl_link_build_change_request(old, link, 0, &message) >= 0)
                (void)netlink_call(netlink, message, NULL, NULL);
}

int link_make(Netlink *netlink, const char *name, const char *kind, Fault *fault)
{
        _drop_(drop_rtnl_link) struct rtnl_link *link = rtnl_link_alloc();
        struct nl_msg *message;
        int r;

        if (!link)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        rtnl_link_set_name(link, name);
        r = rtnl_link_set_type(link, kind);
        if (r >= 0)
                r = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &message);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, netlink_errno(r), "cannot make %s: %s", name,
                                 nl_geterror(r));
        r = netlink_call(netlink, message, "make the device", fault);
        if (r >= 0)
                keep_addressless(netlink, name);
        return r;
}

int link_remove(Netlink *netlink, const char *name)
{
        _drop_(drop_rtnl_link) struct rtnl_link *link = rtnl_link_alloc();
        struct nl_msg *message;
        int r;

        if (!link)
                return -ENOMEM;
        rtnl_link_set_name(link, name);
        r = rtnl_link_build_delete_request(link, &message);
        if (r < 0)
                return netlink_errno(r);
        r = netlink_call(netlink, message, NULL, NULL);
        return r == -ENODEV ? 0 : r;
}

static int set_switches(struct rtnl_link *link)
{
        static const struct {
                unsigned key, value;
        } switches[] = {
                { IPV4_DEVCONF_FORWARDING, 1 },       { IPV4_DEVCONF_RP_FILTER, 1 },
                { IPV4_DEVCONF_ACCEPT_REDIRECTS, 0 }, { IPV4_DEVCONF_SECURE_REDIRECTS, 0 },
                { IPV4_DEVCONF_SEND_REDIRECTS, 0 },   { IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE, 0 },
                { IPV4_DEVCONF_PROXY_ARP, 0 },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(switches) && r >= 0; i++)
                r = rtnl_link_inet_set_conf(link, switches[i].key, switches[i].value);
        return r;
}

static int build_raise(unsigned index, int is_router, struct nl_msg **ret)
{
        _drop_(drop_rtnl_link) struct rtnl_link *old = rtnl_link_alloc();
        _drop_(drop_rtnl_link) struct rtnl_link *link = rtnl_link_alloc();
        int r = 0;

        if (!old || !link)
                return -ENOMEM;
        rtnl_link_set_ifindex(old, (int)index);
        rtnl_link_set_flags(link, IFF_UP);
        if (is_router)
                r = set_switches(link);
        if (r >= 0)
                r = rtnl_link_build_change_request(old, link, 0, ret);
        return r < 0 ? netlink_errno(r) : 0;
}

int link_raise(Netlink *netlink, unsigned index, int is_router, Fault *fault)
{
        struct nl_msg *message;
        int r;

        r = build_raise(index, is_router, &message);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot ask for the link to be up: %m");
        return netlink_call(netlink, message, "raise the link", fault);
}

/* The interface of the default route, by asking for the way to somewhere far. Returns its index;
 * 0: there is none. */
int link_default(Netlink *netlink, int family)
{
        int size = family == AF_INET ? 4 : 16;
        struct rtmsg header = { .rtm_family = (uint8_t)family, .rtm_dst_len = (uint8_t)(8 * size) };
        _drop_(drop_nl_msg) struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, 0);
        unsigned char *buffer = NULL;
        struct sockaddr_nl from;
        uint8_t address[16];
        int n, index = 0;

        (void)inet_pton(family, family == AF_INET ? FAR_ADDRESS4 : FAR_ADDRESS6, address);
        if (!message || nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
            nla_put(message, RTA_DST, size, address) < 0)
                return 0;
        nl_complete_msg(netlink, message);
        /* The answer is the acknowledgement. */
        nlmsg_hdr(message)->nlmsg_flags = NLM_F_REQUEST;
        if (nl_send(netlink, message) < 0)
                return 0;
        n = nl_recv(netlink, &from, &buffer, NULL);
        if (n > 0) {
                struct nlmsghdr *h = (struct nlmsghdr *)(void *)buffer;
                struct nlattr *out = NULL;

                if (nlmsg_ok(h, n) && h->nlmsg_type == RTM_NEWROUTE)
                        out = nlmsg_find_attr(h, sizeof(header), RTA_OIF);
                if (out && nla_len(out) >= (int)sizeof(uint32_t))
                        index = (int)nla_get_u32(out);
        }
        free(buffer);
        return index;
}

uint32_t link_default_mtu(Netlink *netlink)
{
        _drop_(drop_fd) int fd = -EBADF;
        struct ifreq request = { .ifr_mtu = 0 };
        int index = link_default(netlink, AF_INET) ?: link_default(netlink, AF_INET6);

        if (index > 0 && if_indextoname((unsigned)index, request.ifr_name)) {
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0)
                        return MTU_DEFAULT;
        }
        return request.ifr_mtu >= NETWORK_MTU_MIN6 && request.ifr_mtu <= NETWORK_MTU_MAX
                       ? (uint32_t)request.ifr_mtu
                       : MTU_DEFAULT;
}

int link_move(Netlink *netlink, unsigned index, int netns_fd, const char *name, int new_index)
{
        struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
        struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);

        if (!message || nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
            nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns_fd) < 0 ||
            (name && nla_put_string(message, IFLA_IFNAME, name) < 0) ||
            (new_index > 0 && nla_put_u32(message, IFLA_NEW_IFINDEX, (uint32_t)new_index) < 0)) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        return netlink_call(netlink, message, NULL, NULL);
}

int link_find(const char *name, Fault *fault)
{
        unsigned index = if_nametoindex(name);

        if (index == 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot find the link %s: %m", name);
        return (int)index;
}
