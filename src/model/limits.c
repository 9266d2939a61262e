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

void limits_done(Limits *limits)
{
        device_limits_done(&limits->devices);
        *limits = (Limits){ .set = 0 };
}

int limits_copy(const Limits *limits, Limits *ret)
{
        Limits copy = *limits;

        copy.devices = (DeviceLimits){ NULL, 0 };
        for (int kind = 0; kind < _DEVICE_LIMIT_KIND_MAX; kind++) {
                int r = device_limits_append(&copy.devices, &limits->devices,
                                             (DeviceLimitKind)kind);

                if (r < 0) {
                        limits_done(&copy);
                        return r;
                }
        }
        *ret = copy;
        return 0;
}

int limits_are_empty(const Limits *limits)
{
        return limits->set == 0 && limits->devices_set == 0 && !limits->has_cpus &&
               limits->bandwidth.set == 0;
}

int limits_are_equal(const Limits *a, const Limits *b)
{
        if (a->set != b->set || a->devices_set != b->devices_set || a->has_cpus != b->has_cpus)
                return 0;
        for (int i = 0; i < _LIMIT_MAX; i++)
                if (limits_has(a, (Limit)i) && a->values[i] != b->values[i])
                        return 0;
        if (a->has_cpus && !cpu_set_is_equal(&a->cpus, &b->cpus))
                return 0;
        return device_limits_are_equal(&a->devices, &b->devices) &&
               bandwidth_limits_are_equal(&a->bandwidth, &b->bandwidth);
}

int limits_set_cpus(Limits *limits, const char *text, Fault *fault)
{
        CpuSet cpus;
        int r = cpu_set_parse(text, &cpus);

        if (r == -ERANGE)
                return fault_set(fault, FAULT_INVALID, r,
                                 LIMIT_NAME_CPUS ": '%.64s' has a number above %d", text,
                                 CPU_SET_CPUS - 1);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 LIMIT_NAME_CPUS ": '%.64s' is not a list of numbers and ranges "
                                                 "such as 0-3,5",
                                 text);
        limits->cpus = cpus;
        limits->has_cpus = 1;
        return 0;
}

int limits_add_device(Limits *limits, DeviceLimitKind kind, const char *node, uint64_t value,
                      Fault *fault)
{
        int r = device_limits_add(&limits->devices, kind, node, value, fault);

        if (r < 0)
                return r;
        limits->devices_set |= UINT32_C(1) << kind;
        return 0;
}

int limits_change(Limits *limits, const Limits *changes)
{
        Limits next;
        int r = limits_copy(limits, &next);

        if (r < 0)
                return r;
        for (int kind = 0; kind < _DEVICE_LIMIT_KIND_MAX; kind++) {
                if (!limits_has_devices(changes, (DeviceLimitKind)kind))
                        continue;
                device_limits_clear(&next.devices, (DeviceLimitKind)kind);
                r = device_limits_append(&next.devices, &changes->devices, (DeviceLimitKind)kind);
                if (r < 0) {
                        limits_done(&next);
                        return r;
                }
        }
        next.devices_set |= changes->devices_set;
        for (int i = 0; i < _LIMIT_MAX; i++)
                if (limits_has(changes, (Limit)i))
                        next.values[i] = changes->values[i];
        next.set |= changes->set;
        bandwidth_limits_change(&next.bandwidth, &changes->bandwidth);
        if (changes->has_cpus) {
                next.cpus = changes->cpus;
                next.has_cpus = 1;
        }
        limits_done(limits);
        *limits = next;
        return 0;
}

int limits_validate(const Limits *limits, Fault *fault)
{
        Limits copy = { .set = 0 };
        int r = 0;

        for (int i = 0; i < _LIMIT_MAX && r >= 0; i++)
                if (limits_has(limits, (Limit)i))
                        r = limits_set(&copy, (Limit)i, limits->values[i], fault);
        for (size_t i = 0; i < limits->devices.n_items && r >= 0; i++)
                r = limits_add_device(&copy, limits->devices.items[i].kind,
                                      limits->devices.items[i].node, limits->devices.items[i].value,
                                      fault);
        if (r >= 0)
                r = bandwidth_limits_validate(&limits->bandwidth, fault);
        limits_done(&copy);
        return r;
}
