/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The device nodes are our own, on a small tmpfs that nobody else sees: a node in /dev is made by
 * devtmpfs or udev, when they come to it, and not at all where /dev is somebody's choice of nodes.
 *
 * What is mounted in the image is a container's layer, which never outlives the boot. So it has no
 * journal, and nothing waits for a disk: what the container has synced is in the host's page cache,
 * which is why the device does not go around it either. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/loop.h>
#include <linux/major.h>

#include "basic/fd.h"
#include "basic/parse.h"
#include "rootfs/loop.h"
#include "rootfs/mount.h"

#define ATTEMPTS_MAX 64   /* others take devices at the same time */
#define SECTOR_BYTES 4096 /* of ext4's blocks; a disk's 512 would only be put together again */
#define MISC_LOOP_CONTROL 237

/* Opens a block or character device by a node that is gone again when this returns. */
static int node_open(mode_t type, dev_t device, int *ret_fd)
{
        const MountOption options[] = { { "mode", "700" }, { "nr_inodes", "4" }, { NULL, NULL } };
        _drop_(drop_fd) int mount_fd = -EBADF;
        int fd, r;

        r = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &mount_fd, NULL);
        if (r < 0)
                return r;
        if (mknodat(mount_fd, "node", type | 0600, device) < 0)
                return -errno;
        fd = openat(mount_fd, "node", O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static int device_open(unsigned number, int *ret_fd)
{
        return node_open(S_IFBLK, makedev(LOOP_MAJOR, number), ret_fd);
}

/* Opened, a device stays as it is: the image it has is not taken off it. */
static int device_has(int device_fd, const struct stat *image)
{
        struct loop_info64 info;

        return ioctl(device_fd, LOOP_GET_STATUS64, &info) >= 0 && info.lo_inode == image->st_ino &&
               info.lo_device == image->st_dev;
}

static int is_bound(unsigned number)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/block/loop%u/loop", number);
        return access(path, F_OK) >= 0;
}

/* Returns 1 with the device that has the image; 0 when there is none; negative errno. */
static int device_find(const struct stat *image, int *ret_fd)
{
        DIR *dir = opendir("/sys/block");
        struct dirent *entry;
        int r = 0;

        if (!dir)
                return -errno;
        while (r == 0 && (entry = readdir(dir))) {
                _drop_(drop_fd) int fd = -EBADF;
                uint32_t number;

                if (strncmp(entry->d_name, "loop", 4) != 0 ||
                    parse_u32(entry->d_name + 4, &number) < 0 || !is_bound(number) ||
                    device_open(number, &fd) < 0 || !device_has(fd, image))
                        continue;
                *ret_fd = take_fd(&fd);
                r = 1;
        }
        (void)closedir(dir);
        return r;
}

static int device_bind(int image_fd, int *ret_fd)
{
        const struct loop_config config = {
                .fd = (uint32_t)image_fd,
                .block_size = SECTOR_BYTES,
                .info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
        };
        _drop_(drop_fd) int control_fd = -EBADF;
        int r;

        r = node_open(S_IFCHR, makedev(MISC_MAJOR, MISC_LOOP_CONTROL), &control_fd);
        for (int i = 0; r >= 0 && i < ATTEMPTS_MAX; i++) {
                _drop_(drop_fd) int fd = -EBADF;
                int number = ioctl(control_fd, LOOP_CTL_GET_FREE);

                if (number < 0)
                        return -errno;
                r = device_open((unsigned)number, &fd);
                if (r >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) >= 0) {
                        *ret_fd = take_fd(&fd);
                        return 0;
                }
                if (r >= 0 && errno != EBUSY)
                        return -errno;
        }
        return r < 0 ? r : -EBUSY;
}

static int device_get(int image_fd, int *ret_fd, Fault *fault)
{
        struct stat st;
        int r;

        if (fstat(image_fd, &st) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot look at the image: %m");
        r = device_find(&st, ret_fd);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot read /sys/block: %m");
        if (r > 0)
                return 0;
        r = device_bind(image_fd, ret_fd);
        if (r == -ENXIO || r == -ENODEV || r == -ENOENT || r == -EPERM)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 "Storage 'loop': this kernel gives us no loop devices: %m");
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot make a loop device: %m") : 0;
}

int loop_mount(int image_fd, int *ret_fd, Fault *fault)
{
        _drop_(drop_fd) int device_fd = -EBADF;
        char path[64];
        int r;

        r = device_get(image_fd, &device_fd, fault);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", device_fd);
        const MountOption options[] = {
                { "source", path },
                { "discard", NULL },       /* what is deleted inside is a hole in the image */
                { "noinit_itable", NULL }, /* a new file is zero already */
                { "nobarrier", NULL },
                { NULL, NULL },
        };
        /* The mount holds the device from here on. */
        return mount_new("ext4", options, MOUNT_ATTR_NODEV, ret_fd, fault);
}
