/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* slice: the slices that bind containers together. They are systemd's own, so it is systemd that is
 * asked: what is set here is what `systemctl set-property warden-NAME.slice` sets. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/limit-text.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/text.h"
#include "ctl/value.h"
#include "ctl/verb.h"
#include "model/slice.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"

static const TableColumn slice_columns[] = {
        { .title = "SLICE", .is_shrinkable = 1 },
        { .title = "MEMORY", .is_right = 1 },
        { .title = "TASKS", .is_right = 1 },
        { .title = "LIMITS", .is_shrinkable = 1 },
};

typedef struct SliceOptions {
        int is_runtime;
} SliceOptions;

static const Option slice_options[] = {
        { 'r', "runtime", NULL, "until the next boot only" },
};

static int slice_set(void *target, int key, const char *value, Fault *fault)
{
        SliceOptions *options = target;

        options->is_runtime = 1;
        return 0;
}

static const OptionGroup slice_option_group = {
        .title = "Slices",
        .options = slice_options,
        .n_options = ELEMENTSOF(slice_options),
        .set = slice_set,
};

static int systemd_fault(Fault *fault, const sd_bus_error *error, int r)
{
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_ACCESS_DENIED,
                                   SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
                return fault_set(fault, FAULT_FAILED, r, "Access denied. You must be root.");
        return fault_set(fault, FAULT_FAILED, r, "systemd: %s",
                         error->message ? error->message : strerror(-r));
}

/* The properties of a slice as JSON. */
static int get_slice(sd_bus *bus, const char *path, struct json_object **ret, Fault *fault)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_message) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll",
                               &error, &reply, "s", SYSTEMD ".Slice");
        if (r < 0)
                return systemd_fault(fault, &error, r);
        r = json_from_message(reply, ret);
        return r < 0 ? bus_fault_local(fault, r, "Cannot read systemd's answer") : 0;
}

/* What is set of it, as an object of limits: what is infinite is not. */
static struct json_object *limits_of(struct json_object *slice)
{
        struct json_object *limits = json_object_new_object();

        for (int i = 0; i < _LIMIT_MAX; i++) {
                uint64_t value = json_get_u64(slice, limit_to_string((Limit)i), UINT64_MAX);

                if (value != UINT64_MAX)
                        json_object_object_add(limits, limit_to_string((Limit)i),
                                               json_object_new_uint64(value));
        }
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX; i++) {
                const char *name = device_limit_kind_to_string((DeviceLimitKind)i);
                struct json_object *list = json_get_typed(slice, name, json_type_array);

                if (list && json_object_array_length(list) > 0)
                        json_object_object_add(limits, name, json_object_get(list));
        }
        return limits;
}

static int list_add(sd_bus *bus, const char *name, const char *path, struct json_object *list,
                    Fault *fault)
{
        _drop_(drop_json) struct json_object *slice = NULL;
        struct json_object *row;
        int r;

        r = get_slice(bus, path, &slice, fault);
        if (r < 0)
                return r;
        row = json_object_new_object();
        json_object_object_add(row, "Name", json_object_new_string(name));
        for (size_t i = 0; i < 2; i++) {
                const char *key = i == 0 ? "MemoryCurrent" : "TasksCurrent";
                uint64_t value = json_get_u64(slice, key, UINT64_MAX);

                if (value != UINT64_MAX)
                        json_object_object_add(row, key, json_object_new_uint64(value));
        }
        json_object_object_add(row, "Limits", limits_of(slice));
        json_object_array_add(list, row);
        return 0;
}

static int get_slices(sd_bus *bus, struct json_object *list, Fault *fault)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_message) sd_bus_message *reply = NULL;
        const char *name, *path;
        int r;

        r = sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager",
                               "ListUnitsByPatterns", &error, &reply, "asas", 1, "active", 1,
                               "warden-*.slice");
        if (r < 0)
                return systemd_fault(fault, &error, r);
        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, NULL,
                                                  NULL, NULL, &path, NULL, NULL, NULL)) > 0) {
                r = list_add(bus, name, path, list, fault);
                if (r < 0)
                        return r;
        }
        return r < 0 ? bus_fault_local(fault, r, "Cannot read systemd's answer") : 0;
}

static int add_row(Table *table, struct json_object *row)
{
        struct json_object *limits = json_get_typed(row, "Limits", json_type_object);
        uint64_t memory = json_get_u64(row, "MemoryCurrent", UINT64_MAX);
        uint64_t tasks = json_get_u64(row, "TasksCurrent", UINT64_MAX);
        char line[512] = "", bytes[TEXT_BYTES_MAX] = "-", count[24] = "-";
        size_t n = 0;
        int r;

        json_object_object_foreach(limits, name, value)
        {
                _drop_(drop_free) char *text = limit_text_format(name, value);
                int size = snprintf(line + n, sizeof(line) - n, "%s%s=%s", n ? " " : "",
                                    limit_text_name(name), text ?: "?");

                if (size > 0 && (size_t)size < sizeof(line) - n)
                        n += (size_t)size;
        }
        if (memory != UINT64_MAX)
                text_format_bytes(memory, bytes);
        if (tasks != UINT64_MAX)
                (void)snprintf(count, sizeof(count), "%" PRIu64, tasks);
        r = table_add(table, TABLE_COLOR_NONE, json_get_string(row, "Name", "?"));
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, bytes);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, count);
        return r < 0 ? r : table_add(table, TABLE_COLOR_NONE, n ? line : "-");
}

static int list_slices(sd_bus *bus, const Output *output, Fault *fault)
{
        _drop_(drop_json) struct json_object *list = json_object_new_array();
        _drop_(drop_table) Table *table = NULL;
        int r;

        r = get_slices(bus, list, fault);
        if (r < 0)
                return r;
        if (output->is_json) {
                json_print(list);
                return 0;
        }
        table = table_new(slice_columns, ELEMENTSOF(slice_columns));
        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(list) && r >= 0; i++) {
                struct json_object *row = json_object_array_get_idx(list, i);

                if (output->is_quiet)
                        puts(json_get_string(row, "Name", "?"));
                else
                        r = add_row(table, row);
        }
        if (output->is_quiet || r < 0)
                return r;
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "slice");
}

/* As systemd has them: AllowedCPUs is a bit mask on its bus, and a list adds to what is there. */
static int append_limits(sd_bus_message *m, const Limits *limits)
{
        int r = 0;

        for (int i = 0; i < _LIMIT_MAX && r >= 0; i++)
                if (limits_has(limits, (Limit)i))
                        r = sd_bus_message_append(m, "(sv)", limit_to_string((Limit)i), "t",
                                                  limits->values[i]);
        if (r >= 0 && limits->has_cpus) {
                r = sd_bus_message_open_container(m, 'r', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", LIMIT_NAME_CPUS);
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', "ay");
                if (r >= 0)
                        r = sd_bus_message_append_array(m, 'y', limits->cpus.bits,
                                                        cpu_set_size(&limits->cpus));
                for (int i = 0; i < 2 && r >= 0; i++)
                        r = sd_bus_message_close_container(m);
        }
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX && r >= 0; i++)
                if (limits_has_devices(limits, (DeviceLimitKind)i))
                        r = sd_bus_message_append(m, "(sv)",
                                                  device_limit_kind_to_string((DeviceLimitKind)i),
                                                  "a(st)", 0);
        for (size_t i = 0; i < limits->devices.n_items && r >= 0; i++) {
                const DeviceLimit *item = &limits->devices.items[i];

                r = sd_bus_message_append(m, "(sv)", device_limit_kind_to_string(item->kind),
                                          "a(st)", 1, item->node, item->value);
        }
        return r;
}

static int set_limits(sd_bus *bus, const char *unit, const Limits *limits, int is_runtime,
                      Fault *fault)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager",
                                           "SetUnitProperties");
        if (r >= 0)
                r = sd_bus_message_append(m, "sb", unit, is_runtime);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r >= 0)
                r = append_limits(m, limits);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask systemd");
        r = sd_bus_call(bus, m, BUS_TIMEOUT_USEC, &error, NULL);
        return r < 0 ? systemd_fault(fault, &error, r) : 0;
}

static int parse_limits(char **values, Limits *limits, Fault *fault)
{
        if (!*values)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Which limit? For example: wardenctl slice limit NAME "
                                 "MemoryMax=4G");
        for (; *values; values++) {
                int r = value_parse_property(*values, limits, fault);

                if (r < 0)
                        return r;
        }
        for (int i = 0; i < _LIMIT_MAX; i++)
                if (limits_has(limits, (Limit)i) && !limit_is_of_scope((Limit)i))
                        return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                         "%s: is of a container, not of a slice",
                                         limit_to_string((Limit)i));
        if (limits->bandwidth.set)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: is of a container, not of a slice",
                                 bandwidth_limits_name(&limits->bandwidth));
        return 0;
}

static int limit_slice(sd_bus *bus, char **arguments, int is_runtime, Fault *fault)
{
        _drop_(limits_done) Limits limits = { .set = 0 };
        _drop_(drop_free) char *unit = NULL;
        int r;

        if (!arguments[0])
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Which slice?");
        r = slice_parse(arguments[0], &unit, fault);
        if (r >= 0)
                r = parse_limits(arguments + 1, &limits, fault);
        return r < 0 ? r : set_limits(bus, unit, &limits, is_runtime, fault);
}

int verb_slice(Command *command)
{
        SliceOptions options = { 0 };
        const OptionUse uses[] = { { &slice_option_group, &options },
                                   { &output_option_group, &command->output } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (!arguments[0] || (strcmp(arguments[0], "list") == 0 && !arguments[1]))
                r = list_slices(bus, &command->output, &fault);
        else if (strcmp(arguments[0], "limit") == 0)
                r = limit_slice(bus, arguments + 1, options.is_runtime, &fault);
        else
                r = fault_set(&fault, FAULT_INVALID, -EINVAL,
                              "'%.64s' is not 'list' or 'limit NAME LIMIT=VALUE…'", arguments[0]);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
