/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "cgroup/stats.h"

static const char *const stat_table[_STAT_MAX] = {
        [STAT_MEMORY_CURRENT] = "MemoryCurrent",
        [STAT_MEMORY_PEAK] = "MemoryPeak",
        [STAT_MEMORY_ANON] = "MemoryAnon",
        [STAT_MEMORY_FILE] = "MemoryFile",
        [STAT_MEMORY_INACTIVE_FILE] = "MemoryInactiveFile",
        [STAT_MEMORY_SHMEM] = "MemoryShmem",
        [STAT_MEMORY_KERNEL] = "MemoryKernel",
        [STAT_MEMORY_SWAP_CURRENT] = "MemorySwapCurrent",
        [STAT_MEMORY_MAX] = "MemoryMax",
        [STAT_MEMORY_HIGH] = "MemoryHigh",
        [STAT_MEMORY_SWAP_MAX] = "MemorySwapMax",
        [STAT_OOM_KILLS] = "OOMKills",
        [STAT_CPU_USAGE] = "CPUUsageNSec",
        [STAT_CPU_USER] = "CPUUserNSec",
        [STAT_CPU_SYSTEM] = "CPUSystemNSec",
        [STAT_CPU_PERIODS] = "CPUPeriods",
        [STAT_CPU_THROTTLED_PERIODS] = "CPUThrottledPeriods",
        [STAT_CPU_THROTTLED] = "CPUThrottledUSec",
        [STAT_CPU_QUOTA] = "CPUQuotaPerSecUSec",
        [STAT_TASKS_CURRENT] = "TasksCurrent",
        [STAT_TASKS_MAX] = "TasksMax",
        [STAT_IO_READ_BYTES] = "IOReadBytes",
        [STAT_IO_WRITE_BYTES] = "IOWriteBytes",
        [STAT_IO_READ_OPERATIONS] = "IOReadOperations",
        [STAT_IO_WRITE_OPERATIONS] = "IOWriteOperations",
        [STAT_MEMORY_PRESSURE_SOME] = "MemoryPressureSomeUSec",
        [STAT_MEMORY_PRESSURE_SOME_AVG10] = "MemoryPressureSomeAvg10",
        [STAT_MEMORY_PRESSURE_FULL] = "MemoryPressureFullUSec",
        [STAT_MEMORY_PRESSURE_FULL_AVG10] = "MemoryPressureFullAvg10",
        [STAT_CPU_PRESSURE_SOME] = "CPUPressureSomeUSec",
        [STAT_CPU_PRESSURE_SOME_AVG10] = "CPUPressureSomeAvg10",
        [STAT_CPU_PRESSURE_FULL] = "CPUPressureFullUSec",
        [STAT_CPU_PRESSURE_FULL_AVG10] = "CPUPressureFullAvg10",
        [STAT_IO_PRESSURE_SOME] = "IOPressureSomeUSec",
        [STAT_IO_PRESSURE_SOME_AVG10] = "IOPressureSomeAvg10",
        [STAT_IO_PRESSURE_FULL] = "IOPressureFullUSec",
        [STAT_IO_PRESSURE_FULL_AVG10] = "IOPressureFullAvg10",
        [STAT_DISK_CURRENT] = "DiskCurrent",
        [STAT_DISK_MAX] = "DiskMax",
        [STAT_DISK_INODES_CURRENT] = "DiskInodesCurrent",
        [STAT_DISK_INODES_MAX] = "DiskInodesMax",
        [STAT_NETWORK_RECEIVE_BYTES] = "NetworkReceiveBytes",
        [STAT_NETWORK_TRANSMIT_BYTES] = "NetworkTransmitBytes",
        [STAT_NETWORK_RECEIVE_PACKETS] = "NetworkReceivePackets",
        [STAT_NETWORK_TRANSMIT_PACKETS] = "NetworkTransmitPackets",
        [STAT_NETWORK_RECEIVE_DROPPED] = "NetworkReceiveDropped",
        [STAT_NETWORK_TRANSMIT_DROPPED] = "NetworkTransmitDropped",
        [STAT_NETWORK_RECEIVE_LIMIT_DROPPED] = "NetworkReceiveLimitDropped",
        [STAT_NETWORK_TRANSMIT_LIMIT_DROPPED] = "NetworkTransmitLimitDropped",
        [STAT_NETWORK_RECEIVE_LIMIT_DELAYED] = "NetworkReceiveLimitDelayed",
        [STAT_NETWORK_TRANSMIT_LIMIT_DELAYED] = "NetworkTransmitLimitDelayed",
        [STAT_UPTIME] = "UptimeUSec",
};

const char *stat_to_string(Stat stat)
{
        return (int)stat >= 0 && stat < _STAT_MAX ? stat_table[stat] : NULL;
}

Stat stat_from_string(const char *s)
{
        for (int i = 0; i < _STAT_MAX; i++)
                if (strcmp(stat_table[i], s) == 0)
                        return (Stat)i;
        return _STAT_INVALID;
}

size_t stats_pack(const Stats *stats, uint64_t *ret)
{
        uint64_t *p = ret;

        *p++ = stats->set;
        *p++ = stats->n_devices;
        for (uint64_t left = stats->set; left; left &= left - 1)
                *p++ = stats->values[__builtin_ctzll(left)];
        for (uint32_t i = 0; i < stats->n_devices; i++) {
                const StatsDevice *device = &stats->devices[i];

                *p++ = (uint64_t)device->major << 32 | device->minor;
                *p++ = device->read_bytes;
                *p++ = device->write_bytes;
                *p++ = device->read_operations;
                *p++ = device->write_operations;
        }
        return (size_t)(p - ret);
}

size_t stats_unpack(const uint64_t *packed, Stats *ret)
{
        const uint64_t *p = packed;

        ret->set = *p++;
        ret->n_devices = (uint32_t)*p++;
        for (uint64_t left = ret->set; left; left &= left - 1)
                ret->values[__builtin_ctzll(left)] = *p++;
        for (uint32_t i = 0; i < ret->n_devices; i++, p += 5)
                ret->devices[i] = (StatsDevice){
                        .major = (uint32_t)(p[0] >> 32),
                        .minor = (uint32_t)p[0],
                        .read_bytes = p[1],
                        .write_bytes = p[2],
                        .read_operations = p[3],
                        .write_operations = p[4],
                };
        return (size_t)(p - packed);
}
