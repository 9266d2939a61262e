/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rootfs/mount.h"
#include "rootfs/pivot.h"
#include "rootfs/syscalls.h"

int pivot_to_empty(Fault *fault)
{
        /* For everybody: it is made when the user namespace has no users yet, who then need to put
         * directories in it. Nobody else ever sees it. */
        const MountOption options[] = { { "mode", "777" }, { "nr_inodes", "8" }, { NULL, NULL } };
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        /* With a user namespace the kernel has done this when it copied the mounts; without one
         * what we do here would else happen to the host as well. */
        if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make mounts private: %m");
        r = mount_new("tmpfs", options, MOUNT_ATTR_API, &fd, fault);
        if (r < 0)
                return r;
        r = mount_attach(fd, AT_FDCWD, "/");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot attach: %m");
        if (fchdir(fd) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot enter: %m");
        return pivot_to_working_directory(fault);
}

/* With "." for both places the old root ends up mounted on top of the new one, so that no directory
 * is needed for it, and "." as the place to unmount is what lies on top. */
int pivot_to_working_directory(Fault *fault)
{
        if (sys_pivot_root(".", ".") < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "pivot_root: %m");
        if (umount2(".", MNT_DETACH) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot let go of old mounts: %m");
        if (chdir("/") < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot enter: %m");
        return 0;
}
