/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "basic/fd.h"
#include "rootfs/bind.h"
#include "rootfs/mount.h"
#include "rootfs/path.h"
#include "rootfs/syscalls.h"

static uint64_t bind_attributes(const BindMount *bind)
{
        uint64_t attributes = 0;

        if (bind->is_read_only)
                attributes |= MOUNT_ATTR_RDONLY;
        if (bind->is_nosuid)
                attributes |= MOUNT_ATTR_NOSUID;
        if (bind->is_nodev)
                attributes |= MOUNT_ATTR_NODEV;
        if (bind->is_noexec)
                attributes |= MOUNT_ATTR_NOEXEC;
        return attributes;
}

int bind_open(const BindMount *bind, int user_fd, int *ret_fd, Fault *fault)
{
        _drop_(drop_fd) int source_fd = -EBADF, fd = -EBADF;
        int is_idmapped = bind->is_idmapped && user_fd >= 0;
        int r;

        source_fd = sys_openat2(AT_FDCWD, bind->source, O_PATH, RESOLVE_NO_MAGICLINKS);
        if (source_fd < 0)
                return fault_set(fault, errno == ENOENT ? FAULT_NOT_FOUND : FAULT_FAILED, -errno,
                                 "cannot open '%.200s': %m", bind->source);
        r = mount_copy(source_fd, "", bind->is_recursive, &fd);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot copy '%.200s': %m", bind->source);
        r = mount_change(fd, bind->is_recursive, bind_attributes(bind),
                         is_idmapped ? user_fd : -EBADF);
        if (r == -EINVAL && is_idmapped)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 "a file system at '%.200s' cannot shift owners (idmap)",
                                 bind->source);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot set the options of '%.200s': %m",
                                 bind->source);
        *ret_fd = take_fd(&fd);
        return 0;
}

/* A file below a procfs that is not what it seems has let programs write to other files of it, and
 * a mount there can uncover what is masked. */
static int destination_check(int fd, const char *path, Fault *fault)
{
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot look at '%.200s': %m", path);
        if (fs.f_type == PROC_SUPER_MAGIC)
                return fault_set(fault, FAULT_INVALID, -EPERM,
                                 "'%.200s' is in /proc, where nothing may be mounted", path);
        return 0;
}

static int extra_attach(int mount_fd, int destination_fd, const char *path, Fault *fault)
{
        int r;

        r = destination_check(destination_fd, path, fault);
        if (r < 0)
                return r;
        r = mount_attach(mount_fd, destination_fd, "");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot attach to '%.200s': %m", path);
        return 0;
}

int bind_attach(const BindMount *bind, int mount_fd, int root_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        struct stat st;
        int r;

        if (fstat(mount_fd, &st) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot look at '%.200s': %m",
                                 bind->source);
        if (S_ISDIR(st.st_mode))
                r = in_root_make_directory(root_fd, bind->destination, &fd, fault);
        else
                r = in_root_make_file(root_fd, bind->destination, &fd, fault);
        if (r < 0)
                return r;
        return extra_attach(mount_fd, fd, bind->destination, fault);
}

int tmpfs_attach(const TmpfsMount *tmpfs, int root_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF, mount_fd = -EBADF;
        char mode[16], size[32];
        const MountOption options[] = {
                { "mode", mode },
                { tmpfs->size_bytes > 0 ? "size" : NULL, size },
                { NULL, NULL },
        };
        uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        int r;

        (void)snprintf(mode, sizeof(mode), "%o", (unsigned)tmpfs->mode);
        (void)snprintf(size, sizeof(size), "%" PRIu64, tmpfs->size_bytes);
        if (!tmpfs->is_exec)
                attributes |= MOUNT_ATTR_NOEXEC;
        if (tmpfs->is_read_only)
                attributes |= MOUNT_ATTR_RDONLY;
        r = mount_new("tmpfs", options, attributes, &mount_fd, fault);
        if (r < 0)
                return r;
        r = in_root_make_directory(root_fd, tmpfs->destination, &fd, fault);
        if (r < 0)
                return r;
        return extra_attach(mount_fd, fd, tmpfs->destination, fault);
}

static int extra_mount_compare(const void *a, const void *b)
{
        const ExtraMount *x = a, *y = b;

        return strcmp(x->destination, y->destination);
}

/* A path is a prefix of all that lies below it, and a prefix sorts first. */
void extra_mounts_sort(const BindMount *binds, size_t n_binds, const TmpfsMount *tmpfs,
                       size_t n_tmpfs, ExtraMount *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < n_binds; i++)
                ret[n++] = (ExtraMount){ .destination = binds[i].destination,
                                         .bind = &binds[i],
                                         .index = i };
        for (size_t i = 0; i < n_tmpfs; i++)
                ret[n++] = (ExtraMount){ .destination = tmpfs[i].destination,
                                         .tmpfs = &tmpfs[i],
                                         .index = i };
        qsort(ret, n, sizeof(*ret), extra_mount_compare);
}
