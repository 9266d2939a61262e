/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/network.h"
#include "network/netlink.h"

/* Links are found by their name or index, never by a table of all of them, which takes long where
 * there are many. */

/* Makes the pair: the host's side, and @inside at once in the namespace @netns_fd; both are down.
 * What has the host's name already is from an earlier start of the same container and is removed.
 * Like: ip link add W type veth peer eth0 netns N. Returns 0; negative errno with a fault, of which
 * FAULT_NOT_SUPPORTED names the missing kernel module. */
int link_make_pair(Netlink *netlink, const NetworkAddresses *addresses, const char *inside,
                   int netns_fd, uint32_t mtu, Fault *fault);

/* Raises a link. @is_router: with the switches of its own that routing for a stranger needs: it
 * forwards, what comes must be from where the answer would go, and nothing is redirected.
 * Like: sysctl net.ipv4.conf.W.…; ip link set W up. Returns 0; negative errno with a fault. */
int link_raise(Netlink *netlink, unsigned index, int is_router, Fault *fault);

/* Makes a device that is nobody's: no address of its own accord; down.
 * Like: ip link add N type K. Returns 0; -EEXIST something has the name; -EOPNOTSUPP the kernel
 * does not know the kind; negative errno; with a fault each. */
int link_make(Netlink *netlink, const char *name, const char *kind, Fault *fault);

/* Like: ip link del W. An interface that is not there is none to remove: 0. */
int link_remove(Netlink *netlink, const char *name);

/* The MTU of the interface that the host's default route goes through, of IPv4 or else of IPv6;
 * without one 1500. */
uint32_t link_default_mtu(Netlink *netlink);

/* The index of the interface that the host's default route goes through; 0: none.
 * @family   AF_INET, AF_INET6 */
int link_default(Netlink *netlink, int family);

/* Moves an interface of the socket's namespace, which is down then and has no address.
 * @name        there; may be a pattern such as "dev%d"; NULL: as here
 * @new_index   there, where it must be free; 0: as here, or any
 * Like: ip link set dev X netns N name Y. Returns 0; -EEXIST the name is taken there; -ENODEV; the
 * kernel's errno. */
int link_move(Netlink *netlink, unsigned index, int netns_fd, const char *name, int new_index);

/* The index of an interface of the caller's namespace. Returns it; -ENODEV, negative errno with a
 * fault. */
int link_find(const char *name, Fault *fault);
