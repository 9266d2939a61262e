/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Only nodes below /dev: which device a file lies on would have to be looked up on its file system,
 * which may hang, and may be another one the next time. wardenctl does that for people. */

#include <errno.h>
#include <string.h>

#include "model/device-limit.h"
#include "model/path.h"

static const char *const kind_table[_DEVICE_LIMIT_KIND_MAX] = {
        [DEVICE_LIMIT_READ_BANDWIDTH] = "IOReadBandwidthMax",
        [DEVICE_LIMIT_WRITE_BANDWIDTH] = "IOWriteBandwidthMax",
        [DEVICE_LIMIT_READ_IOPS] = "IOReadIOPSMax",
        [DEVICE_LIMIT_WRITE_IOPS] = "IOWriteIOPSMax",
};

const char *device_limit_kind_to_string(DeviceLimitKind kind)
{
        return (int)kind >= 0 && kind < _DEVICE_LIMIT_KIND_MAX ? kind_table[kind] : NULL;
}

DeviceLimitKind device_limit_kind_from_string(const char *s)
{
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX; i++)
                if (strcmp(kind_table[i], s) == 0)
                        return (DeviceLimitKind)i;
        return _DEVICE_LIMIT_KIND_INVALID;
}

void device_limits_done(DeviceLimits *limits)
{
        for (size_t i = 0; i < limits->n_items; i++)
                free(limits->items[i].node);
        free(limits->items);
        *limits = (DeviceLimits){ NULL, 0 };
}

static int check(const DeviceLimits *limits, const char *name, DeviceLimitKind kind,
                 const char *node, uint64_t value, Fault *fault)
{
        int r = path_check(node, name, NULL, fault);

        if (r < 0)
                return r;
        if (strncmp(node, "/dev/", 5) != 0 || strlen(node) > DEVICE_NODE_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.128s' is not a device node such as /dev/sda", name, node);
        if (value == 0)
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "%s: 0 for %.128s would let nothing through", name, node);
        if (device_limits_find(limits, kind, node))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: %.128s is given twice", name,
                                 node);
        if (limits->n_items >= DEVICE_LIMITS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "%s: more than %d limits of devices",
                                 name, DEVICE_LIMITS_MAX);
        return 0;
}

int device_limits_push(DeviceLimits *limits, DeviceLimitKind kind, const char *node, uint64_t value)
{
        DeviceLimit *larger;
        char *copy;

        if (limits->n_items >= DEVICE_LIMITS_MAX)
                return -E2BIG;
        larger = reallocarray(limits->items, limits->n_items + 1, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        limits->items = larger;
        copy = strdup(node);
        if (!copy)
                return -ENOMEM;
        limits->items[limits->n_items++] = (DeviceLimit){ kind, copy, value };
        return 0;
}

int device_limits_add(DeviceLimits *limits, DeviceLimitKind kind, const char *node, uint64_t value,
                      Fault *fault)
{
        const char *name = device_limit_kind_to_string(kind);
        int r;

        if (!name)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "There is no limit of devices of number %d", (int)kind);
        r = check(limits, name, kind, node, value, fault);
        return r < 0 ? r : device_limits_push(limits, kind, node, value);
}

const DeviceLimit *device_limits_find(const DeviceLimits *limits, DeviceLimitKind kind,
                                      const char *node)
{
        for (size_t i = 0; i < limits->n_items; i++)
                if (limits->items[i].kind == kind && strcmp(limits->items[i].node, node) == 0)
                        return &limits->items[i];
        return NULL;
}

void device_limits_clear(DeviceLimits *limits, DeviceLimitKind kind)
{
        size_t kept = 0;

        for (size_t i = 0; i < limits->n_items; i++)
                if (limits->items[i].kind == kind)
                        free(limits->items[i].node);
                else
                        limits->items[kept++] = limits->items[i];
        limits->n_items = kept;
}

int device_limits_append(DeviceLimits *to, const DeviceLimits *from, DeviceLimitKind kind)
{
        for (size_t i = 0; i < from->n_items; i++) {
                const DeviceLimit *item = &from->items[i];
                int r;

                if (item->kind != kind)
                        continue;
                r = device_limits_push(to, kind, item->node, item->value);
                if (r < 0)
                        return r;
        }
        return 0;
}

int device_limits_are_equal(const DeviceLimits *a, const DeviceLimits *b)
{
        if (a->n_items != b->n_items)
                return 0;
        for (size_t i = 0; i < a->n_items; i++) {
                const DeviceLimit *item = &a->items[i];
                const DeviceLimit *other = device_limits_find(b, item->kind, item->node);

                if (!other || other->value != item->value)
                        return 0;
        }
        return 1;
}
