/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* capacity: what there is for containers on the daemon's host, and what of it is free. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/text.h"
#include "ctl/verb.h"

#define PREFIX "Capacity"

typedef struct Kind {
        const char *title;
        const char *total, *free;
        int is_bytes;
} Kind;

static const Kind kinds[] = {
        { "Memory", PREFIX "Memory", PREFIX "MemoryFree", 1 },
        { "Disk", PREFIX "Disk", PREFIX "DiskFree", 1 },
        { "Containers", PREFIX "Containers", PREFIX "ContainersFree", 0 },
        { "User ranges", PREFIX "Users", PREFIX "UsersFree", 0 },
        { "Ports", PREFIX "Ports", PREFIX "PortsFree", 0 },
        { "Networks", PREFIX "Networks", PREFIX "NetworksFree", 0 },
};

static void format_amount(uint64_t value, int is_bytes, char ret[TEXT_BYTES_MAX])
{
        if (is_bytes)
                text_format_bytes(value, ret);
        else
                (void)snprintf(ret, TEXT_BYTES_MAX, "%" PRIu64, value);
}

static int add_row(Table *table, const Kind *kind, struct json_object *properties)
{
        uint64_t total = json_get_u64(properties, kind->total, 0);
        uint64_t free_amount = json_get_u64(properties, kind->free, 0);
        uint64_t amounts[] = { total, total > free_amount ? total - free_amount : 0, free_amount };
        int r;

        r = table_add(table, TABLE_COLOR_NONE, kind->title);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(amounts); i++) {
                char text[TEXT_BYTES_MAX];

                format_amount(amounts[i], kind->is_bytes, text);
                r = table_add(table, TABLE_COLOR_NONE, text);
        }
        return r;
}

static int print_capacity(struct json_object *properties, const Output *output)
{
        static const TableColumn columns[] = {
                { .title = "WHAT" },
                { .title = "TOTAL", .is_right = 1 },
                { .title = "USED", .is_right = 1 },
                { .title = "FREE", .is_right = 1 },
        };
        _drop_(drop_table) Table *table = table_new(columns, ELEMENTSOF(columns));
        int r = 0;

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(kinds); i++)
                if (json_get_typed(properties, kinds[i].total, json_type_int))
                        r = add_row(table, &kinds[i], properties);
        if (r < 0)
                return r;
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), NULL);
}

/* The properties of that name, whichever the daemon has. */
static void print_json(struct json_object *properties)
{
        _drop_(drop_json) struct json_object *all = json_object_new_object();

        json_object_object_foreach(properties, key, value)
        {
                if (strncmp(key, PREFIX, strlen(PREFIX)) == 0)
                        json_object_object_add(all, key, json_object_get(value));
        }
        json_print(all);
}

int verb_capacity(Command *command)
{
        const OptionUse uses[] = { { &output_option_group, &command->output } };
        _drop_(drop_json) struct json_object *properties = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r >= 0)
                r = bus_get_properties(bus, WARDEN_PATH, WARDEN_MANAGER, NULL, &properties, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (command->output.is_json)
                print_json(properties);
        else
                r = print_capacity(properties, &command->output);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
