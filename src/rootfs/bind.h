/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/mount.h"

/* The mounts that a client asked for: directories and files of the host, and file systems in
 * memory. Sources are opened by the host's side, as the administrator's paths; destinations are
 * found by the container's side, inside the root and nowhere else. */

/* Host's side: a detached copy of the source with the attributes that were asked for.
 * @user_fd   of the container's user namespace, for idmap; negative without one
 * Returns 0; -ENOENT (fault: FAULT_NOT_FOUND); negative errno with a fault. */
int bind_open(const BindMount *bind, int user_fd, int *ret_fd, Fault *fault);

/* Container's side: makes the destination when it is missing, of the source's type, and attaches.
 * Returns 0; -EPERM: the destination is in a procfs; negative errno with a fault. */
int bind_attach(const BindMount *bind, int mount_fd, int root_fd, Fault *fault);
int tmpfs_attach(const TmpfsMount *tmpfs, int root_fd, Fault *fault);

/* One mount of either kind, for putting parents before what is mounted in them. */
typedef struct ExtraMount {
        const char *destination;
        const BindMount *bind; /* one of the two */
        const TmpfsMount *tmpfs;
        size_t index; /* into the vector it is of */
} ExtraMount;

/* Fills a vector of n_bind_mounts + n_tmpfs_mounts. */
void extra_mounts_sort(const BindMount *binds, size_t n_binds, const TmpfsMount *tmpfs,
                       size_t n_tmpfs, ExtraMount *ret);
