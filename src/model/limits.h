/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* The limits of a container that are one number each. Most go to systemd as properties of the
 * scope and are spelled as systemd spells them; those of the disk are the file system's. */

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

typedef struct Limits {
        uint64_t values[_LIMIT_MAX];
        uint32_t set; /* bit i: values[i] was given */
} Limits;

static inline int limits_has(const Limits *limits, Limit limit)
{
        return (limits->set >> limit) & 1;
}

/* Checks the range and sets. Returns 0; -EINVAL or -ERANGE with a fault that names limit and
 * bounds. */
int limits_set(Limits *limits, Limit limit, uint64_t value, Fault *fault);
