/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/interface.h"
#include "basic/io.h"
#include "model/name.h"
#include "network/address.h"
#include "network/forwarding.h"
#include "network/link.h"
#include "network/netlink.h"
#include "network/shaper.h"
#include "rootfs/api.h"
#include "worker/interfaces.h"
#include "worker/network.h"

#define IPV6_CONF "/proc/sys/net/ipv6/conf"

/* /run/warden/containers/ID: the claims are in /run/warden/network. @ret_id points into @path. */
static int claims_directory(const char *path, char ret[PATH_MAX], const char **ret_id)
{
        const char *id = strrchr(path, '/'), *parent;

        parent = id && id > path ? memrchr(path, '/', (size_t)(id - path)) : NULL;
        if (!parent ||
            snprintf(ret, PATH_MAX, "%.*s/network", (int)(parent - path), path) >= PATH_MAX)
                return -EINVAL;
        *ret_id = id + 1;
        return 0;
}

/* Before the link is up: a container would otherwise be a router to the host. The switch itself is
 * the only one for IPv6 that has no place in a message to the kernel. */
static int close_six(const NetworkAddresses *addresses, Fault *fault)
{
        char path[sizeof(IPV6_CONF) + NETWORK_INTERFACE_MAX + 32];
        const char *key = addresses->prefix6 ? "accept_ra" : "disable_ipv6";
        int r;

        (void)snprintf(path, sizeof(path), "%s/%s/%s", IPV6_CONF, addresses->interface, key);
        r = io_write_string(AT_FDCWD, path, addresses->prefix6 ? "0" : "1");
        if (r == -ENOENT && !addresses->prefix6)
                return 0;
        if (r == -ENOENT)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EAFNOSUPPORT,
                                 "this kernel has no IPv6, and pool '%s' has", addresses->pool);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot write %s: %m", path) : 0;
}

static int address_host(Netlink *netlink, unsigned index, const NetworkAddresses *addresses,
                        Fault *fault)
{
        int r;

        r = address_add(netlink, index, AF_INET, &addresses->host4, addresses->prefix4, fault);
        if (r < 0 || addresses->prefix6 == 0)
                return r;
        return address_add(netlink, index, AF_INET6, addresses->host6, addresses->prefix6, fault);
}

static int claim(const Plan *plan, Fault *fault)
{
        char directory[PATH_MAX];
        const char *id;
        int r;

        r = claims_directory(plan->runtime_directory, directory, &id);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "'%.200s' is no place for a container",
                                 plan->runtime_directory);
        return forwarding_claim(directory, id, plan->addresses.prefix6 > 0, fault);
}

static int limit(Netlink *netlink, const char *interface, const BandwidthLimits *limits,
                 Fault *fault)
{
        int r = 0;

        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX && r >= 0; i++)
                if (bandwidth_limits_has(limits, (BandwidthDirection)i))
                        r = shaper_apply(netlink, interface, (BandwidthDirection)i, &limits->of[i],
                                         fault);
        return r;
}

static int attach_pair(const Plan *plan, int netns_fd, Fault *fault)
{
        const NetworkAddresses *addresses = &plan->addresses;
        _drop_(drop_netlink) Netlink *netlink = NULL;
        int index, r;

        r = netlink_open(&netlink, fault);
        if (r < 0)
                return r;
        r = link_make_pair(netlink, addresses, plan->interface_name ?: NETWORK_INTERFACE_INSIDE,
                           netns_fd, plan->mtu ?: link_default_mtu(netlink), fault);
        if (r < 0)
                return r;
        r = index = link_find(addresses->interface, fault);
        if (r >= 0)
                r = close_six(addresses, fault);
        if (r >= 0)
                r = link_raise(netlink, (unsigned)index, 1, fault);
        if (r >= 0)
                r = address_host(netlink, (unsigned)index, addresses, fault);
        if (r >= 0)
                r = limit(netlink, addresses->interface, &plan->bandwidth, fault);
        return r < 0 ? r : claim(plan, fault);
}

int network_attach(const Plan *plan, int netns_fd, Fault *fault)
{
        int r = plan->has_addresses ? attach_pair(plan, netns_fd, fault) : 0;

        return r < 0 || !plan->interfaces ? r : interfaces_take(plan, netns_fd, fault);
}

void network_undo(const Plan *plan)
{
        if (plan->interfaces)
                (void)interfaces_return(plan->runtime_directory, plan->interfaces, NULL);
        if (!plan->has_addresses)
                return;
        (void)network_release(plan->runtime_directory);
        if (plan->bandwidth.set)
                (void)network_unlimit(plan->addresses.interface);
}

int network_limit(const char *interface, const BandwidthLimits *limits, Fault *fault)
{
        _drop_(drop_netlink) Netlink *netlink = NULL;
        int r = netlink_open(&netlink, fault);

        return r < 0 ? r : limit(netlink, interface, limits, fault);
}

static int is_known(char *const *directories, const char *id)
{
        char path[PATH_MAX];

        for (; *directories; directories++) {
                (void)snprintf(path, sizeof(path), "%s/containers/%s", *directories, id);
                if (access(path, F_OK) >= 0)
                        return 1;
        }
        return 0;
}

/* A device whose pair there is is somebody's, perhaps of a daemon with other directories. An id is
 * not used again. */
void network_remove_leftovers(char *const *directories)
{
        struct if_nameindex *list = if_nameindex();

        for (struct if_nameindex *p = list; p && p->if_index; p++) {
                char pair[NETWORK_INTERFACE_MAX];

                if (strncmp(p->if_name, "i-", 2) != 0 || !id_is_valid(p->if_name + 2) ||
                    is_known(directories, p->if_name + 2))
                        continue;
                (void)snprintf(pair, sizeof(pair), "w%s", p->if_name + 1);
                if (interface_index(pair) == -ENODEV)
                        (void)network_unlimit(pair);
        }
        if_freenameindex(list);
}

int network_unlimit(const char *interface)
{
        _drop_(drop_netlink) Netlink *netlink = NULL;
        int r = netlink_open(&netlink, NULL);

        return r < 0 ? r : shaper_remove(netlink, interface);
}

int network_release(const char *runtime_directory)
{
        char directory[PATH_MAX];
        const char *id;
        int r;

        r = claims_directory(runtime_directory, directory, &id);
        return r < 0 ? r : forwarding_release(directory, id);
}

int network_settle(const char *directory)
{
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/network", directory) >= (int)sizeof(path))
                return -ENAMETOOLONG;
        return forwarding_settle(path);
}

int network_join(const Plan *plan, int *ret_sys_fd, Fault *fault)
{
        const char *path = plan->network_target;
        _drop_(drop_fd) int fd = -EBADF;

        /* Somebody's path: it may be a pipe, which must not keep us. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return fault_set(fault, errno == ENOENT ? FAULT_NOT_FOUND : FAULT_FAILED, -errno,
                                 "cannot open '%.200s': %m", path);
        if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "'%.200s' is not a network namespace", path);
        if (setns(fd, CLONE_NEWNET) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot enter '%.200s': %m", path);
        return sys_new(ret_sys_fd, fault);
}
