/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* What properties say of control groups. */

/* "unified", "hybrid" or "legacy", by what is mounted at /sys/fs/cgroup. */
const char *bus_cgroup_mode(void);

/* Finds the group of a process in the text of its /proc/PID/cgroup: that of systemd's own hierarchy
 * where there is one (v1), else the unified one. What lies below @unit in the path is cut off: the
 * container makes and names these groups itself.
 * @ret       new memory, owned by the caller
 * Returns    0; -ENODATA when the text has no such line, or the path does not lead to @unit; -ENOMEM */
int bus_cgroup_parse(const char *text, const char *unit, char **ret);

/* The same for a process. Returns 0; -ESRCH and so on. */
int bus_cgroup_read(uint32_t pid, const char *unit, char **ret);
