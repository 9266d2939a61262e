/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/mount.h>

#include "basic/fault.h"

/* A mount held by its descriptor: made detached, changed, and attached to a place when ready. All
 * descriptors are O_CLOEXEC; those returned are the caller's, and closing one that was never
 * attached ends the mount. */

typedef struct MountOption {
        const char *key;   /* NULL ends a list */
        const char *value; /* NULL: a flag */
} MountOption;

/* Like `mount -t TYPE -o OPTIONS`, attached nowhere.
 * @options      a list; NULL for none
 * @attributes   MOUNT_ATTR_*
 * Returns 0; negative errno with a fault that has the kernel's own words where it has some. */
int mount_new(const char *type, const MountOption *options, uint64_t attributes, int *ret_fd,
              Fault *fault);

/* Like `mount --bind` (--rbind) of what is at @path below @dir_fd ("" for @dir_fd itself), attached
 * nowhere. A link at the end of @path is not followed. Returns 0; negative errno. */
int mount_copy(int dir_fd, const char *path, int is_recursive, int *ret_fd);

/* Adds attributes, makes it private to where it will be attached, and, unless @user_fd is negative,
 * shifts the owners by the map of that user namespace. Returns 0; negative errno. */
int mount_change(int mount_fd, int is_recursive, uint64_t attributes, int user_fd);

/* Puts it on @path below @dir_fd ("" for @dir_fd itself). A link at the end of @path is not
 * followed. Returns 0; negative errno. */
int mount_attach(int mount_fd, int dir_fd, const char *path);

/* What every file system of the kernel's is mounted with. */
#define MOUNT_ATTR_API (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
