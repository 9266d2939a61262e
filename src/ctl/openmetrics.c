/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "basic/macro.h"
#include "ctl/json.h"
#include "ctl/openmetrics.h"

/* The unit is the end of the name and a line of its own; a counter's samples end in _total. */
typedef struct Family {
        const char *key; /* of GetStats */
        const char *name;
        const char *unit; /* NULL: none */
        const char *help;
        unsigned decimals; /* the value is a whole number of the unit's 10^-decimals */
        int is_counter;
} Family;

static const Family families[] = {
        { "UptimeUSec", "uptime", "seconds", "Time since the container was started.", 6, 0 },
        { "MemoryCurrent", "memory_current", "bytes", "Memory in use, with page cache.", 0, 0 },
        { "MemoryPeak", "memory_peak", "bytes", "The most memory that was in use.", 0, 0 },
        { "MemoryAnon", "memory_anon", "bytes", "Memory of processes that is in no file.", 0, 0 },
        { "MemoryFile", "memory_file", "bytes", "Page cache, with shared memory.", 0, 0 },
        { "MemoryInactiveFile", "memory_inactive_file", "bytes",
          "Page cache that goes first when memory is short.", 0, 0 },
        { "MemoryShmem", "memory_shmem", "bytes", "Shared memory and tmpfs.", 0, 0 },
        { "MemoryKernel", "memory_kernel", "bytes", "Memory of the kernel for it.", 0, 0 },
        { "MemorySwapCurrent", "memory_swap", "bytes", "Memory that was swapped out.", 0, 0 },
        { "MemoryMax", "memory_max", "bytes", "Limit of memory.", 0, 0 },
        { "MemoryHigh", "memory_high", "bytes", "Memory from which on it is slowed down.", 0, 0 },
        { "MemorySwapMax", "memory_swap_max", "bytes", "Limit of swap.", 0, 0 },
        { "OOMKills", "oom_kills", NULL, "Processes killed for want of memory.", 0, 1 },
        { "CPUUsageNSec", "cpu_usage", "seconds", "Processor time.", 9, 1 },
        { "CPUUserNSec", "cpu_user", "seconds", "Processor time in programs.", 9, 1 },
        { "CPUSystemNSec", "cpu_system", "seconds", "Processor time in the kernel.", 9, 1 },
        { "CPUPeriods", "cpu_periods", NULL, "Periods in which the quota was enforced.", 0, 1 },
        { "CPUThrottledPeriods", "cpu_throttled_periods", NULL,
          "Periods in which the quota was used up.", 0, 1 },
        { "CPUThrottledUSec", "cpu_throttled", "seconds", "Time spent waiting for quota.", 6, 1 },
        { "CPUQuotaPerSecUSec", "cpu_quota", "cores", "Limit of processors in use.", 6, 0 },
        { "TasksCurrent", "tasks", NULL, "Processes and threads.", 0, 0 },
        { "TasksMax", "tasks_max", NULL, "Limit of processes and threads.", 0, 0 },
        { "IOReadBytes", "io_read", "bytes", "Read from block devices.", 0, 1 },
        { "IOWriteBytes", "io_write", "bytes", "Written to block devices.", 0, 1 },
        { "IOReadOperations", "io_read_operations", NULL, "Reads of block devices.", 0, 1 },
        { "IOWriteOperations", "io_write_operations", NULL, "Writes to block devices.", 0, 1 },
        { "MemoryPressureSomeUSec", "memory_pressure_some", "seconds",
          "Time in which some tasks waited for memory.", 6, 1 },
        { "MemoryPressureFullUSec", "memory_pressure_full", "seconds",
          "Time in which all tasks waited for memory.", 6, 1 },
        { "CPUPressureSomeUSec", "cpu_pressure_some", "seconds",
          "Time in which some tasks waited for a processor.", 6, 1 },
        { "CPUPressureFullUSec", "cpu_pressure_full", "seconds",
          "Time in which all tasks waited for a processor.", 6, 1 },
        { "IOPressureSomeUSec", "io_pressure_some", "seconds",
          "Time in which some tasks waited for block devices.", 6, 1 },
        { "IOPressureFullUSec", "io_pressure_full", "seconds",
          "Time in which all tasks waited for block devices.", 6, 1 },
        { "DiskCurrent", "disk_current", "bytes", "Disk space in use.", 0, 0 },
        { "DiskMax", "disk_max", "bytes", "Limit of disk space.", 0, 0 },
        { "DiskInodesCurrent", "disk_inodes", NULL, "Inodes in use.", 0, 0 },
        { "DiskInodesMax", "disk_inodes_max", NULL, "Limit of inodes.", 0, 0 },
        { "NetworkReceiveBytes", "network_receive", "bytes", "Received by the container.", 0, 1 },
        { "NetworkTransmitBytes", "network_transmit", "bytes", "Sent by the container.", 0, 1 },
        { "NetworkReceivePackets", "network_receive_packets", NULL, "Packets received.", 0, 1 },
        { "NetworkTransmitPackets", "network_transmit_packets", NULL, "Packets sent.", 0, 1 },
        { "NetworkReceiveDropped", "network_receive_dropped", NULL,
          "Packets to the container that were dropped.", 0, 1 },
        { "NetworkTransmitDropped", "network_transmit_dropped", NULL,
          "Packets of the container that were dropped.", 0, 1 },
        { "NetworkReceiveLimitDropped", "network_receive_limit_dropped", NULL,
          "Packets to the container beyond its bandwidth.", 0, 1 },
        { "NetworkTransmitLimitDropped", "network_transmit_limit_dropped", NULL,
          "Packets of the container beyond its bandwidth.", 0, 1 },
        { "NetworkReceiveLimitDelayed", "network_receive_limit_delayed", NULL,
          "Times that a packet to the container waited for its bandwidth.", 0, 1 },
        { "NetworkTransmitLimitDelayed", "network_transmit_limit_delayed", NULL,
          "Times that a packet of the container waited for its bandwidth.", 0, 1 },
};

/* Of each block device, from IODevices: the place of the number in its structure. */
static const struct {
        Family family;
        size_t index;
} device_families[] = {
        { { NULL, "io_device_read", "bytes", "Read from a block device.", 0, 1 }, 2 },
        { { NULL, "io_device_write", "bytes", "Written to a block device.", 0, 1 }, 3 },
        { { NULL, "io_device_read_operations", NULL, "Reads of a block device.", 0, 1 }, 4 },
        { { NULL, "io_device_write_operations", NULL, "Writes to a block device.", 0, 1 }, 5 },
};

#define PREFIX "warden_container_"

static void print_escaped(FILE *out, const char *s)
{
        for (; *s; s++) {
                if (*s == '\\' || *s == '"')
                        fprintf(out, "\\%c", *s);
                else if (*s == '\n')
                        fputs("\\n", out);
                else
                        fputc(*s, out);
        }
}

static void print_label(FILE *out, const char *label, const char *value)
{
        fprintf(out, "%s=\"", label);
        print_escaped(out, value);
        fputc('"', out);
}

static void print_head(FILE *out, const Family *family)
{
        char name[128];

        (void)snprintf(name, sizeof(name), PREFIX "%s%s%s", family->name, family->unit ? "_" : "",
                       family->unit ? family->unit : "");
        fprintf(out, "# TYPE %s %s\n", name, family->is_counter ? "counter" : "gauge");
        if (family->unit)
                fprintf(out, "# UNIT %s %s\n", name, family->unit);
        fprintf(out, "# HELP %s %s\n", name, family->help);
}

static void print_sample_begin(FILE *out, const Family *family, const char *container)
{
        fprintf(out, PREFIX "%s%s%s%s{", family->name, family->unit ? "_" : "",
                family->unit ? family->unit : "", family->is_counter ? "_total" : "");
        print_label(out, "container", container);
}

/* Whole numbers are exact; none of them becomes a floating one on the way. */
static void print_value(FILE *out, const Family *family, uint64_t value)
{
        uint64_t unit = 1;

        for (unsigned i = 0; i < family->decimals; i++)
                unit *= 10;
        fprintf(out, "} %" PRIu64, value / unit);
        if (family->decimals > 0)
                fprintf(out, ".%0*" PRIu64, (int)family->decimals, value % unit);
        fputc('\n', out);
}

static void print_family(FILE *out, const Family *family, struct json_object *stats)
{
        int has_head = 0;

        json_object_object_foreach(stats, container, values)
        {
                uint64_t value = json_get_u64(values, family->key, UINT64_MAX);

                if (value == UINT64_MAX)
                        continue;
                if (!has_head)
                        print_head(out, family);
                has_head = 1;
                print_sample_begin(out, family, container);
                print_value(out, family, value);
        }
}

static void print_device(FILE *out, const Family *family, size_t index, const char *container,
                         struct json_object *device)
{
        char name[64];

        if (!json_object_is_type(device, json_type_array) ||
            json_object_array_length(device) <= index)
                return;
        (void)snprintf(name, sizeof(name), "%" PRIu64 ":%" PRIu64,
                       json_object_get_uint64(json_object_array_get_idx(device, 0)),
                       json_object_get_uint64(json_object_array_get_idx(device, 1)));
        print_sample_begin(out, family, container);
        fputc(',', out);
        print_label(out, "device", name);
        print_value(out, family, json_object_get_uint64(json_object_array_get_idx(device, index)));
}

static void print_device_family(FILE *out, const Family *family, size_t index,
                                struct json_object *stats)
{
        int has_head = 0;

        json_object_object_foreach(stats, container, values)
        {
                struct json_object *devices = json_get_typed(values, "IODevices", json_type_array);

                for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
                        if (!has_head)
                                print_head(out, family);
                        has_head = 1;
                        print_device(out, family, index, container,
                                     json_object_array_get_idx(devices, i));
                }
        }
}

static void print_states(FILE *out, struct json_object *stats)
{
        fputs("# TYPE warden_containers gauge\n"
              "# HELP warden_containers How many containers there are.\n",
              out);
        fprintf(out, "warden_containers %d\n", json_object_object_length(stats));
        if (json_object_object_length(stats) == 0)
                return;
        fputs("# TYPE " PREFIX "state gauge\n"
              "# HELP " PREFIX "state 1 for the state that the container is in.\n",
              out);
        json_object_object_foreach(stats, container, values)
        {
                fputs(PREFIX "state{", out);
                print_label(out, "container", container);
                fputc(',', out);
                print_label(out, "state", json_get_string(values, "State", "unknown"));
                fputs("} 1\n", out);
        }
}

void openmetrics_print(FILE *out, struct json_object *stats)
{
        int is_up = json_object_is_type(stats, json_type_object);

        fputs("# TYPE warden_up gauge\n# HELP warden_up 1 when wardend answers.\n", out);
        fprintf(out, "warden_up %d\n", is_up);
        if (is_up) {
                print_states(out, stats);
                for (size_t i = 0; i < ELEMENTSOF(families); i++)
                        print_family(out, &families[i], stats);
                for (size_t i = 0; i < ELEMENTSOF(device_families); i++)
                        print_device_family(out, &device_families[i].family,
                                            device_families[i].index, stats);
        }
        fputs("# EOF\n", out);
}
