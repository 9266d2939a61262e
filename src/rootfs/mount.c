/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rootfs/mount.h"
#include "rootfs/syscalls.h"

/* The kernel keeps what it had to say about a context as lines that begin with "e " for an error;
 * one read is one line. */
static void context_read_error(int context_fd, char *buffer, size_t size)
{
        ssize_t n;

        buffer[0] = 0;
        while ((n = read(context_fd, buffer, size - 1)) > 0) {
                buffer[n] = 0;
                buffer[strcspn(buffer, "\n")] = 0;
                if (buffer[0] == 'e')
                        return;
        }
        buffer[0] = 0;
}

static int context_fault(int context_fd, const char *type, const char *what, Fault *fault)
{
        int error = -errno;
        char line[200];

        context_read_error(context_fd, line, sizeof(line));
        return fault_set(fault, FAULT_FAILED, error, "%s of %s: %s%s%m", what, type,
                         line[0] ? line + 2 : "", line[0] ? ": " : "");
}

int mount_new(const char *type, const MountOption *options, uint64_t attributes, int *ret_fd,
              Fault *fault)
{
        _drop_(drop_fd) int context_fd = fsopen(type, FSOPEN_CLOEXEC);
        int fd;

        if (context_fd < 0)
                return fault_set(fault, errno == ENODEV ? FAULT_NOT_SUPPORTED : FAULT_FAILED,
                                 -errno, "fsopen of %s: %m", type);
        for (const MountOption *o = options; o && o->key; o++) {
                int command = o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

                if (fsconfig(context_fd, (unsigned)command, o->key, o->value, 0) < 0)
                        return context_fault(context_fd, type, o->key, fault);
        }
        if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return context_fault(context_fd, type, "creation", fault);
        fd = fsmount(context_fd, FSMOUNT_CLOEXEC, (unsigned)attributes);
        if (fd < 0)
                return context_fault(context_fd, type, "fsmount", fault);
        *ret_fd = fd;
        return 0;
}

int mount_copy(int dir_fd, const char *path, int is_recursive, int *ret_fd)
{
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
        int fd;

        if (!*path)
                flags |= AT_EMPTY_PATH;
        if (is_recursive)
                flags |= AT_RECURSIVE;
        fd = open_tree(dir_fd, path, flags);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

int mount_change(int mount_fd, int is_recursive, uint64_t attributes, int user_fd)
{
        struct mount_attr attr = { .attr_set = attributes, .propagation = MS_PRIVATE };
        unsigned flags = AT_EMPTY_PATH;

        if (is_recursive)
                flags |= AT_RECURSIVE;
        if (user_fd >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t)user_fd;
        }
        return mount_setattr(mount_fd, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_attach(int mount_fd, int dir_fd, const char *path)
{
        unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;

        if (!*path)
                flags |= MOVE_MOUNT_T_EMPTY_PATH;
        return move_mount(mount_fd, "", dir_fd, path, flags) < 0 ? -errno : 0;
}
