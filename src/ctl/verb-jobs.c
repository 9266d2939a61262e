/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobs: of all containers or of some, in one call. */

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

#define COMMAND_MAX 512

static const TableColumn jobs_columns[] = {
        { .title = "CONTAINER", .is_shrinkable = 1 },
        { .title = "JOB", .is_right = 1 },
        { .title = "STATE" },
        { .title = "PID", .is_right = 1 },
        { .title = "TIME" },
        { .title = "USER", .is_shrinkable = 1 },
        { .title = "COMMAND", .is_shrinkable = 1 },
};

/* How it ended, in the words of the command line rather than of the interface. */
static TableColor format_state(struct json_object *job, char ret[64])
{
        const char *state = json_get_string(job, "State", "?");
        const char *reason = json_get_string(job, "EndReason", "");
        int64_t code = json_get_i64(job, "ExitCode", -1);

        if (strcmp(reason, "oom") == 0) {
                (void)snprintf(ret, 64, "out of memory");
                return TABLE_COLOR_RED;
        }
        if (strcmp(state, "exited") == 0) {
                (void)snprintf(ret, 64, "exited %" PRId64, code);
                return code == 0 ? TABLE_COLOR_DIM : TABLE_COLOR_YELLOW;
        }
        if (strcmp(state, "killed") == 0) {
                (void)snprintf(ret, 64, "signal %" PRId64, json_get_i64(job, "ExitSignal", 0));
                return strcmp(reason, "container") == 0 ? TABLE_COLOR_DIM : TABLE_COLOR_YELLOW;
        }
        (void)snprintf(ret, 64, "%.40s", state ? state : "");
        return strcmp(state, "running") == 0 ? TABLE_COLOR_GREEN : TABLE_COLOR_RED;
}

/* How long it has run, or did. */
static void format_time(struct json_object *job, char ret[TEXT_SPAN_MAX])
{
        uint64_t start = json_get_u64(job, "StartTimestamp", 0);
        uint64_t end = json_get_u64(job, "ExitTimestamp", 0);

        if (end == 0)
                end = io_now_realtime_usec();
        if (start == 0 || start > end)
                (void)snprintf(ret, TEXT_SPAN_MAX, "-");
        else
                text_format_span(end - start, ret);
}

static void format_command(struct json_object *job, char ret[COMMAND_MAX])
{
        struct json_object *argv = json_get_typed(job, "Argv", json_type_array);
        size_t used = 0;

        ret[0] = 0;
        for (size_t i = 0; argv && i < json_object_array_length(argv); i++) {
                const char *argument = json_object_get_string(json_object_array_get_idx(argv, i));
                int n = snprintf(ret + used, COMMAND_MAX - used, "%s%s", i > 0 ? " " : "",
                                 argument ? argument : "?");

                if (n < 0 || (size_t)n >= COMMAND_MAX - used)
                        return;
                used += (size_t)n;
        }
}

static int add_row(Table *table, struct json_object *job)
{
        char id[16], pid[16], state[64], span[TEXT_SPAN_MAX], command[COMMAND_MAX];
        TableColor color = format_state(job, state);
        uint64_t number = json_get_u64(job, "PID", 0);
        int r;

        (void)snprintf(id, sizeof(id), "%" PRIu32, (uint32_t)json_get_u64(job, "Id", 0));
        (void)snprintf(pid, sizeof(pid), "%" PRIu32, (uint32_t)number);
        format_time(job, span);
        format_command(job, command);
        r = table_add(table, TABLE_COLOR_NONE, json_get_string(job, "Container", "?"));
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, id);
        if (r >= 0)
                r = table_add(table, color, state);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, number ? pid : "-");
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, span);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, json_get_string(job, "User", "?"));
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, command);
        return r;
}

static int print_table(struct json_object *jobs, const Output *output)
{
        _drop_(drop_table) Table *table = table_new(jobs_columns, ELEMENTSOF(jobs_columns));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < json_object_array_length(jobs); i++) {
                int r = add_row(table, json_object_array_get_idx(jobs, i));

                if (r < 0)
                        return r;
        }
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "job");
}

static int compare_jobs(const void *a, const void *b)
{
        struct json_object *const *one = a, *const *other = b;
        uint64_t one_id = json_get_u64(*one, "Id", 0), other_id = json_get_u64(*other, "Id", 0);
        int r = strcmp(json_get_string(*one, "Container", ""),
                       json_get_string(*other, "Container", ""));

        return r != 0 ? r : one_id < other_id ? -1 : one_id > other_id ? 1 : 0;
}

static int is_wanted(const char *container, char **names)
{
        if (!names[0])
                return 1;
        for (; *names; names++)
                if (strcmp(*names, container) == 0)
                        return 1;
        return 0;
}

/* A misspelt name must not look like a container without jobs. */
static int check_names(struct json_object *objects, char **names, Fault *fault)
{
        for (; *names; names++) {
                _drop_(drop_free) char *path = NULL;
                struct json_object *found;
                int r = bus_container_path(*names, &path, fault);

                if (r < 0)
                        return r;
                if (!json_object_object_get_ex(objects, path, &found))
                        return fault_set(fault, FAULT_NO_SUCH_CONTAINER, -ENOENT,
                                         "No container '%s'. 'wardenctl list' shows what there is.",
                                         *names);
        }
        return 0;
}

/* The jobs as an array of their properties, with the container's name in each. */
static int collect_jobs(struct json_object *objects, char **names, struct json_object *jobs)
{
        json_object_object_foreach(objects, path, interfaces)
        {
                struct json_object *job = json_get_typed(interfaces, WARDEN_JOB, json_type_object);
                _drop_(drop_free) char *container = NULL;

                if (!job || bus_path_container(path, &container) < 0 ||
                    !is_wanted(container, names))
                        continue;
                json_object_object_add(job, "Container", json_object_new_string(container));
                json_object_object_add(job, "Path", json_object_new_string(path));
                json_object_array_add(jobs, json_object_get(job));
        }
        json_object_array_sort(jobs, compare_jobs);
        return 0;
}

static int get_jobs(char **names, struct json_object *jobs, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_json) struct json_object *objects = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        int r;

        r = bus_open(&bus, fault);
        if (r >= 0)
                r = bus_new_call(bus, WARDEN_PATH, "org.freedesktop.DBus.ObjectManager",
                                 "GetManagedObjects", &m, fault);
        if (r >= 0)
                r = bus_call(bus, m, BUS_TIMEOUT_USEC, NULL, &reply, fault);
        if (r < 0)
                return r;
        r = json_from_message(reply, &objects);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot read the jobs");
        r = check_names(objects, names, fault);
        return r < 0 ? r : collect_jobs(objects, names, jobs);
}

int verb_jobs(Command *command)
{
        const OptionUse uses[] = { { &output_option_group, &command->output } };
        _drop_(drop_json) struct json_object *jobs = json_object_new_array();
        Fault fault = FAULT_INIT;
        char **names;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &names);
        if (r != VERB_GO)
                return r;
        r = get_jobs(names, jobs, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (command->output.is_json) {
                json_print(jobs);
        } else if (command->output.is_quiet) {
                for (size_t i = 0; i < json_object_array_length(jobs); i++)
                        printf("%" PRIu64 "\n",
                               json_get_u64(json_object_array_get_idx(jobs, i), "Id", 0));
        } else {
                r = print_table(jobs, &command->output);
        }
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
