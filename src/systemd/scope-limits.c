/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* systemd answers SetUnitProperties before it writes into the control group: that is done by its
 * main loop, between two messages. So a question is sent right behind, and its answer tells two
 * things, what is in force, and that it has been written. Both go out at once: changing a limit is
 * one round trip.
 *
 * An array property appends to what is there and an empty one resets, so that a list is sent as an
 * empty one and itself. */

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "systemd/scope-client.h"
#include "systemd/scope-limits.h"

#define SCOPE_INTERFACE "org.freedesktop.systemd1.Scope"
#define TIMEOUT_USEC (30 * USEC_PER_SEC)

struct ScopeLimitsCall {
        sd_bus_slot *set_slot, *get_slot;
        ScopeLimitsDone done;
        void *userdata;
};

/* To systemd */

static int append_cpus(sd_bus_message *m, const CpuSet *cpus)
{
        int r;

        r = sd_bus_message_open_container(m, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", LIMIT_NAME_CPUS);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "ay");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', cpus->bits, cpu_set_size(cpus));
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_device_list(sd_bus_message *m, const DeviceLimits *devices, DeviceLimitKind kind)
{
        int r;

        r = sd_bus_message_open_container(m, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", device_limit_kind_to_string(kind));
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a(st)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(st)");
        for (size_t i = 0; i < devices->n_items && r >= 0; i++)
                if (devices->items[i].kind == kind)
                        r = sd_bus_message_append(m, "(st)", devices->items[i].node,
                                                  devices->items[i].value);
        for (int i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_devices(sd_bus_message *m, const Limits *limits)
{
        static const DeviceLimits none = { NULL, 0 };

        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX; i++) {
                DeviceLimitKind kind = (DeviceLimitKind)i;
                int r;

                if (!limits_has_devices(limits, kind))
                        continue;
                r = append_device_list(m, &none, kind);
                if (r >= 0)
                        r = append_device_list(m, &limits->devices, kind);
                if (r < 0)
                        return r;
        }
        return 0;
}

int scope_limits_append(sd_bus_message *m, const Limits *limits)
{
        int r;

        for (int i = 0; i < _LIMIT_MAX; i++) {
                Limit limit = (Limit)i;

                if (!limits_has(limits, limit) || !limit_is_of_scope(limit))
                        continue;
                r = sd_bus_message_append(m, "(sv)", limit_to_string(limit), "t",
                                          limits->values[limit]);
                if (r < 0)
                        return r;
        }
        if (limits->has_cpus) {
                r = append_cpus(m, &limits->cpus);
                if (r < 0)
                        return r;
        }
        return append_devices(m, limits);
}

/* From systemd */

static int read_devices(sd_bus_message *m, DeviceLimitKind kind, Limits *limits)
{
        const char *node;
        uint64_t value;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(st)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(st)", &node, &value)) > 0) {
                if (value == UINT64_MAX)
                        continue;
                r = device_limits_push(&limits->devices, kind, node, value);
                if (r < 0)
                        return r;
                limits->devices_set |= UINT32_C(1) << kind;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_cpus(sd_bus_message *m, Limits *limits)
{
        const void *data;
        size_t size;
        int r;

        r = sd_bus_message_read_array(m, 'y', &data, &size);
        if (r >= 0)
                r = cpu_set_from_bytes(data, size, &limits->cpus);
        if (r >= 0)
                limits->has_cpus = cpu_set_size(&limits->cpus) > 0;
        return r;
}

static int read_property(sd_bus_message *m, const char *name, Limits *limits)
{
        DeviceLimitKind kind = device_limit_kind_from_string(name);
        int is_cpus = strcmp(name, LIMIT_NAME_CPUS) == 0, r;
        Limit limit = limit_from_string(name);
        const char *type = (int)kind >= 0 ? "a(st)" : is_cpus ? "ay" : "t";

        if (((int)limit < 0 || !limit_is_of_scope(limit)) && (int)kind < 0 && !is_cpus)
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_enter_container(m, 'v', type);
        if (r < 0)
                return r;
        if ((int)kind >= 0)
                r = read_devices(m, kind, limits);
        else if (is_cpus)
                r = read_cpus(m, limits);
        else
                r = sd_bus_message_read(m, "t", &limits->values[limit]);
        if (r < 0)
                return r;
        if ((int)limit >= 0 && limits->values[limit] != UINT64_MAX)
                limits->set |= UINT32_C(1) << limit;
        return sd_bus_message_exit_container(m);
}

int scope_limits_read(sd_bus_message *m, Limits *ret)
{
        Limits limits = { .set = 0 };
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = read_property(m, name, &limits);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0) {
                limits_done(&limits);
                return r == -ENXIO ? -EBADMSG : r;
        }
        *ret = limits;
        return 0;
}

/* The call */

/* The owner may free the call from within its function: nothing touches it afterwards. */
static void call_finish(ScopeLimitsCall *call, int error, const Limits *in_force,
                        const Fault *fault)
{
        call->set_slot = sd_bus_slot_unref(call->set_slot);
        call->get_slot = sd_bus_slot_unref(call->get_slot);
        call->done(call->userdata, error, in_force, fault);
}

static void call_fail(ScopeLimitsCall *call, const sd_bus_error *e)
{
        int r = -sd_bus_error_get_errno(e);
        Fault fault = FAULT_INIT;

        r = fault_set(&fault, FAULT_FAILED, r < 0 ? r : -EIO, "systemd: %s",
                      e->message ? e->message : e->name);
        call_finish(call, r, NULL, &fault);
}

static int on_set(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                call_fail(userdata, e);
        return 0;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        ScopeLimitsCall *call = userdata;
        Limits in_force = { .set = 0 };
        Fault fault = FAULT_INIT;
        int r;

        if (e) {
                call_fail(call, e);
                return 0;
        }
        r = scope_limits_read(m, &in_force);
        if (r < 0)
                (void)fault_set(&fault, FAULT_FAILED, r, "Cannot use systemd's answer: %m");
        call_finish(call, r, &in_force, &fault);
        limits_done(&in_force);
        return 0;
}

static int send_set(ScopeLimitsCall *call, SystemdClient *client, const char *unit,
                    const Limits *changes)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, "SetUnitProperties");
        if (r >= 0)
                r = sd_bus_message_append(m, "sb", unit, 1);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r >= 0)
                r = scope_limits_append(m, changes);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r
                     : sd_bus_call_async(client->bus, &call->set_slot, m, on_set, call,
                                         TIMEOUT_USEC);
}

static int send_get(ScopeLimitsCall *call, SystemdClient *client, const char *unit)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(client->bus, &m, SYSTEMD_NAME, path,
                                                   "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", SCOPE_INTERFACE);
        return r < 0 ? r
                     : sd_bus_call_async(client->bus, &call->get_slot, m, on_properties, call,
                                         TIMEOUT_USEC);
}

int scope_limits_begin(SystemdClient *client, const char *unit, const Limits *changes,
                       ScopeLimitsDone done, void *userdata, ScopeLimitsCall **ret, Fault *fault)
{
        _drop_(drop_scope_limits_call) ScopeLimitsCall *call = calloc(1, sizeof(*call));
        int r = 0;

        if (!call)
                return -ENOMEM;
        call->done = done;
        call->userdata = userdata;
        if (changes)
                r = send_set(call, client, unit, changes);
        if (r >= 0)
                r = send_get(call, client, unit);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot ask systemd: %m");
        *ret = take_ptr(call);
        return 0;
}

ScopeLimitsCall *scope_limits_call_free(ScopeLimitsCall *call)
{
        if (!call)
                return NULL;
        sd_bus_slot_unref(call->set_slot);
        sd_bus_slot_unref(call->get_slot);
        free(call);
        return NULL;
}
