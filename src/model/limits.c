/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "model/limits.h"

/* Bounds that systemd or the kernel would refuse only after half of a container is made, or not at
 * all.
 *
 * A memory limit below what PID 1 and one small job need cannot give a container that works: a
 * static init is some 30 KiB and a static job as much, and the kernel charges their stacks, page
 * tables and sockets on top, taking from the limit in batches of 64 pages a CPU. 1 MiB holds that.
 * Swap may be forbidden altogether.
 *
 * systemd rounds a CPU quota below 1 ms up to 1 ms, the kernel's own floor; we refuse it instead of
 * giving what was not asked for. TasksMax counts PID 1, so that one alone would allow no job; the
 * kernel refuses more than its highest pid.
 *
 * A layer is five directories before anything is written to it: itself, upper, and three of the
 * overlay's. */
typedef struct LimitRange {
        const char *name;
        uint64_t min, max;
        int may_be_infinite;
} LimitRange;

#define MEMORY_MIN_BYTES (UINT64_C(1) << 20)
#define MEMORY_MAX_BYTES (UINT64_C(1) << 62)
#define CPU_QUOTA_MIN_USEC UINT64_C(1000)
#define CPU_QUOTA_MAX_USEC (UINT64_C(1000000) * USEC_PER_SEC)
#define TASKS_MAX_MAX (UINT64_C(4) << 20)
#define WEIGHT_MAX UINT64_C(10000)
#define DISK_MIN_BYTES (UINT64_C(1) << 20)
#define DISK_MAX_BYTES (UINT64_C(1) << 60)
#define DISK_INODES_MIN UINT64_C(16)
#define DISK_INODES_MAX UINT64_C(4294967295)

static const LimitRange limit_table[_LIMIT_MAX] = {
        [LIMIT_MEMORY_MAX] = { "MemoryMax", MEMORY_MIN_BYTES, MEMORY_MAX_BYTES, 1 },
        [LIMIT_MEMORY_HIGH] = { "MemoryHigh", MEMORY_MIN_BYTES, MEMORY_MAX_BYTES, 1 },
        [LIMIT_MEMORY_SWAP_MAX] = { "MemorySwapMax", 0, MEMORY_MAX_BYTES, 1 },
        [LIMIT_CPU_WEIGHT] = { "CPUWeight", 1, WEIGHT_MAX, 0 },
        [LIMIT_CPU_QUOTA] = { "CPUQuotaPerSecUSec", CPU_QUOTA_MIN_USEC, CPU_QUOTA_MAX_USEC, 1 },
        [LIMIT_TASKS_MAX] = { "TasksMax", 2, TASKS_MAX_MAX, 1 },
        [LIMIT_IO_WEIGHT] = { "IOWeight", 1, WEIGHT_MAX, 0 },
        [LIMIT_DISK_MAX] = { "DiskMax", DISK_MIN_BYTES, DISK_MAX_BYTES, 1 },
        [LIMIT_DISK_INODES_MAX] = { "DiskInodesMax", DISK_INODES_MIN, DISK_INODES_MAX, 1 },
};

const char *limit_to_string(Limit limit)
{
        return (int)limit >= 0 && limit < _LIMIT_MAX ? limit_table[limit].name : NULL;
}

Limit limit_from_string(const char *s)
{
        for (int i = 0; i < _LIMIT_MAX; i++)
                if (strcmp(limit_table[i].name, s) == 0)
                        return (Limit)i;
        return _LIMIT_INVALID;
}

int limits_set(Limits *limits, Limit limit, uint64_t value, Fault *fault)
{
        const LimitRange *range;

        if ((int)limit < 0 || limit >= _LIMIT_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "There is no limit number %d",
                                 (int)limit);
        range = &limit_table[limit];
        if ((value < range->min || value > range->max) &&
            !(range->may_be_infinite && value == UINT64_MAX))
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "%s: %" PRIu64 " is not from %" PRIu64 " to %" PRIu64 "%s",
                                 range->name, value, range->min, range->max,
                                 range->may_be_infinite ? " or infinity" : "");

        limits->values[limit] = value;
        limits->set |= UINT32_C(1) << limit;
        return 0;
}
