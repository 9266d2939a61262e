/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/quota.h>

#include "quota/quota.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

/* Not in every libc's copy of the kernel's headers. */
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

#define PROJECT_COMMAND(command) ((unsigned)QCMD(command, PRJQUOTA))

/* Since 5.14: by a file instead of by the block device, which need not be in any /dev. */
static int quota_call(int dir_fd, unsigned command, uint32_t id, void *data)
{
        return syscall(SYS_quotactl_fd, dir_fd, command, id, data) < 0 ? -errno : 0;
}

/* The way there is the file system's: what it lacks has to be made good where it is made, or where
 * it is mounted. */
static const char *quota_remedy(int dir_fd, int is_counted)
{
        struct statfs st = { .f_type = 0 };

        (void)fstatfs(dir_fd, &st);
        if (is_counted || (uint32_t)st.f_type == XFS_SUPER_MAGIC)
                return "is mounted without the option prjquota";
        if (st.f_type == EXT4_SUPER_MAGIC)
                return "has no project quota: make it with mkfs.ext4 -O quota,project (or, "
                       "unmounted, tune2fs -O quota,project -Q prjquota) and mount it with the "
                       "option prjquota";
        return "has no project quota: ext4 (made with -O quota,project) and XFS have, when mounted "
               "with the option prjquota";
}

int quota_check(int dir_fd, const char *path, Fault *fault)
{
        struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };
        int r;

        r = quota_call(dir_fd, PROJECT_COMMAND(Q_XGETQSTATV), 0, &state);
        if (r >= 0 && state.qs_flags & FS_QUOTA_PDQ_ENFD)
                return 0;
        return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                         "DiskMax, DiskInodesMax: the file system of %.100s %s; or use Storage "
                         "'loop' or 'tmpfs'",
                         path, quota_remedy(dir_fd, r >= 0 && state.qs_flags & FS_QUOTA_PDQ_ACCT));
}

int quota_set_project(int dir_fd, uint32_t id)
{
        struct fsxattr attributes;

        if (ioctl(dir_fd, FS_IOC_FSGETXATTR, &attributes) < 0)
                return -errno;
        attributes.fsx_projid = id;
        attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
        return ioctl(dir_fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? -errno : 0;
}

int quota_get_project(int dir_fd, uint32_t *ret_id)
{
        struct fsxattr attributes;

        if (ioctl(dir_fd, FS_IOC_FSGETXATTR, &attributes) < 0)
                return -errno;
        *ret_id = attributes.fsx_projid;
        return 0;
}

int quota_set_limits(int dir_fd, uint32_t id, uint64_t bytes, uint64_t inodes)
{
        struct if_dqblk block = {
                /* 0 is none to the kernel. */
                .dqb_bhardlimit = bytes == UINT64_MAX ? 0 : bytes >> QIF_DQBLKSIZE_BITS,
                .dqb_ihardlimit = inodes == UINT64_MAX ? 0 : inodes,
                .dqb_valid = QIF_LIMITS,
        };

        return quota_call(dir_fd, PROJECT_COMMAND(Q_SETQUOTA), id, &block);
}

int quota_get_usage(int dir_fd, uint32_t id, QuotaUsage *ret)
{
        struct if_dqblk block = { .dqb_valid = 0 };
        int r;

        r = quota_call(dir_fd, PROJECT_COMMAND(Q_GETQUOTA), id, &block);
        if (r == -ENOENT) /* XFS of one that it does not know */
                r = 0;
        if (r < 0)
                return r;
        *ret = (QuotaUsage){ .bytes = block.dqb_curspace, .inodes = block.dqb_curinodes };
        return 0;
}
