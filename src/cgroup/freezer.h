/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cgroup/cgroup.h"

/* The freezer of cgroup v1, which systemd does not keep: a unit has no group in that hierarchy
 * until it is frozen for the first time, and nobody but us removes it. On v2 systemd freezes by
 * itself, and only freezer_is_frozen() is for it.
 * @control_group   of a unit, as cgroup_find() gives it */

/* Makes the group, freezes it, and moves every process of the unit into it. Blocks: for a worker.
 * Thaws again when it fails.
 * @deadline_usec   CLOCK_MONOTONIC
 * Returns 0: all are frozen; -ETIMEDOUT: some process could not be, in time; -EOPNOTSUPP there is
 * no freezer; other errnos of the files. */
int freezer_freeze(CgroupMode mode, const char *control_group, uint64_t deadline_usec);

/* Lets all go on. Does not block. Returns 0, also when the unit has no group there. */
int freezer_thaw(CgroupMode mode, const char *control_group);

/* Of a unit without processes. Does not block. */
void freezer_remove(CgroupMode mode, const char *control_group);

/* Returns 1: it is, or is about to be; 0; negative errno. */
int freezer_is_frozen(CgroupMode mode, const char *control_group);

/* For tests: with another directory for /sys/fs/cgroup. */
int freezer_freeze_below(const char *mount, CgroupMode mode, const char *control_group,
                         uint64_t deadline_usec);
int freezer_thaw_below(const char *mount, CgroupMode mode, const char *control_group);
void freezer_remove_below(const char *mount, CgroupMode mode, const char *control_group);
int freezer_is_frozen_below(const char *mount, CgroupMode mode, const char *control_group);
