/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who administers the network inside could rename interfaces, and make others of the same names. So
 * they are known by their index in there, which is chosen when they are moved, far from those that
 * the kernel gives, and stays. */

#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/interface.h"
#include "network/link.h"
#include "network/netlink.h"
#include "worker/interfaces.h"

#define INDEX_BASE (1 << 20)
#define HOST_MOUNTS "/proc/1/ns/mnt"
#define OWN_MOUNTS "/proc/self/ns/mnt"
#define OWN_NETWORK "/proc/self/ns/net"
#define SPARE_NAME "dev%d"
#define NO_INTERFACE "Interfaces: the host has no interface '%s'"

/* The daemon's own mounts, in which we are, end with it. */
static int enter_mounts(int *ret_own_fd, Fault *fault)
{
        _drop_(drop_fd) int own_fd = open(OWN_MOUNTS, O_RDONLY | O_CLOEXEC);
        _drop_(drop_fd) int fd = open(HOST_MOUNTS, O_RDONLY | O_CLOEXEC);

        if (own_fd < 0 || fd < 0 || setns(fd, CLONE_NEWNS) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot enter the host's mounts: %m");
        *ret_own_fd = take_fd(&own_fd);
        return 0;
}

static void leave_mounts(int own_fd)
{
        (void)setns(own_fd, CLONE_NEWNS);
        fd_close(own_fd);
}

static int hold_path(const char *runtime_directory, char ret[PATH_MAX])
{
        int n = snprintf(ret, PATH_MAX, "%s/netns", runtime_directory);

        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int hold(const char *path, int netns_fd, Fault *fault)
{
        _drop_(drop_fd) int file_fd = -EBADF;
        char source[32];
        int own_fd, r;

        (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", netns_fd);
        r = enter_mounts(&own_fd, fault);
        if (r < 0)
                return r;
        file_fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
        if (file_fd < 0 || mount(source, path, NULL, MS_BIND, NULL) < 0)
                r = fault_set(fault, FAULT_FAILED, -errno, "cannot mount %s: %m", path);
        leave_mounts(own_fd);
        return r;
}

static int check(Netlink *netlink, const char *name, Fault *fault)
{
        static const struct {
                int family;
                const char *name;
        } families[] = { { AF_INET, "IPv4" }, { AF_INET6, "IPv6" } };
        int index = interface_index(name);

        if (index < 0)
                return fault_set(fault, FAULT_NOT_FOUND, -ENODEV, NO_INTERFACE, name);
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (index == link_default(netlink, families[i].family))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Interfaces: the host's default route (%s) goes through "
                                         "'%s'",
                                         families[i].name, name);
        return 0;
}

int interfaces_take(const Plan *plan, int netns_fd, Fault *fault)
{
        _drop_(drop_netlink) Netlink *netlink = NULL;
        char path[PATH_MAX];
        int r;

        r = netlink_open(&netlink, fault);
        for (char **p = plan->interfaces; *p && r >= 0; p++)
                r = check(netlink, *p, fault);
        if (r >= 0)
                r = hold_path(plan->runtime_directory, path);
        if (r >= 0)
                r = hold(path, netns_fd, fault);
        for (int i = 0; r >= 0 && plan->interfaces[i]; i++) {
                const char *name = plan->interfaces[i];
                int index = interface_index(name);

                /* It may have vanished since it was checked. */
                r = index > 0 ? link_move(netlink, (unsigned)index, netns_fd, NULL, INDEX_BASE + i)
                              : -ENODEV;
                if (r == -ENODEV)
                        (void)fault_set(fault, FAULT_NOT_FOUND, r, NO_INTERFACE, name);
                else if (r < 0)
                        (void)fault_set(fault, FAULT_FAILED, r,
                                        "Interfaces: '%s' cannot be moved: %m", name);
        }
        return r;
}

static int return_one(Netlink *netlink, int index, const char *name, int host_fd, Fault *fault)
{
        int r;

        r = link_move(netlink, (unsigned)index, host_fd, name, 0);
        if (r == -EEXIST)
                r = link_move(netlink, (unsigned)index, host_fd, SPARE_NAME, 0);
        /* It has vanished in there, as one of a pair does with the other. */
        if (r == -ENODEV)
                return 0;
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot give '%s' back to the host: %m",
                                 name)
                     : 0;
}

/* The socket is of the namespace that it was opened in. */
static int return_all(int netns_fd, char *const *names, Fault *fault)
{
        _drop_(drop_fd) int host_fd = open(OWN_NETWORK, O_RDONLY | O_CLOEXEC);
        _drop_(drop_netlink) Netlink *netlink = NULL;
        int r;

        if (host_fd < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot enter the namespace: %m");
        r = netlink_open(&netlink, fault);
        for (int i = 0; netlink && names[i]; i++) {
                int k = return_one(netlink, INDEX_BASE + i, names[i], host_fd, fault);

                r = r < 0 ? r : k;
        }
        if (setns(host_fd, CLONE_NEWNET) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot leave the namespace: %m");
        return r;
}

int interfaces_return(const char *runtime_directory, char *const *names, Fault *fault)
{
        _drop_(drop_fd) int netns_fd = -EBADF;
        char path[PATH_MAX];
        int own_fd, r;

        r = hold_path(runtime_directory, path);
        if (r >= 0)
                r = enter_mounts(&own_fd, fault);
        if (r < 0)
                return r;
        netns_fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        /* Without the mount it is an empty file, of somebody who was killed between the two. */
        if (netns_fd >= 0 && ioctl(netns_fd, NS_GET_NSTYPE) == CLONE_NEWNET)
                r = return_all(netns_fd, names, fault);
        if (netns_fd >= 0) {
                (void)umount2(path, MNT_DETACH);
                (void)unlink(path);
        }
        leave_mounts(own_fd);
        return r;
}
