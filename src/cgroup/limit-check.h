/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "cgroup/cgroup.h"
#include "model/limits.h"

/* Whether limits can be had, and whether the kernel has them. systemd takes every property of its
 * own in every mode, and says nothing when there is no file to write it to, or when the kernel
 * refuses the value. Infinity, no processors and an empty list are no limit, and can be had
 * everywhere. */

/* Before anything is asked for: the mode, the controllers, the processors and the devices there
 * are. Reads /sys and /dev only, and does not block.
 * Returns 0; -EOPNOTSUPP (FAULT_NOT_SUPPORTED) or -EINVAL (FAULT_INVALID) with a fault that names
 * the limit and the reason. */
int limit_check_possible(CgroupMode mode, const Limits *limits, Fault *fault);

/* Afterwards: compares the group's files with @limits, as far as they were given and are systemd's.
 * Returns 0; -EOPNOTSUPP the kernel has no such limit; -EBUSY more memory is in use than is to be
 * allowed, with both numbers in the fault; -EIO the kernel has another value. */
int limit_check_applied(CgroupMode mode, const char *control_group, const Limits *limits,
                        Fault *fault);

/* For tests: with other directories for /sys/fs/cgroup and /sys/devices/system/cpu. */
int limit_check_possible_below(const char *mount, const char *cpu, CgroupMode mode,
                               const Limits *limits, Fault *fault);
int limit_check_applied_below(const char *mount, CgroupMode mode, const char *control_group,
                              const Limits *limits, Fault *fault);

/* The value behind "MAJOR:MINOR " in a file with a line for each device; with @key ("rbps") the one
 * behind "key=" in it. "max", no such line, no such key: UINT64_MAX. */
uint64_t limit_check_find_device(const char *text, unsigned major_number, unsigned minor_number,
                                 const char *key);

/* "QUOTA PERIOD" of cpu.max as usec of CPU time in a second. "max" and what is no such text:
 * UINT64_MAX. */
uint64_t limit_check_parse_cpu_max(const char *text);
