/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* stats and capacity. A processor's share is the difference of two answers, so a table takes an
 * interval to be made; JSON is the daemon's own numbers and comes at once. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/loop.h"
#include "ctl/stats-call.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/text.h"
#include "ctl/usage.h"
#include "ctl/value.h"
#include "ctl/verb.h"

#define INTERVAL_USEC (1 * USEC_PER_SEC)
#define INTERVAL_LEAST_USEC (100 * USEC_PER_MSEC)

typedef struct StatsOptions {
        uint64_t interval_usec;
        int is_watching;
} StatsOptions;

static const Option stats_options[] = {
        { 'w', "watch", NULL, "go on, and show what changes" },
        { 'i', "interval", "TIME", "between two looks; 1s, and 100ms at least" },
};

static int stats_set_option(void *target, int key, const char *value, Fault *fault)
{
        StatsOptions *options = target;
        uint64_t usec;
        int r;

        if (key == 'w') {
                options->is_watching = 1;
                return 0;
        }
        r = value_parse_time(value, &usec, fault);
        if (r < 0)
                return r;
        if (usec < INTERVAL_LEAST_USEC || usec == USEC_INFINITY)
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "--interval: %.20s is not from 100ms on", value);
        options->interval_usec = usec;
        return 0;
}

static const OptionGroup stats_option_group = {
        .title = "Statistics",
        .options = stats_options,
        .n_options = ELEMENTSOF(stats_options),
        .set = stats_set_option,
};

static const TableColumn stats_columns[] = {
        { .title = "NAME", .is_shrinkable = 1 },
        { .title = "CPU %", .is_right = 1 },
        { .title = "MEM USAGE / LIMIT", .is_right = 1 },
        { .title = "MEM %", .is_right = 1 },
        { .title = "NET I/O", .is_right = 1 },
        { .title = "BLOCK I/O", .is_right = 1 },
        { .title = "TASKS", .is_right = 1 },
        { .title = "SLICE", .is_shrinkable = 1 }, /* when any container is in one of its own */
};

static TableColor load_color(uint64_t permyriad)
{
        if (permyriad == USAGE_UNKNOWN || permyriad < 7500)
                return TABLE_COLOR_NONE;
        return permyriad < 9000 ? TABLE_COLOR_YELLOW : TABLE_COLOR_RED;
}

static int has_slices(const UsageTable *usages)
{
        for (size_t i = 0; i < usages->n_rows; i++)
                if (usages->rows[i]->slice[0])
                        return 1;
        return 0;
}

static int add_row(Table *table, const Usage *usage, int is_with_slice)
{
        char text[USAGE_TEXT_MAX];
        int r;

        r = table_add(table, TABLE_COLOR_NONE, usage->name);
        usage_format_permyriad(usage->cpu_permyriad, text);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, text);
        usage_format_pair(usage->memory_bytes,
                          usage->memory_bytes == USAGE_UNKNOWN ? USAGE_UNKNOWN
                                                               : usage->memory_max_bytes,
                          text);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, text);
        usage_format_permyriad(usage->memory_permyriad, text);
        if (r >= 0)
                r = table_add(table, load_color(usage->memory_permyriad), text);
        usage_format_pair(usage->receive_bytes, usage->transmit_bytes, text);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, text);
        usage_format_pair(usage->read_bytes, usage->write_bytes, text);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, text);
        if (usage->tasks == USAGE_UNKNOWN)
                (void)snprintf(text, sizeof(text), "-");
        else
                (void)snprintf(text, sizeof(text), "%" PRIu64, usage->tasks);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, text);
        if (r >= 0 && is_with_slice)
                r = table_add(table, TABLE_COLOR_NONE, usage->slice[0] ? usage->slice : "-");
        return r;
}

static int print_table(UsageTable *usages, const Output *output, FILE *out)
{
        int is_with_slice = has_slices(usages);
        _drop_(drop_table)
                Table *table = table_new(stats_columns, ELEMENTSOF(stats_columns) - !is_with_slice);
        int r = 0;

        if (!table)
                return -ENOMEM;
        usage_table_sort(usages, USAGE_ORDER_NAME, 0);
        for (size_t i = 0; r >= 0 && i < usages->n_rows; i++)
                r = add_row(table, usages->rows[i], is_with_slice);
        if (r < 0)
                return r;
        return table_print(table, out, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "container");
}

/* On a terminal in place of what was there: as one write, and without clearing it first, or it
 * would flicker. */
static int print_again(UsageTable *usages, const Output *output)
{
        _drop_(drop_free) char *text = NULL;
        size_t size = 0;
        FILE *f;
        int r;

        if (!isatty(STDOUT_FILENO))
                return print_table(usages, output, stdout);
        f = open_memstream(&text, &size);
        if (!f)
                return -errno;
        r = print_table(usages, output, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        printf("\033[H");
        for (char *line = text, *end; r >= 0 && (end = strchr(line, '\n')); line = end + 1)
                printf("%.*s\033[K\n", (int)(end - line), line);
        printf("\033[J");
        return r;
}

/* Until then or until a signal comes. */
static int loop_wait(Loop *loop, uint64_t until_usec, Fault *fault)
{
        loop->wake_usec = until_usec;
        while (!loop->first_signal && io_now_monotonic_usec() < until_usec) {
                int r = loop_turn(loop, fault);

                if (r < 0)
                        return r;
        }
        loop->wake_usec = USEC_INFINITY;
        return 0;
}

static int print_json(struct json_object *stats)
{
        puts(json_object_to_json_string_ext(stats, JSON_C_TO_STRING_NOSLASHESCAPE));
        return fflush(stdout) != 0 ? -errno : 0;
}

/* One after the other until a signal comes or nobody reads any more. */
static int watch(Loop *loop, char *const *names, const StatsOptions *options, const Output *output,
                 Fault *fault)
{
        UsageTable usages = { .host_memory_bytes = stats_get_host_memory() };
        uint64_t next_usec = io_now_monotonic_usec();
        int r = 0;

        if (!output->is_json && isatty(STDOUT_FILENO))
                printf("\033[2J");
        while (r >= 0 && !loop->first_signal) {
                _drop_(drop_json) struct json_object *stats = NULL;

                r = stats_call_in_loop(loop, names, &stats, fault);
                if (r >= 0 && output->is_json)
                        r = print_json(stats);
                if (r >= 0 && !output->is_json) {
                        r = usage_table_update(&usages, stats, io_now_monotonic_usec());
                        if (r >= 0)
                                r = print_again(&usages, output);
                        if (r >= 0 && fflush(stdout) != 0)
                                r = -errno;
                }
                next_usec = MAX2(next_usec + options->interval_usec, io_now_monotonic_usec());
                if (r >= 0)
                        r = loop_wait(loop, next_usec, fault);
        }
        usage_table_done(&usages);
        return r;
}

/* Whoever names a container wants to know that it is not there. */
static int complain_missing(struct json_object *stats, char *const *names)
{
        int exit_code = EXIT_SUCCESS;

        for (; *names; names++) {
                if (json_get_typed(stats, *names, json_type_object))
                        continue;
                complain("No container '%.100s'. 'wardenctl list' shows what there is.", *names);
                exit_code = EXIT_CODE_OURS;
        }
        return exit_code;
}

static int print_once(Loop *loop, char *const *names, struct json_object *first,
                      const StatsOptions *options, const Output *output, Fault *fault)
{
        UsageTable usages = { .host_memory_bytes = stats_get_host_memory() };
        _drop_(drop_json) struct json_object *second = NULL;
        int r;

        r = usage_table_update(&usages, first, io_now_monotonic_usec());
        if (r >= 0 && usages.n_rows > 0) {
                r = loop_wait(loop, io_now_monotonic_usec() + options->interval_usec, fault);
                if (r >= 0 && !loop->first_signal)
                        r = stats_call_in_loop(loop, names, &second, fault);
                if (r >= 0 && second)
                        r = usage_table_update(&usages, second, io_now_monotonic_usec());
        }
        if (r >= 0 && !loop->first_signal)
                r = print_table(&usages, output, stdout);
        usage_table_done(&usages);
        return r;
}

static int run(Loop *loop, char *const *names, const StatsOptions *options, const Output *output)
{
        _drop_(drop_json) struct json_object *first = NULL;
        int exit_code, r;
        Fault fault = FAULT_INIT;

        r = stats_call_in_loop(loop, names, &first, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        exit_code = complain_missing(first, names);
        if (exit_code != EXIT_SUCCESS && json_object_object_length(first) == 0)
                return exit_code;
        if (options->is_watching)
                r = watch(loop, names, options, output, &fault);
        else if (output->is_json)
                json_print(first);
        else
                r = print_once(loop, names, first, options, output, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        /* A watch is ended by ^C: that is no failure. */
        if (loop->first_signal && !options->is_watching)
                return EXIT_CODE_SIGNAL + loop->first_signal;
        return exit_code;
}

int verb_stats(Command *command)
{
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
        StatsOptions options = { .interval_usec = INTERVAL_USEC };
        const OptionUse uses[] = { { &stats_option_group, &options },
                                   { &output_option_group, &command->output } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **names;
        Loop loop;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &names);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r >= 0)
                r = loop_init(&loop, bus, signals, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        r = run(&loop, names, &options, &command->output);
        loop_done(&loop);
        return r;
}
