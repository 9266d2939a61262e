/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* Project quota. A directory carries the id of a project and passes it on to all that is made in
 * it; the file system (ext4, XFS) counts what each project has, and refuses what goes beyond its
 * limits with EDQUOT. Who is only root in a user namespace can change neither id nor limits.
 *
 * @dir_fd   any directory of the file system, opened for reading (not O_PATH)
 * @id       of a project; 0 is the one of all other files and has no limits
 *
 * All but quota_check() may wait for the disk; quota_get_usage() only for a project of which nobody
 * has a file open. */

/* Whether projects are counted and limits are enforced. Quick.
 * @path     of the directory, for the fault
 * Returns   0; -EOPNOTSUPP with FAULT_NOT_SUPPORTED, which says what is missing and what else there
 *           is. */
int quota_check(int dir_fd, const char *path, Fault *fault);

/* What is made in the directory from now on is of the project. Returns 0; negative errno. */
int quota_set_project(int dir_fd, uint32_t id);
int quota_get_project(int dir_fd, uint32_t *ret_id);

/* UINT64_MAX: no limit; else rounded down to whole KiB. With no limits and no files the file system
 * forgets the project. Returns 0; negative errno. */
int quota_set_limits(int dir_fd, uint32_t id, uint64_t bytes, uint64_t inodes);

typedef struct QuotaUsage {
        uint64_t bytes, inodes;
} QuotaUsage;

/* Returns 0, of a project without files, too; negative errno. */
int quota_get_usage(int dir_fd, uint32_t id, QuotaUsage *ret);
