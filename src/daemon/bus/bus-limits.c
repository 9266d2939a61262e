/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-limits.h"

static Limits *limits_of(const DictKey *key, void *target)
{
        return (Limits *)(void *)((uint8_t *)target + key->offset);
}

int bus_limits_set_number(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        uint64_t value;
        int r = sd_bus_message_read(m, "t", &value);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        return limits_set(limits_of(key, target), limit_from_string(key->name), value, fault);
}

int bus_limits_set_cpus(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : limits_set_cpus(limits_of(key, target), text, fault);
}

static int add_device(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        DeviceLimitKind kind = device_limit_kind_from_string(key->name);
        const char *node;
        uint64_t value;
        int r = sd_bus_message_read(m, "(st)", &node, &value);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : limits_add_device(limits_of(key, target), kind, node, value, fault);
}

/* An empty list is given, too: it takes back what there is. */
int bus_limits_set_devices(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        limits_of(key, target)->devices_set |= UINT32_C(1)
                                               << device_limit_kind_from_string(key->name);
        return bus_dict_read_each(m, key, "(st)", add_device, target, fault);
}

int bus_limits_set_bandwidth(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        Bandwidth bandwidth;
        int r = sd_bus_message_read(m, "(tt)", &bandwidth.rate, &bandwidth.burst);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : bandwidth_limits_set(&limits_of(key, target)->bandwidth, key->name,
                                            &bandwidth, fault);
}

static const DictKey limit_keys[] = {
        BUS_LIMIT_KEYS(0),
        { "DiskMax", "t", bus_limits_set_number, 0 },
        { "DiskInodesMax", "t", bus_limits_set_number, 0 },
        BUS_BANDWIDTH_KEYS(0),
};

int bus_limits_read(sd_bus_message *m, Limits *ret, Fault *fault)
{
        return bus_dict_read(m, limit_keys, ELEMENTSOF(limit_keys), ret, fault);
}

static int append_devices(sd_bus_message *reply, const DeviceLimits *devices, DeviceLimitKind kind)
{
        int r;

        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", device_limit_kind_to_string(kind));
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "a(st)");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(st)");
        for (size_t i = 0; i < devices->n_items && r >= 0; i++)
                if (devices->items[i].kind == kind)
                        r = sd_bus_message_append(reply, "(st)", devices->items[i].node,
                                                  devices->items[i].value);
        for (int i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(reply);
        return r;
}

int bus_limits_append(sd_bus_message *reply, const Limits *limits)
{
        char cpus[CPU_SET_TEXT_MAX];
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (int i = 0; i < _LIMIT_MAX && r >= 0; i++)
                if (limits_has(limits, (Limit)i))
                        r = sd_bus_message_append(reply, "{sv}", limit_to_string((Limit)i), "t",
                                                  limits->values[i]);
        if (r >= 0 && limits->has_cpus) {
                cpu_set_format(&limits->cpus, cpus);
                r = sd_bus_message_append(reply, "{sv}", LIMIT_NAME_CPUS, "s", cpus);
        }
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX && r >= 0; i++)
                if (limits_has_devices(limits, (DeviceLimitKind)i))
                        r = append_devices(reply, &limits->devices, (DeviceLimitKind)i);
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX && r >= 0; i++)
                if (bandwidth_limits_has(&limits->bandwidth, (BandwidthDirection)i))
                        r = sd_bus_message_append(
                                reply, "{sv}", bandwidth_direction_to_string((BandwidthDirection)i),
                                "(tt)", limits->bandwidth.of[i].rate,
                                limits->bandwidth.of[i].burst);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}
