/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* What properties say of control groups. */

/* "unified", "hybrid" or "legacy", by what is mounted at /sys/fs/cgroup. */
const char *bus_cgroup_mode(void);

/* Cuts off what lies below @unit in a group's path: the container makes and names those groups
 * itself, and the bus takes no name that is not UTF-8.
 * Returns 0; -ENODATA when the path does not lead to @unit, with *path unchanged. */
int bus_cgroup_cut(char *path, const char *unit);
