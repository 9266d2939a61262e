/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How often the kernel has killed a process of a unit for want of memory: memory.events of cgroup
 * v2, memory.oom_control of v1. */

/* @pid    a process in the unit's own cgroup
 * @unit   whose counter it shall be: where the memory controller does not know the unit, the
 *         counter there would be of others as well
 * Returns 0; -ENODATA where nothing counts; the errno of reading. Does not block. */
int oom_count_read(uint32_t pid, const char *unit, uint64_t *ret);

/* For tests: the file with the counter, from the text of /proc/PID/cgroup, which is changed. */
int oom_count_find(char *proc_cgroup, const char *unit, char *path, size_t room);

/* For tests: the counter, from the text of that file. Returns 0; -ENODATA. */
int oom_count_parse(const char *text, uint64_t *ret);
