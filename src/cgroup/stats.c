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
