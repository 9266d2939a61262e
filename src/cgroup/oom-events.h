/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* How often the kernel has killed a process of a group for want of memory.
 * @text   of memory.events (cgroup v2) or memory.oom_control (v1)
 * Returns 0; -ENODATA where there is no such counter, or it is no number. */
int oom_events_parse(const char *text, uint64_t *ret_kills);
