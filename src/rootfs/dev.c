/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rootfs/api.h"
#include "rootfs/dev.h"
#include "rootfs/mount.h"

#define DEV_SIZE "4m"
#define DEV_INODES "16k"

static const struct {
        const char *name;
        unsigned major, minor;
} node_table[_DEV_NODE_MAX] = {
        [DEV_NULL] = { "null", 1, 3 },       [DEV_ZERO] = { "zero", 1, 5 },
        [DEV_FULL] = { "full", 1, 7 },       [DEV_RANDOM] = { "random", 1, 8 },
        [DEV_URANDOM] = { "urandom", 1, 9 }, [DEV_TTY] = { "tty", 5, 0 },
};

static const struct {
        const char *name, *target;
} link_table[] = {
        { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
        { "ptmx", "pts/ptmx" },
};

const char *dev_node_to_string(DevNode node)
{
        return node >= 0 && node < _DEV_NODE_MAX ? node_table[node].name : NULL;
}

void dev_nodes_done(DevNodes *nodes)
{
        for (int i = 0; i < _DEV_NODE_MAX; i++)
                nodes->fds[i] = fd_close(nodes->fds[i]);
}

static int node_open(int dir_fd, DevNode node, int *ret_fd, Fault *fault)
{
        const char *name = node_table[node].name;
        _drop_(drop_fd) int fd = openat(dir_fd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open /dev/%s: %m", name);
        if (!S_ISCHR(st.st_mode) ||
            st.st_rdev != makedev(node_table[node].major, node_table[node].minor))
                return fault_set(fault, FAULT_FAILED, -ENODEV,
                                 "/dev/%s of the host is not that device", name);
        *ret_fd = take_fd(&fd);
        return 0;
}

int dev_nodes_open(DevNodes *ret, Fault *fault)
{
        _drop_(drop_fd) int dir_fd = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _drop_(dev_nodes_done) DevNodes nodes = DEV_NODES_INIT;

        if (dir_fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open /dev: %m");
        for (int i = 0; i < _DEV_NODE_MAX; i++) {
                int r = node_open(dir_fd, (DevNode)i, &nodes.fds[i], fault);

                if (r < 0)
                        return r;
        }
        *ret = nodes;
        nodes = DEV_NODES_INIT;
        return 0;
}

int dev_nodes_copy(const DevNodes *nodes, DevNodes *ret, Fault *fault)
{
        _drop_(dev_nodes_done) DevNodes mounts = DEV_NODES_INIT;

        for (int i = 0; i < _DEV_NODE_MAX; i++) {
                int r = mount_copy(nodes->fds[i], "", 0, &mounts.fds[i]);

                if (r >= 0)
                        r = mount_change(mounts.fds[i], 0, 0, -EBADF);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "cannot copy /dev/%s: %m",
                                         node_table[i].name);
        }
        *ret = mounts;
        mounts = DEV_NODES_INIT;
        return 0;
}

/* Everything that does not depend on being attached. */
static int dev_fill(int dev_fd, Fault *fault)
{
        static const struct {
                const char *name;
                mode_t mode;
        } directories[] = { { "pts", 0755 }, { "shm", 01777 }, { "mqueue", 01777 } };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(dev_fd, directories[i].name, directories[i].mode) < 0)
                        return fault_set(fault, FAULT_FAILED, -errno, "cannot make '%s': %m",
                                         directories[i].name);
        for (size_t i = 0; i < ELEMENTSOF(link_table); i++)
                if (symlinkat(link_table[i].target, dev_fd, link_table[i].name) < 0)
                        return fault_set(fault, FAULT_FAILED, -errno, "cannot link '%s': %m",
                                         link_table[i].name);
        for (size_t i = 0; i < _DEV_NODE_MAX; i++)
                if (mknodat(dev_fd, node_table[i].name, S_IFREG | 0644, 0) < 0)
                        return fault_set(fault, FAULT_FAILED, -errno, "cannot make '%s': %m",
                                         node_table[i].name);
        return 0;
}

void dev_done(Dev *dev)
{
        fd_close(dev->fd);
        fd_close(dev->pts_fd);
        fd_close(dev->shm_fd);
        fd_close(dev->mqueue_fd);
        *dev = DEV_INIT;
}

static int dev_make(int has_tty_group, Dev *dev, Fault *fault)
{
        const MountOption options[] = {
                { "mode", "755" },
                { "size", DEV_SIZE },
                { "nr_inodes", DEV_INODES },
                { NULL, NULL },
        };
        const MountOption shm[] = { { "mode", "1777" }, { NULL, NULL } };
        const MountOption pts[] = {
                { "newinstance", NULL }, { "ptmxmode", "0666" },
                { "mode", "0620" },      { has_tty_group ? "gid" : NULL, "5" },
                { NULL, NULL },
        };
        int r;

        r = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &dev->fd, fault);
        if (r < 0)
                return r;
        r = dev_fill(dev->fd, fault);
        if (r < 0)
                return r;
        r = mount_new("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &dev->pts_fd, fault);
        if (r < 0)
                return r;
        r = mount_new("tmpfs", shm, MOUNT_ATTR_API, &dev->shm_fd, fault);
        if (r < 0)
                return r;
        return mount_new("mqueue", NULL, MOUNT_ATTR_API, &dev->mqueue_fd, fault);
}

int dev_new(int has_tty_group, Dev *ret, Fault *fault)
{
        _drop_(dev_done) Dev dev = DEV_INIT;
        int r;

        r = dev_make(has_tty_group, &dev, fault);
        if (r < 0)
                return r;
        *ret = dev;
        dev = DEV_INIT;
        return 0;
}

int dev_attach(const Dev *dev, const DevNodes *mounts, int root_fd, Fault *fault)
{
        const struct {
                const char *name;
                int fd;
        } others[] = { { "pts", dev->pts_fd },
                       { "shm", dev->shm_fd },
                       { "mqueue", dev->mqueue_fd } };
        int r;

        r = api_attach(root_fd, "dev", dev->fd, fault);
        if (r < 0)
                return r;
        for (size_t i = 0; i < _DEV_NODE_MAX; i++) {
                r = mount_attach(mounts->fds[i], dev->fd, node_table[i].name);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "cannot attach '%s': %m",
                                         node_table[i].name);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                r = mount_attach(others[i].fd, dev->fd, others[i].name);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "cannot attach '%s': %m",
                                         others[i].name);
        }
        return 0;
}
