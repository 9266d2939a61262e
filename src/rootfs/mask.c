/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "rootfs/api.h"
#include "rootfs/mask.h"
#include "rootfs/mount.h"

static const char *const proc_masked[] = {
        "acpi",        "asound", "kcore",      "keys",        "latency_stats",
        "sched_debug", "scsi",   "timer_list", "timer_stats",
};

static const char *const sys_masked[] = { "firmware", "devices/virtual/powercap" };

static const char *const proc_read_only[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };

static int mask_fault(const char *base, const char *name, int error, Fault *fault)
{
        return fault_set(fault, FAULT_FAILED, error, "%s/%s: %m", base, name);
}

/* The names are the kernel's own, in file systems that nobody but us has seen yet: there is no link
 * to fall for. */
static int hide(int dir_fd, const char *base, const char *name, int null_fd, int host_fd,
                Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        struct stat st;
        int r;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : mask_fault(base, name, -errno, fault);
        if (S_ISDIR(st.st_mode))
                r = mount_copy(host_fd, RUN_HOST_EMPTY, 0, &fd);
        else
                r = mount_copy(null_fd, "", 0, &fd);
        if (r >= 0)
                r = mount_attach(fd, dir_fd, name);
        return r < 0 ? mask_fault(base, name, r, fault) : 0;
}

static int make_read_only(int dir_fd, const char *base, const char *name, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = mount_copy(dir_fd, name, 0, &fd);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = mount_change(fd, 0, MOUNT_ATTR_RDONLY, -EBADF);
        if (r >= 0)
                r = mount_attach(fd, dir_fd, name);
        return r < 0 ? mask_fault(base, name, r, fault) : 0;
}

int mask_apply(int proc_fd, int sys_fd, int null_fd, int host_fd, Fault *fault)
{
        int r;

        for (size_t i = 0; i < ELEMENTSOF(proc_masked); i++) {
                r = hide(proc_fd, "/proc", proc_masked[i], null_fd, host_fd, fault);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(sys_masked); i++) {
                r = hide(sys_fd, "/sys", sys_masked[i], null_fd, host_fd, fault);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(proc_read_only); i++) {
                r = make_read_only(proc_fd, "/proc", proc_read_only[i], fault);
                if (r < 0)
                        return r;
        }
        return 0;
}
