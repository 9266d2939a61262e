/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"
#include "model/bandwidth.h"
#include "model/cpu-set.h"
#include "model/device-limit.h"

/* The limits of a container. Most go to systemd as properties of the scope and are spelled as
 * systemd spells them; those of the disk are the file system's. The enum has those that are one
 * number each; which processors and how much of which device come beside it. */

typedef enum Limit {
        LIMIT_MEMORY_MAX,      /* MemoryMax: bytes; UINT64_MAX is none */
        LIMIT_MEMORY_HIGH,     /* MemoryHigh: bytes; v2 */
        LIMIT_MEMORY_SWAP_MAX, /* MemorySwapMax: bytes; v2 */
        LIMIT_CPU_WEIGHT,      /* CPUWeight: 1 to 10000 */
        LIMIT_CPU_QUOTA,       /* CPUQuotaPerSecUSec: usec of CPU in a second; UINT64_MAX is none */
        LIMIT_TASKS_MAX,       /* TasksMax: count */
        LIMIT_IO_WEIGHT,       /* IOWeight: 1 to 10000 */
        LIMIT_DISK_MAX,        /* DiskMax: bytes of the layer; UINT64_MAX is none */
        LIMIT_DISK_INODES_MAX, /* DiskInodesMax: files, directories ... of the layer */
        _LIMIT_MAX,
        _LIMIT_INVALID = -22,
} Limit;

const char *limit_to_string(Limit limit); /* systemd's property name */
Limit limit_from_string(const char *s);

/* systemd's: a property of the scope of the same name. */
static inline int limit_is_of_scope(Limit limit)
{
        return limit != LIMIT_DISK_MAX && limit != LIMIT_DISK_INODES_MAX;
}

/* All zero: no limit. What was given and what was not are two things: an empty set of processors
 * or an empty list of devices, given, takes back what was there. */
typedef struct Limits {
        uint64_t values[_LIMIT_MAX];
        uint32_t set;         /* bit i: values[i] was given */
        uint32_t devices_set; /* bit of a DeviceLimitKind: its list was given */
        int has_cpus;
        CpuSet cpus; /* AllowedCPUs; empty: all */
        DeviceLimits devices;
        BandwidthLimits bandwidth; /* of the container's interface; not systemd's */
} Limits;

#define LIMIT_NAME_CPUS "AllowedCPUs"

/* Limits own memory: assigning one to another moves it. */
void limits_done(Limits *limits);
int limits_copy(const Limits *limits, Limits *ret); /* 0; -ENOMEM */

static inline int limits_has(const Limits *limits, Limit limit)
{
        return (limits->set >> limit) & 1;
}

static inline int limits_has_devices(const Limits *limits, DeviceLimitKind kind)
{
        return (limits->devices_set >> kind) & 1;
}

int limits_are_empty(const Limits *limits);

/* The same ones are given, with the same values. */
int limits_are_equal(const Limits *a, const Limits *b);

/* Checks the range and sets. Returns 0; -EINVAL or -ERANGE with a fault that names limit and
 * bounds. */
int limits_set(Limits *limits, Limit limit, uint64_t value, Fault *fault);

/* @text   as cpu_set_parse() takes it
 * Returns 0; -EINVAL or -ERANGE with a fault. */
int limits_set_cpus(Limits *limits, const char *text, Fault *fault);

/* Adds to the list of a kind, which is given from then on; see device_limits_add(). */
int limits_add_device(Limits *limits, DeviceLimitKind kind, const char *node, uint64_t value,
                      Fault *fault);

/* What was given in @changes replaces what @limits has of it, list by list.
 * Returns 0; -ENOMEM with @limits unchanged. */
int limits_change(Limits *limits, const Limits *changes);

/* Checks all again, for what came from a file. Returns 0; negative errno with a fault. */
int limits_validate(const Limits *limits, Fault *fault);
