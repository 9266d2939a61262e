/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* segment: which containers may talk to each other, and moving one of them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/cut-option.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

static const TableColumn segment_columns[] = {
        { .title = "SEGMENT", .is_shrinkable = 1 },
        { .title = "NAME", .is_shrinkable = 1 },
        { .title = "ADDRESS" },
};

static const char *segment_of(struct json_object *container)
{
        return json_get_string(container, "Segment", "");
}

/* By name within a segment. */
static int compare_segments(const void *a, const void *b)
{
        struct json_object *const *one = a, *const *other = b;
        int r = strcmp(segment_of(*one), segment_of(*other));

        return r != 0 ? r
                      : strcmp(json_get_string(*one, "Name", ""),
                               json_get_string(*other, "Name", ""));
}

/* @segment   NULL: every one. New array of those that are in it. */
static struct json_object *members_of(struct json_object *containers, const char *segment)
{
        struct json_object *members = json_object_new_array();

        for (size_t i = 0; members && i < json_object_array_length(containers); i++) {
                struct json_object *container = json_object_array_get_idx(containers, i);
                const char *its = segment_of(container);

                if (*its && (!segment || strcmp(its, segment) == 0))
                        json_object_array_add(members, json_object_get(container));
        }
        if (members)
                json_object_array_sort(members, compare_segments);
        return members;
}

static int add_row(Table *table, struct json_object *container)
{
        int r;

        r = table_add(table, TABLE_COLOR_NONE, segment_of(container));
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, json_get_string(container, "Name", "?"));
        return r < 0 ? r
                     : table_add(table, TABLE_COLOR_NONE,
                                 json_get_string(container, "ContainerAddress", "-"));
}

static int print_table(struct json_object *members, const Output *output)
{
        _drop_(drop_table) Table *table = table_new(segment_columns, ELEMENTSOF(segment_columns));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(members); i++) {
                int r = add_row(table, json_object_array_get_idx(members, i));

                if (r < 0)
                        return r;
        }
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "container");
}

/* @is_all   segments, each once; else the containers */
static void print_words(struct json_object *members, int is_all)
{
        const char *last = "";

        for (size_t i = 0; i < json_object_array_length(members); i++) {
                struct json_object *container = json_object_array_get_idx(members, i);
                const char *segment = segment_of(container);

                if (!is_all)
                        puts(json_get_string(container, "Name", "?"));
                else if (strcmp(segment, last) != 0)
                        puts(segment);
                last = segment;
        }
}

/* What a script wants to know of each. */
static struct json_object *to_json(struct json_object *members)
{
        static const char *const keys[] = { "Segment", "Name", "Addresses" };
        struct json_object *list = json_object_new_array();

        for (size_t i = 0; list && i < json_object_array_length(members); i++) {
                struct json_object *container = json_object_array_get_idx(members, i);
                struct json_object *entry = json_object_new_object(), *value;

                for (size_t k = 0; entry && k < ELEMENTSOF(keys); k++)
                        if (json_object_object_get_ex(container, keys[k], &value))
                                json_object_object_add(entry, keys[k], json_object_get(value));
                json_object_array_add(list, entry);
        }
        return list;
}

/* @name   NULL: all segments */
static int segment_list(sd_bus *bus, const char *name, const Output *output, Fault *fault)
{
        _drop_(drop_json) struct json_object *container = NULL, *containers = NULL, *members = NULL;
        _drop_(drop_json) struct json_object *list = NULL;
        int r = 0;

        if (name)
                r = bus_get_container(bus, name, &container, fault);
        if (r >= 0)
                r = bus_get_containers(bus, &containers, fault);
        if (r < 0)
                return r;
        members = members_of(containers, name ? segment_of(container) : NULL);
        if (!members)
                return -ENOMEM;
        if (output->is_json) {
                list = to_json(members);
                json_print(list);
        } else if (output->is_quiet) {
                print_words(members, !name);
        } else {
                return print_table(members, output);
        }
        return 0;
}

/* @segment   "": none */
static int segment_change(sd_bus *bus, const char *name, const char *segment, int is_cutting,
                          Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_container_path(name, &path, fault);
        if (r >= 0)
                r = bus_new_call(bus, path, WARDEN_CONTAINER, "SetSegment", &m, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Segment", "s", segment);
        if (r >= 0 && is_cutting)
                r = sd_bus_message_append(m, "{sv}", "CutConnections", "b", 1);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for a segment");
        r = bus_call(bus, m, BUS_TIMEOUT_USEC, name, &reply, fault);
        return r < 0 ? r : 0;
}

/* What is to be done with @arguments, after the name. Returns 0 with the segment, NULL when it is
 * only to be shown; the exit code. */
static int parse_change(char **arguments, int is_cutting, const char **ret)
{
        int n = 0;

        *ret = NULL;
        while (arguments[n])
                n++;
        if (n == 2 && strcmp(arguments[0], "join") == 0 && *arguments[1])
                *ret = arguments[1];
        else if (n == 1 && strcmp(arguments[0], "leave") == 0)
                *ret = "";
        else if (n > 0) {
                complain("After the name come 'join' and a segment, or 'leave', as in "
                         "'wardenctl segment web join blue'");
                return EXIT_CODE_OURS;
        }
        if (is_cutting && !*ret) {
                complain("--cut goes with 'join' and 'leave'");
                return EXIT_CODE_OURS;
        }
        return 0;
}

int verb_segment(Command *command)
{
        CutOption cut = { 0 };
        const OptionUse uses[] = { { &output_option_group, &command->output },
                                   { &cut_option_group, &cut } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        const char *segment = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = parse_change(arguments[0] ? arguments + 1 : arguments, cut.is_cutting, &segment);
        if (r != 0)
                return r;
        r = bus_open(&bus, &fault);
        if (r >= 0 && segment)
                r = segment_change(bus, arguments[0], segment, cut.is_cutting, &fault);
        else if (r >= 0)
                r = segment_list(bus, arguments[0], &command->output, &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
