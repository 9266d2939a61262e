/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/macro.h"

/* Control groups that systemd made, to be read: which hierarchies there are, where a unit's group
 * is in each, and single numbers of it. Nothing here blocks, and nothing is kept between calls. */

typedef enum CgroupMode {
        CGROUP_UNIFIED, /* v2 alone */
        CGROUP_HYBRID,  /* the controllers are v1's, and systemd has a v2 of its own beside them */
        CGROUP_LEGACY,  /* v1 alone */
        _CGROUP_MODE_MAX,
        _CGROUP_MODE_INVALID = -22,
} CgroupMode;

const char *cgroup_mode_to_string(CgroupMode mode);
CgroupMode cgroup_mode_from_string(const char *s);

/* By what is mounted at /sys/fs/cgroup. It does not change while the host is up. */
CgroupMode cgroup_mode(void);

/* The group of a process in systemd's own hierarchy, cut off at @unit: what lies below is the
 * container's to make and to name. This is what systemd's ControlGroup= says, without asking it.
 * @unit   a unit's name; NULL: do not cut
 * @ret    new memory, owned by the caller
 * Returns 0; -ENODATA the process is not in @unit; -ENOENT, -ESRCH no such process; -ENOMEM. */
int cgroup_find(CgroupMode mode, uint32_t pid, const char *unit, char **ret);

/* Opens the directory of a group in the hierarchy that has @controller.
 * @controller      "memory", "cpu", "pids", "freezer", "io" (v1: blkio) …; "" for systemd's own
 * @control_group   "/…", as cgroup_find() gives it; the same in every hierarchy that systemd keeps
 * @ret_fd          owned by the caller; for openat() and fgetxattr()
 * Returns 0; -ENOENT there is no such group; -EOPNOTSUPP no hierarchy has the controller, or on v2
 * the group has not; -EINVAL the group's path is none. */
int cgroup_open(CgroupMode mode, const char *controller, const char *control_group, int *ret_fd);

/* One number of a file that holds nothing else; "max" is UINT64_MAX.
 * Returns 0; -ENOENT; -ENODEV the group is gone; -EBADMSG no number; the errno of reading. */
int cgroup_read_u64(int group_fd, const char *file, uint64_t *ret);

/* For tests and for what is inside the functions above. */

/* Systemd's hierarchy in the text of a /proc/PID/cgroup. -ENODATA when it has no such line. */
int cgroup_parse(CgroupMode mode, const char *text, char **ret);

/* Cuts off what is below the first component @unit. -ENODATA when there is none, with *path
 * unchanged. */
int cgroup_cut(char *path, const char *unit);

/* cgroup_open() with another directory for /sys/fs/cgroup. */
int cgroup_open_below(const char *mount, CgroupMode mode, const char *controller,
                      const char *control_group, int *ret_fd);
