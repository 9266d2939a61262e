/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-dict.h"
#include "model/limits.h"

/* Limits on the bus: keys of CreateContainer and of SetLimits, and the property. Spelled and typed
 * as systemd's, but for AllowedCPUs, which is text here as in its unit files. */

int bus_limits_set_number(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_limits_set_cpus(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_limits_set_devices(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

int bus_limits_set_bandwidth(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

/* Rows of a table of keys, for a target that has its Limits at @offset. */
#define BUS_LIMIT_KEYS(offset)                                                      \
        { "MemoryMax", "t", bus_limits_set_number, offset },                        \
                { "MemoryHigh", "t", bus_limits_set_number, offset },               \
                { "MemorySwapMax", "t", bus_limits_set_number, offset },            \
                { "CPUWeight", "t", bus_limits_set_number, offset },                \
                { "CPUQuotaPerSecUSec", "t", bus_limits_set_number, offset },       \
                { "AllowedCPUs", "s", bus_limits_set_cpus, offset },                \
                { "TasksMax", "t", bus_limits_set_number, offset },                 \
                { "IOWeight", "t", bus_limits_set_number, offset },                 \
                { "IOReadBandwidthMax", "a(st)", bus_limits_set_devices, offset },  \
                { "IOWriteBandwidthMax", "a(st)", bus_limits_set_devices, offset }, \
                { "IOReadIOPSMax", "a(st)", bus_limits_set_devices, offset },       \
        {                                                                           \
                "IOWriteIOPSMax", "a(st)", bus_limits_set_devices, offset           \
        }

/* What only a container has. */
#define BUS_BANDWIDTH_KEYS(offset)                                                   \
        { BANDWIDTH_NAME_BOTH, "(tt)", bus_limits_set_bandwidth, offset },           \
                { "BandwidthReceiveMax", "(tt)", bus_limits_set_bandwidth, offset }, \
        {                                                                            \
                "BandwidthTransmitMax", "(tt)", bus_limits_set_bandwidth, offset     \
        }

/* Reads SetLimits' a{sv} into @ret, which is empty and the caller's, also on failure. Returns 0;
 * negative errno with a fault that names the key. */
int bus_limits_read(sd_bus_message *m, Limits *ret, Fault *fault);

/* Appends an a{sv} of those that are given. */
int bus_limits_append(sd_bus_message *reply, const Limits *limits);
