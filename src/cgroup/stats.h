/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

/* What a container uses, as numbers with the names that clients see. doc/dbus.md tells unit and
 * source of each; the unit is in the name too (Bytes, NSec, USec), except for memory: bytes. */

typedef enum Stat {
        STAT_MEMORY_CURRENT,
        STAT_MEMORY_PEAK,
        STAT_MEMORY_ANON,
        STAT_MEMORY_FILE,
        STAT_MEMORY_INACTIVE_FILE,
        STAT_MEMORY_SHMEM,
        STAT_MEMORY_KERNEL,
        STAT_MEMORY_SWAP_CURRENT,
        STAT_MEMORY_MAX,
        STAT_MEMORY_HIGH,
        STAT_MEMORY_SWAP_MAX,
        STAT_OOM_KILLS,
        STAT_CPU_USAGE,
        STAT_CPU_USER,
        STAT_CPU_SYSTEM,
        STAT_CPU_PERIODS,
        STAT_CPU_THROTTLED_PERIODS,
        STAT_CPU_THROTTLED,
        STAT_CPU_QUOTA,
        STAT_TASKS_CURRENT,
        STAT_TASKS_MAX,
        STAT_IO_READ_BYTES,
        STAT_IO_WRITE_BYTES,
        STAT_IO_READ_OPERATIONS,
        STAT_IO_WRITE_OPERATIONS,
        STAT_MEMORY_PRESSURE_SOME, /* four each, in the order of StatPressure */
        STAT_MEMORY_PRESSURE_SOME_AVG10,
        STAT_MEMORY_PRESSURE_FULL,
        STAT_MEMORY_PRESSURE_FULL_AVG10,
        STAT_CPU_PRESSURE_SOME,
        STAT_CPU_PRESSURE_SOME_AVG10,
        STAT_CPU_PRESSURE_FULL,
        STAT_CPU_PRESSURE_FULL_AVG10,
        STAT_IO_PRESSURE_SOME,
        STAT_IO_PRESSURE_SOME_AVG10,
        STAT_IO_PRESSURE_FULL,
        STAT_IO_PRESSURE_FULL_AVG10,
        STAT_DISK_CURRENT,
        STAT_DISK_MAX,
        STAT_DISK_INODES_CURRENT,
        STAT_DISK_INODES_MAX,
        STAT_NETWORK_RECEIVE_BYTES,
        STAT_NETWORK_TRANSMIT_BYTES,
        STAT_NETWORK_RECEIVE_PACKETS,
        STAT_NETWORK_TRANSMIT_PACKETS,
        STAT_NETWORK_RECEIVE_DROPPED,
        STAT_NETWORK_TRANSMIT_DROPPED,
        STAT_NETWORK_RECEIVE_LIMIT_DROPPED, /* these four by stats_read_bandwidth() */
        STAT_NETWORK_TRANSMIT_LIMIT_DROPPED,
        STAT_NETWORK_RECEIVE_LIMIT_DELAYED,
        STAT_NETWORK_TRANSMIT_LIMIT_DELAYED,
        STAT_UPTIME,
        _STAT_MAX,
        _STAT_INVALID = -22,
} Stat;

const char *stat_to_string(Stat stat); /* the key on the bus */
Stat stat_from_string(const char *s);

/* Of one block device, as far as the group has used it. */
typedef struct StatsDevice {
        uint32_t major, minor;
        uint64_t read_bytes, write_bytes, read_operations, write_operations;
} StatsDevice;

/* More are in the sums only. */
#define STATS_DEVICES_MAX 16

/* Without pointers, so that it can be handed over by memory that is shared. All zero is empty. */
typedef struct Stats {
        uint64_t values[_STAT_MAX];
        uint64_t set; /* bit i: values[i] is known */
        uint32_t n_devices;
        StatsDevice devices[STATS_DEVICES_MAX];
} Stats;

_Static_assert(_STAT_MAX <= 64, "a bit for each");

static inline int stats_has(const Stats *stats, Stat stat)
{
        return (stats->set >> stat) & 1;
}

static inline void stats_set(Stats *stats, Stat stat, uint64_t value)
{
        stats->values[stat] = value;
        stats->set |= UINT64_C(1) << stat;
}

/* The same with only what is known, in a fifth of the room: the answer for a thousand containers is
 * a copy less to make, and to page in.
 * @ret      room for STATS_PACKED_MAX
 * Returns   how many of them were used, of what was packed also by stats_unpack() */
#define STATS_PACKED_MAX (2 + _STAT_MAX + 5 * STATS_DEVICES_MAX)
size_t stats_pack(const Stats *stats, uint64_t *ret);
size_t stats_unpack(const uint64_t *packed, Stats *ret);

/* Adds all that the control group's files tell. What a cgroup mode, a kernel or the lack of a
 * controller keeps from being known is left out; nothing is guessed. It does not allocate and reads
 * a bounded number of bytes, but the kernel may take its time: not for the daemon's loop when there
 * are many.
 * @control_group   as cgroup_find() gives it
 * Returns          0; -ENOENT when the group is gone */
int stats_read_group(CgroupMode mode, const char *control_group, Stats *stats);

/* Adds the counters of a network interface of the host that is one end of a pair: what it sends the
 * other end receives, and the names are those of the other end.
 * Returns 0; -ENOENT no such interface; -EINVAL no name of one. */
int stats_read_interface(const char *name, Stats *stats);

/* For tests: other places than /sys/fs/cgroup and /sys/class/net. */
int stats_read_group_below(const char *mount, CgroupMode mode, const char *control_group,
                           Stats *stats);
int stats_read_interface_below(const char *directory, const char *name, Stats *stats);
