/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* What a container may ask of one block device: a list of (kind, device node, value), each kind and
 * node once. On the bus it is an a(st) for each kind, as systemd has it. */

typedef enum DeviceLimitKind {
        DEVICE_LIMIT_READ_BANDWIDTH,  /* IOReadBandwidthMax: bytes a second */
        DEVICE_LIMIT_WRITE_BANDWIDTH, /* IOWriteBandwidthMax */
        DEVICE_LIMIT_READ_IOPS,       /* IOReadIOPSMax: operations a second */
        DEVICE_LIMIT_WRITE_IOPS,      /* IOWriteIOPSMax */
        _DEVICE_LIMIT_KIND_MAX,
        _DEVICE_LIMIT_KIND_INVALID = -22,
} DeviceLimitKind;

const char *device_limit_kind_to_string(DeviceLimitKind kind); /* systemd's property name */
DeviceLimitKind device_limit_kind_from_string(const char *s);

#define DEVICE_LIMITS_MAX 64
#define DEVICE_NODE_MAX 255

typedef struct DeviceLimit {
        DeviceLimitKind kind;
        char *node;     /* "/dev/…" */
        uint64_t value; /* never 0; UINT64_MAX is none */
} DeviceLimit;

typedef struct DeviceLimits {
        DeviceLimit *items;
        size_t n_items;
} DeviceLimits;

void device_limits_done(DeviceLimits *limits);

/* Checks and appends. Returns 0; -EINVAL, -ERANGE, -E2BIG with a fault that names the property;
 * -ENOMEM. */
int device_limits_add(DeviceLimits *limits, DeviceLimitKind kind, const char *node, uint64_t value,
                      Fault *fault);

/* The same for what systemd says: nothing is checked but the number of them. */
int device_limits_push(DeviceLimits *limits, DeviceLimitKind kind, const char *node,
                       uint64_t value);

/* NULL when there is none. */
const DeviceLimit *device_limits_find(const DeviceLimits *limits, DeviceLimitKind kind,
                                      const char *node);

/* Forgets all of one kind. */
void device_limits_clear(DeviceLimits *limits, DeviceLimitKind kind);

/* Appends those of one kind. Returns 0; -ENOMEM, -E2BIG with @to as it was or with some of them. */
int device_limits_append(DeviceLimits *to, const DeviceLimits *from, DeviceLimitKind kind);

/* The same limits, in whatever order. */
int device_limits_are_equal(const DeviceLimits *a, const DeviceLimits *b);
