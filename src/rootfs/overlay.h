/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/storage.h"

/* The root of a container: its own layer over a directory of the host. The host's side makes the
 * layer and two detached mounts; the container's side puts them together. The split is the kernel's
 * demand: only the host's root may shift the owners of a mount, and only the owner of the mount
 * namespace can use a shifted layer. */

/* Opens @path, made when missing. The directory is 0700, since files of the container's root are
 * owned by the real uid 0 in there and set-id ones among them must not be reachable for users of
 * the host.
 * @ret_fd       the directory, owned by the caller
 * @ret_is_new   whether it was made here: then it is the caller's to remove
 * Returns 0; negative errno with a fault, and what was made is removed again. */
int layer_open(const char *path, int *ret_fd, int *ret_is_new, Fault *fault);

/* Makes upper and work in it, where they are missing. A new upper takes owner and mode of the root
 * directory, for it is what is seen as "/". Returns 0; negative errno with a fault. */
int layer_fill(int layer_fd, int root_fd, Fault *fault);

/* A layer in memory, filled. In the user namespace of the container, and charged to it.
 * @disk      as far as there are limits
 * @is_user   there is a user namespace
 * @ret_fd    a mount, attached nowhere
 * Returns 0; -EOPNOTSUPP with FAULT_NOT_SUPPORTED on kernels that are too old; negative errno with
 * a fault. */
int layer_new_tmpfs(const DiskLimits *disk, int root_fd, int is_user, int *ret_fd, Fault *fault);

/* Removes a layer that layer_open() made. Returns 0; negative errno. */
int layer_remove(const char *path);

/* A detached mount of a directory of the host, with owners shifted when @user_fd is not negative.
 * @is_lower   read-only
 * layer_shift() does that to one that is mounted already, and held by nobody else.
 * Returns 0; negative errno with a fault. */
int layer_mount(int dir_fd, int is_lower, int user_fd, int *ret_fd, Fault *fault);
int layer_shift(int mount_fd, int is_lower, int user_fd, Fault *fault);

/* In the container's namespaces, in the empty root of pivot.h: attaches both there, puts the two
 * together on "/", and makes that the working directory.
 * @is_user   there is a user namespace
 * @ret_fd    the mounted root */
int overlay_mount(int layer_fd, int lower_fd, int is_user, int *ret_fd, Fault *fault);
