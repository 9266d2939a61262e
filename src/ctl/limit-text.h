/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "model/limits.h"

struct json_object;

/* Limits as people write and read them, and on their way to the daemon or to systemd. */

/* "/dev/sda 10M" as in unit files, or "/dev/sda:10M" as the container tools have it. Another path
 * than one below /dev stands for the device that it is on. "" takes back what there is.
 * Returns 0; negative errno with a fault. */
int limit_text_parse_device(DeviceLimitKind kind, const char *text, Limits *limits, Fault *fault);

/* "RATE" or "RATE:BURST" in bytes, with K, M and G of 1000, or "infinity".
 * @name   of a direction or of both
 * Returns 0; negative errno with a fault. */
int limit_text_parse_bandwidth(const char *name, const char *text, Limits *limits, Fault *fault);

/* Appends an entry {sv} for each that is given, as CreateContainer and SetLimits take them. */
int limit_text_append(sd_bus_message *m, const Limits *limits);

/* What people call the limit: CPUQuota, as in unit files, for what is CPUQuotaPerSecUSec on
 * buses. */
const char *limit_text_name(const char *name);

/* The value of a member of Limits, without its name: "512M", "150%", "0-3", "/dev/sda 10M",
 * "10M:64K".
 * Returns new memory; NULL when out of memory. */
char *limit_text_format(const char *name, struct json_object *value);
