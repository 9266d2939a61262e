/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/fault.h"

/* What is mounted into a container beside its root: directories and files of the host, and file
 * systems in memory. Each is kept as the client wrote it and as it was understood; the state file
 * and the plan carry what was written and parse it again, so that there is one reading of it. */

typedef struct BindMount {
        char *source;      /* absolute, on the host */
        char *destination; /* absolute, in the container; made when missing */
        char *options;     /* as given: comma-separated ro rw nosuid nodev noexec rbind bind idmap
                              noidmap; of two that contradict each other the later counts */
        /* The options, parsed. Default: read-write, recursive, not idmapped. Not idmapped, since
         * root of the container could else leave set-id files of the host's root in the source. */
        int is_read_only, is_recursive, is_idmapped, is_nosuid, is_nodev, is_noexec;
} BindMount;

typedef struct TmpfsMount {
        char *destination;         /* absolute */
        uint64_t size_bytes;       /* 0: the kernel's default */
        mode_t mode;               /* default 1777 */
        int is_read_only, is_exec; /* default rw,noexec; always nosuid,nodev */
        char *text;                /* as given: "DEST[:options]" */
} TmpfsMount;

/* "DEST[:size=64M,mode=1777,ro,rw,exec,noexec,nosuid,nodev]". Both return 0; -EINVAL with a fault
 * that names field, value and reason; -ENOMEM. *ret is written only on success and then the
 * caller's, to be emptied by the functions below. @options may be NULL. */
int bind_mount_parse(const char *source, const char *destination, const char *options,
                     BindMount *ret, Fault *fault);
int tmpfs_mount_parse(const char *text, TmpfsMount *ret, Fault *fault);

void bind_mount_done(BindMount *mount);
void tmpfs_mount_done(TmpfsMount *mount);

/* Vectors of them on the heap. Appending takes *mount over on success. Copies are deep. Return 0;
 * -ENOMEM. */
int bind_mounts_append(BindMount **mounts, size_t *n, BindMount *mount);
int tmpfs_mounts_append(TmpfsMount **mounts, size_t *n, TmpfsMount *mount);
int bind_mounts_copy(const BindMount *mounts, size_t n, BindMount **ret, size_t *ret_n);
int tmpfs_mounts_copy(const TmpfsMount *mounts, size_t n, TmpfsMount **ret, size_t *ret_n);
BindMount *bind_mounts_free(BindMount *mounts, size_t n);
TmpfsMount *tmpfs_mounts_free(TmpfsMount *mounts, size_t n);
