/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/mount.h"
#include "rootfs/overlay.h"

/* In the empty root. */
#define STAGE_LAYER "layer"
#define STAGE_LOWER "lower"

static int make_layer_directory(const char *path, int *ret_is_new)
{
        char parent[PATH_MAX];
        const char *slash = strrchr(path, '/');
        int r;

        *ret_is_new = 1;
        if (mkdir(path, 0700) >= 0)
                return 0;
        if (errno == EEXIST) {
                *ret_is_new = 0;
                return 0;
        }
        if (errno != ENOENT || !slash || slash == path || (size_t)(slash - path) >= sizeof(parent))
                return -errno;
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = 0;
        r = io_mkdir_parents(parent, 0700);
        if (r < 0)
                return r;
        return mkdir(path, 0700) < 0 ? -errno : 0;
}

static int make_upper(int layer_fd, int root_fd, Fault *fault)
{
        struct stat st;

        if (mkdirat(layer_fd, "upper", 0755) < 0)
                return errno == EEXIST ? 0
                                       : fault_set(fault, FAULT_FAILED, -errno,
                                                   "cannot make upper directory: %m");
        if (fstat(root_fd, &st) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "cannot look at the root directory: %m");
        if ((st.st_uid != 0 || st.st_gid != 0) &&
            fchownat(layer_fd, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot own upper directory: %m");
        if ((st.st_mode & 07777) != 0755 && fchmodat(layer_fd, "upper", st.st_mode & 07777, 0) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "cannot set mode of upper directory: %m");
        return 0;
}

/* Left by the last mount (see overlay_mount()), so that a layer is not used again after a crash of
 * the host. There was none: the page cache has it all. */
static int forget_volatile(int layer_fd)
{
        if (unlinkat(layer_fd, "work/work/incompat/volatile/dirty", 0) < 0 ||
            unlinkat(layer_fd, "work/work/incompat/volatile", AT_REMOVEDIR) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 0;
}

int layer_fill(int layer_fd, int root_fd, Fault *fault)
{
        int r;

        r = make_upper(layer_fd, root_fd, fault);
        if (r < 0)
                return r;
        if (mkdirat(layer_fd, "work", 0700) < 0 && errno != EEXIST)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make work directory: %m");
        r = forget_volatile(layer_fd);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot use the layer again: %m");
        return 0;
}

int layer_open(const char *path, int *ret_fd, int *ret_is_new, Fault *fault)
{
        int fd, is_new, r;

        r = make_layer_directory(path, &is_new);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot make '%.200s': %m", path);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) {
                r = fault_set(fault, FAULT_FAILED, -errno, "cannot open '%.200s': %m", path);
                if (is_new)
                        (void)layer_remove(path);
                return r;
        }
        *ret_fd = fd;
        *ret_is_new = is_new;
        return 0;
}

int layer_remove(const char *path)
{
        return io_remove_tree(AT_FDCWD, path);
}

/* An overlay in a user namespace keeps its marks in user.* attributes, which a tmpfs has since 6.6.
 * Without them it would mount, and fail later at some removals of directories. */
static int check_attributes(int layer_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = openat(layer_fd, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 && fsetxattr(fd, "user.warden", "", 0, 0) >= 0)
                return 0;
        if (fd >= 0 && errno == EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "Storage 'tmpfs' with PrivateUsers needs a kernel whose tmpfs "
                                 "has user attributes (6.6); use Storage 'loop'");
        return fault_set(fault, FAULT_FAILED, -errno, "cannot set an attribute: %m");
}

int layer_new_tmpfs(const DiskLimits *disk, int root_fd, int is_user, int *ret_fd, Fault *fault)
{
        char size[24], inodes[24];
        MountOption options[4] = { { "mode", "700" } };
        _drop_(drop_fd) int fd = -EBADF;
        size_t n = 1;
        int r;

        (void)snprintf(size, sizeof(size), "%" PRIu64, disk->bytes);
        (void)snprintf(inodes, sizeof(inodes), "%" PRIu64, disk->inodes);
        if (disk->bytes != UINT64_MAX)
                options[n++] = (MountOption){ "size", size };
        if (disk->inodes != UINT64_MAX)
                options[n++] = (MountOption){ "nr_inodes", inodes };
        options[n] = (MountOption){ NULL, NULL };
        r = mount_new("tmpfs", options, MOUNT_ATTR_NODEV, &fd, fault);
        if (r >= 0)
                r = layer_fill(fd, root_fd, fault);
        if (r >= 0 && is_user)
                r = check_attributes(fd, fault);
        if (r < 0)
                return r;
        *ret_fd = take_fd(&fd);
        return 0;
}

int layer_shift(int mount_fd, int is_lower, int user_fd, Fault *fault)
{
        int r;

        r = mount_change(mount_fd, 0, is_lower ? MOUNT_ATTR_RDONLY : 0, user_fd);
        if (r == -EINVAL && user_fd >= 0)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 "the file system cannot shift owners (idmapped mounts)");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot shift the owners: %m");
        return 0;
}

int layer_mount(int dir_fd, int is_lower, int user_fd, int *ret_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = mount_copy(dir_fd, "", 0, &fd);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot copy the mount: %m");
        r = layer_shift(fd, is_lower, user_fd, fault);
        if (r < 0)
                return r;
        *ret_fd = take_fd(&fd);
        return 0;
}

/* The layers are named relative to the working directory, so that the container's own mountinfo,
 * which quotes these options, says nothing about the host. Device nodes of the image stay dead:
 * those of /dev are mounts of their own.
 *
 * volatile: a layer never outlives the boot, since the state that says whose it is is in /run. So
 * nothing is gained by writing it to the disk in time, and much is lost: each end of a container,
 * and each sync in one, would wait for all that the host has not written yet. */
int overlay_mount(int layer_fd, int lower_fd, int is_user, int *ret_fd, Fault *fault)
{
        const MountOption options[] = {
                { "lowerdir", STAGE_LOWER },
                { "upperdir", STAGE_LAYER "/upper" },
                { "workdir", STAGE_LAYER "/work" },
                { "volatile", NULL },
                /* A user namespace has no trusted.* attributes to keep whiteouts in. */
                { is_user ? "userxattr" : NULL, NULL },
                { NULL, NULL },
        };
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        if (mkdir(STAGE_LAYER, 0700) < 0 || mkdir(STAGE_LOWER, 0700) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make a directory: %m");
        r = mount_attach(layer_fd, AT_FDCWD, STAGE_LAYER);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot attach the layer: %m");
        r = mount_attach(lower_fd, AT_FDCWD, STAGE_LOWER);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot attach the root directory: %m");
        r = mount_new("overlay", options, MOUNT_ATTR_NODEV, &fd, fault);
        if (r < 0)
                return r;
        r = mount_attach(fd, AT_FDCWD, "/");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot attach the overlay: %m");
        if (fchdir(fd) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot enter the overlay: %m");
        *ret_fd = take_fd(&fd);
        return 0;
}
