/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/api.h"
#include "rootfs/mount.h"

int proc_new(int *ret_fd, Fault *fault)
{
        return mount_new("proc", NULL, MOUNT_ATTR_API, ret_fd, fault);
}

int sys_new(int *ret_fd, Fault *fault)
{
        return mount_new("sysfs", NULL, MOUNT_ATTR_API | MOUNT_ATTR_RDONLY, ret_fd, fault);
}

int sys_copy(int *ret_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = mount_copy(AT_FDCWD, "/sys", 0, &fd);
        if (r >= 0)
                r = mount_change(fd, 0, MOUNT_ATTR_API | MOUNT_ATTR_RDONLY, -EBADF);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot copy /sys of the host: %m");
        *ret_fd = take_fd(&fd);
        return 0;
}

/* What stands in the way, after the kernel refused to mount there. */
static int attach_fault(int root_fd, const char *name, int error, Fault *fault)
{
        struct stat st;

        if (fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0) {
                if (S_ISLNK(st.st_mode))
                        return fault_set(fault, FAULT_INVALID, -ELOOP,
                                         "/%s of the root directory is a symbolic link", name);
                if (!S_ISDIR(st.st_mode))
                        return fault_set(fault, FAULT_INVALID, -ENOTDIR,
                                         "/%s of the root directory is not a directory", name);
        }
        return fault_set(fault, FAULT_FAILED, error, "cannot attach: %m");
}

int api_attach(int root_fd, const char *name, int mount_fd, Fault *fault)
{
        int r;

        /* One component, and a link at its end is not followed: this cannot leave the root. */
        r = mount_attach(mount_fd, root_fd, name);
        if (r == -ENOENT && mkdirat(root_fd, name, 0755) >= 0)
                r = mount_attach(mount_fd, root_fd, name);
        if (r < 0)
                return attach_fault(root_fd, name, r, fault);
        return 0;
}

static int write_new_file(int dir_fd, const char *name, const char *line, Fault *fault)
{
        _drop_(drop_fd) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                        0444);
        char text[128];
        int n = snprintf(text, sizeof(text), "%s\n", line);

        if (fd < 0 || n < 0 || (size_t)n >= sizeof(text) || io_write_full(fd, text, (size_t)n) < 0)
                return fault_set(fault, FAULT_FAILED, fd < 0 ? -errno : -EIO,
                                 "cannot write '%s': %m", name);
        return 0;
}

static int run_host_fill(int fd, const char *uuid, Fault *fault)
{
        static const struct {
                const char *name;
                mode_t mode;
        } nodes[] = {
                { "inaccessible/reg", S_IFREG },
                { "inaccessible/fifo", S_IFIFO },
                { "inaccessible/sock", S_IFSOCK },
        };
        int r;

        r = write_new_file(fd, "container-manager", "warden", fault);
        if (r < 0)
                return r;
        r = write_new_file(fd, "container-uuid", uuid, fault);
        if (r < 0)
                return r;
        if (mkdirat(fd, "inaccessible", 0755) < 0 || mkdirat(fd, RUN_HOST_EMPTY, 0) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make '%s': %m",
                                 RUN_HOST_EMPTY);
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++)
                if (mknodat(fd, nodes[i].name, nodes[i].mode, 0) < 0)
                        return fault_set(fault, FAULT_FAILED, -errno, "cannot make '%s': %m",
                                         nodes[i].name);
        return 0;
}

void run_done(Run *run)
{
        fd_close(run->fd);
        fd_close(run->host_fd);
        *run = RUN_INIT;
}

int run_new(const char *uuid, Run *ret, Fault *fault)
{
        const MountOption run_options[] = { { "mode", "755" }, { "size", "20%" }, { NULL, NULL } };
        const MountOption host_options[] = {
                { "mode", "755" }, { "size", "64k" }, { "nr_inodes", "64" }, { NULL, NULL }
        };
        _drop_(run_done) Run run = RUN_INIT;
        int r;

        r = mount_new("tmpfs", run_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &run.fd, fault);
        if (r < 0)
                return r;
        if (mkdirat(run.fd, "host", 0755) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make 'host': %m");
        r = mount_new("tmpfs", host_options, MOUNT_ATTR_API, &run.host_fd, fault);
        if (r < 0)
                return r;
        r = run_host_fill(run.host_fd, uuid, fault);
        if (r < 0)
                return r;
        r = mount_change(run.host_fd, 0, MOUNT_ATTR_RDONLY, -EBADF);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot make 'host' read-only: %m");
        *ret = run;
        run = RUN_INIT;
        return 0;
}

int run_attach(const Run *run, int root_fd, Fault *fault)
{
        int r;

        r = api_attach(root_fd, "run", run->fd, fault);
        if (r < 0)
                return r;
        r = mount_attach(run->host_fd, run->fd, "host");
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot attach 'host': %m") : 0;
}
