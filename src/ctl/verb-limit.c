/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* limit: changes the limits of a container, or shows them beside what is in use. */

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

static const TableColumn limit_columns[] = {
        { .title = "LIMIT" },
        { .title = "VALUE", .is_right = 1, .is_shrinkable = 1 },
        { .title = "IN USE", .is_right = 1 },
};

static int set_limits(sd_bus *bus, const char *name, const Limits *limits, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_container_path(name, &path, fault);
        if (r >= 0)
                r = bus_new_call(bus, path, WARDEN_CONTAINER, "SetLimits", &m, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = limit_text_append(m, limits);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the limits");
        return bus_call(bus, m, BUS_TIMEOUT_USEC, name, NULL, fault);
}

/* What is counted in the same unit as the limit, and what it means that there is more already. */
typedef struct Use {
        Limit limit;
        const char *key;
        int is_bytes;
        const char *consequence; /* NULL: the kernel sees to it that there is not */
} Use;

static const Use limit_uses[] = {
        { LIMIT_MEMORY_MAX, "MemoryCurrent", 1, NULL },
        { LIMIT_MEMORY_HIGH, "MemoryCurrent", 1, "it is slowed down while memory is taken back" },
        { LIMIT_MEMORY_SWAP_MAX, "MemorySwapCurrent", 1, "no more is swapped out" },
        { LIMIT_TASKS_MAX, "TasksCurrent", 0, "there are no new ones until enough have ended" },
        { LIMIT_DISK_MAX, "DiskCurrent", 1, "nothing can be added until enough is deleted" },
        { LIMIT_DISK_INODES_MAX, "DiskInodesCurrent", 0,
          "no files can be made until enough are deleted" },
};

static void format_use(const Use *use, uint64_t value, char ret[TEXT_BYTES_MAX])
{
        if (use->is_bytes)
                text_format_bytes(value, ret);
        else
                (void)snprintf(ret, TEXT_BYTES_MAX, "%" PRIu64, value);
}

static void format_usage(struct json_object *stats, const char *name, char ret[TEXT_BYTES_MAX])
{
        (void)snprintf(ret, TEXT_BYTES_MAX, "-");
        for (size_t i = 0; i < ELEMENTSOF(limit_uses); i++) {
                uint64_t value = json_get_u64(stats, limit_uses[i].key, UINT64_MAX);

                if (strcmp(limit_to_string(limit_uses[i].limit), name) == 0 && value != UINT64_MAX)
                        format_use(&limit_uses[i], value, ret);
        }
}

static int print_limits(struct json_object *limits, struct json_object *stats, const Output *output)
{
        _drop_(drop_table) Table *table = table_new(limit_columns, ELEMENTSOF(limit_columns));

        if (!table)
                return -ENOMEM;
        json_object_object_foreach(limits, name, value)
        {
                _drop_(drop_free) char *text = limit_text_format(name, value);
                char usage[TEXT_BYTES_MAX];
                int r;

                format_usage(stats, name, usage);
                r = table_add(table, TABLE_COLOR_NONE, limit_text_name(name));
                if (r >= 0)
                        r = table_add(table, TABLE_COLOR_NONE, text ?: "?");
                if (r >= 0)
                        r = table_add(table, TABLE_COLOR_NONE, usage);
                if (r < 0)
                        return r;
        }
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "limit");
}

/* A container that is stopped uses nothing. */
static struct json_object *get_stats(sd_bus *bus, const char *path)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        struct json_object *stats;
        Fault ignored = FAULT_INIT;

        if (bus_new_call(bus, path, WARDEN_CONTAINER, "GetStats", &m, &ignored) < 0 ||
            bus_call(bus, m, BUS_TIMEOUT_USEC, NULL, &reply, &ignored) < 0 ||
            json_from_message(reply, &stats) < 0)
                return json_object_new_object();
        return stats;
}

/* It has been set; whoever lowered it below what is in use should know what comes of it. */
static void tell_exceeded(sd_bus *bus, const char *name, const Limits *limits)
{
        _drop_(drop_json) struct json_object *stats = NULL;
        _drop_(drop_free) char *path = NULL;

        if (bus_container_path(name, &path, NULL) < 0)
                return;
        stats = get_stats(bus, path);
        for (size_t i = 0; i < ELEMENTSOF(limit_uses); i++) {
                const Use *use = &limit_uses[i];
                uint64_t value = json_get_u64(stats, use->key, 0);
                char text[TEXT_BYTES_MAX];

                if (!use->consequence || !limits_has(limits, use->limit) ||
                    value <= limits->values[use->limit])
                        continue;
                format_use(use, value, text);
                complain("%s: %s %s in use: %s", limit_text_name(limit_to_string(use->limit)), text,
                         use->is_bytes ? "is" : "are", use->consequence);
        }
}

static int show_limits(sd_bus *bus, const char *name, const Output *output, Fault *fault)
{
        _drop_(drop_json) struct json_object *container = NULL, *stats = NULL;
        _drop_(drop_free) char *path = NULL;
        struct json_object *limits;
        int r;

        r = bus_container_path(name, &path, fault);
        if (r >= 0)
                r = bus_get_properties(bus, path, WARDEN_CONTAINER, name, &container, fault);
        if (r < 0)
                return r;
        limits = json_get_typed(container, "Limits", json_type_object);
        if (!limits)
                return fault_set(fault, FAULT_FAILED, -EBADMSG, "wardend tells no limits");
        if (output->is_json) {
                json_print(limits);
                return 0;
        }
        stats = get_stats(bus, path);
        return print_limits(limits, stats, output);
}

static int parse_values(char **values, Limits *limits, Fault *fault)
{
        for (; *values; values++) {
                int r = value_parse_property(*values, limits, fault);

                if (r < 0)
                        return r;
        }
        return 0;
}

int verb_limit(Command *command)
{
        const OptionUse uses[] = { { &output_option_group, &command->output } };
        _drop_(limits_done) Limits limits = { .set = 0 };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = parse_values(arguments + 1, &limits, &fault);
        if (r >= 0)
                r = bus_open(&bus, &fault);
        if (r >= 0 && arguments[1]) {
                r = set_limits(bus, arguments[0], &limits, &fault);
                if (r >= 0)
                        tell_exceeded(bus, arguments[0], &limits);
        } else if (r >= 0) {
                r = show_limits(bus, arguments[0], &command->output, &fault);
        }
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
