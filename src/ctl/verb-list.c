/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* list and info. Both read all objects with their properties in as few calls as can be: one for the
 * list, however long it is. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/text.h"
#include "ctl/verb.h"

/* The columns that every list has, and those that it has only when they say something. */
enum {
        COLUMN_ADDRESS = 1 << 0, /* any container has one, and the terminal has room */
        COLUMN_SLICE = 1 << 1,   /* any container is in one of its own */
};

#define LIST_COLUMNS_MAX 8
#define LIST_WIDE 100 /* columns of a terminal that has room for addresses */

static size_t choose_columns(unsigned extra, TableColumn ret[LIST_COLUMNS_MAX])
{
        static const struct {
                TableColumn column;
                unsigned extra;
        } all[] = {
                { { .title = "NAME", .is_shrinkable = 1 }, 0 },
                { { .title = "STATE" }, 0 },
                { { .title = "ADDRESS" }, COLUMN_ADDRESS },
                { { .title = "LEADER", .is_right = 1 }, 0 },
                { { .title = "AGE" }, 0 },
                { { .title = "JOBS", .is_right = 1 }, 0 },
                { { .title = "ROOT", .is_shrinkable = 1 }, 0 },
                { { .title = "SLICE", .is_shrinkable = 1 }, COLUMN_SLICE },
        };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                if (all[i].extra == 0 || (extra & all[i].extra))
                        ret[n++] = all[i].column;
        return n;
}

static TableColor state_color(const char *state)
{
        static const struct {
                const char *state;
                TableColor color;
        } colors[] = {
                { "active", TABLE_COLOR_GREEN },      { "creating", TABLE_COLOR_YELLOW },
                { "frozen", TABLE_COLOR_YELLOW },     { "stopping", TABLE_COLOR_YELLOW },
                { "destroying", TABLE_COLOR_YELLOW }, { "failed", TABLE_COLOR_RED },
                { "stopped", TABLE_COLOR_DIM },
        };

        for (size_t i = 0; i < ELEMENTSOF(colors); i++)
                if (strcmp(colors[i].state, state) == 0)
                        return colors[i].color;
        return TABLE_COLOR_NONE;
}

static void format_age(struct json_object *container, char ret[TEXT_SPAN_MAX])
{
        uint64_t created = json_get_u64(container, "CreatedTimestamp", 0);
        uint64_t now = io_now_realtime_usec();

        if (created == 0 || created > now)
                (void)snprintf(ret, TEXT_SPAN_MAX, "-");
        else
                text_format_span(now - created, ret);
}

static int list_add_row(Table *table, struct json_object *container, unsigned extra)
{
        struct json_object *jobs = json_get_typed(container, "Jobs", json_type_array);
        const char *state = json_get_string(container, "State", "?");
        const char *address = json_get_string(container, "ContainerAddress", "");
        uint64_t leader = json_get_u64(container, "Leader", 0);
        char leader_text[32], jobs_text[32], age[TEXT_SPAN_MAX];
        int r;

        (void)snprintf(leader_text, sizeof(leader_text), "%" PRIu64, leader);
        (void)snprintf(jobs_text, sizeof(jobs_text), "%zu",
                       jobs ? json_object_array_length(jobs) : 0);
        format_age(container, age);
        r = table_add(table, TABLE_COLOR_NONE, json_get_string(container, "Name", "?"));
        if (r >= 0)
                r = table_add(table, state_color(state), state);
        if (r >= 0 && (extra & COLUMN_ADDRESS))
                r = table_add(table, TABLE_COLOR_NONE, *address ? address : "-");
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, leader ? leader_text : "-");
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, age);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, jobs_text);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE,
                              json_get_string(container, "RootDirectory", "?"));
        if (r >= 0 && (extra & COLUMN_SLICE))
                r = table_add(table, TABLE_COLOR_NONE, json_get_string(container, "Slice", "?"));
        return r;
}

static unsigned find_extra(struct json_object *containers)
{
        unsigned extra = 0;

        for (size_t i = 0; i < json_object_array_length(containers); i++) {
                struct json_object *container = json_object_array_get_idx(containers, i);

                if (strncmp(json_get_string(container, "Slice", ""), "warden-",
                            strlen("warden-")) == 0)
                        extra |= COLUMN_SLICE;
                if (*json_get_string(container, "ContainerAddress", "") &&
                    terminal_get_columns() >= LIST_WIDE)
                        extra |= COLUMN_ADDRESS;
        }
        return extra;
}

static int print_list(struct json_object *containers, const Output *output)
{
        TableColumn columns[LIST_COLUMNS_MAX];
        unsigned extra = find_extra(containers);
        _drop_(drop_table) Table *table = table_new(columns, choose_columns(extra, columns));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(containers); i++) {
                int r = list_add_row(table, json_object_array_get_idx(containers, i), extra);

                if (r < 0)
                        return r;
        }
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "container");
}

int verb_list(Command *command)
{
        const OptionUse uses[] = { { &output_option_group, &command->output } };
        _drop_(drop_json) struct json_object *containers = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r >= 0)
                r = bus_get_containers(bus, &containers, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (command->output.is_json) {
                json_print(containers);
        } else if (command->output.is_quiet) {
                for (size_t i = 0; i < json_object_array_length(containers); i++)
                        puts(json_get_string(json_object_array_get_idx(containers, i), "Name",
                                             "?"));
        } else {
                r = print_list(containers, &command->output);
        }
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
