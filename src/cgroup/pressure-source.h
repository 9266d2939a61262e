/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "cgroup/cgroup.h"

struct sd_event;

/* Tells when processes of a group have waited for memory longer than is wished: a trigger of the
 * kernel's pressure stall information (PSI) on the group's memory.pressure, which cgroup v2 alone
 * has. The kernel measures and tells at most once in a window; nobody asks it meanwhile. */

#define PRESSURE_WINDOW_USEC UINT64_C(1000000)

typedef struct PressureSource PressureSource;

typedef void (*PressureFunc)(void *userdata);

/* Before anything is made: whether this host can do it. Reads /proc, and does not block.
 * @key   of the spec, for the fault
 * Returns 0; -EOPNOTSUPP (FAULT_NOT_SUPPORTED): the mode, or a kernel without PSI. */
int pressure_check_possible(CgroupMode mode, const char *key, Fault *fault);

/* Begins to watch. @func is called from the event loop only, and no more when the group is gone.
 * @control_group    of a unit, as cgroup_find() gives it
 * @threshold_usec   for how long of a window some process was held up, 1 to PRESSURE_WINDOW_USEC
 * @ret              owned by the caller
 * Returns 0; -EOPNOTSUPP the group has no such file, or the kernel no PSI; -ENOENT there is no such
 * group; the errno of watching, -ENOMEM. */
int pressure_source_new(struct sd_event *event, const char *control_group, uint64_t threshold_usec,
                        PressureFunc func, void *userdata, PressureSource **ret);
PressureSource *pressure_source_free(PressureSource *source);
DEFINE_DROP(PressureSource, pressure_source, pressure_source_free);

/* For tests: with another file for /proc/pressure/memory. */
int pressure_check_possible_at(const char *path, CgroupMode mode, const char *key, Fault *fault);

/* For tests: pressure_source_new() of an open file. @take_fd is taken in success and failure. */
int pressure_source_new_at(struct sd_event *event, int take_fd, uint64_t threshold_usec,
                           PressureFunc func, void *userdata, PressureSource **ret);
