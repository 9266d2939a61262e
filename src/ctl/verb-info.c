/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* info: all about a container and its jobs, for people. --json has every property as it is. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/forward.h"
#include "ctl/json.h"
#include "ctl/limit-text.h"
#include "ctl/terminal.h"
#include "ctl/text.h"
#include "ctl/verb.h"
#include "model/container-spec.h"
#include "model/limits.h"

#define KEY_WIDTH 14

static void print_value(const char *key, const char *value)
{
        _drop_(drop_free) char *escaped = text_escape(value);

        printf("%*s%s %s\n", KEY_WIDTH, key, key[0] ? ":" : " ", escaped ? escaped : "?");
}

static void print_string(struct json_object *container, const char *property, const char *key)
{
        const char *value = json_get_string(container, property, "");

        if (value[0])
                print_value(key, value);
}

static void print_created(struct json_object *container)
{
        uint64_t created = json_get_u64(container, "CreatedTimestamp", 0);
        uint64_t now = io_now_realtime_usec();
        time_t seconds = (time_t)(created / USEC_PER_SEC);
        char span[TEXT_SPAN_MAX], date[64], text[128];
        struct tm tm;

        if (created == 0 || !localtime_r(&seconds, &tm) ||
            strftime(date, sizeof(date), "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                return;
        text_format_span(created < now ? now - created : 0, span);
        (void)snprintf(text, sizeof(text), "%s; %s ago", date, span);
        print_value("Created", text);
}

static void print_addresses(struct json_object *container)
{
        struct json_object *addresses = json_get_typed(container, "Addresses", json_type_array);
        const char *host = json_get_string(container, "HostAddress", "");
        char text[128];

        for (size_t i = 0; addresses && i < json_object_array_length(addresses); i++) {
                const char *one = json_object_get_string(json_object_array_get_idx(addresses, i));

                if (i == 0 && host[0])
                        (void)snprintf(text, sizeof(text), "%s (host: %s on %s)", one, host,
                                       json_get_string(container, "NetworkInterface", "?"));
                else
                        (void)snprintf(text, sizeof(text), "%s", one);
                print_value(i == 0 ? "Address" : "", text);
        }
}

static void print_labels(struct json_object *container)
{
        struct json_object *labels = json_get_typed(container, "Labels", json_type_object);
        const char *key = "Labels";

        if (!labels)
                return;
        json_object_object_foreach(labels, label, value)
        {
                _drop_(drop_free) char *text = NULL;

                if (asprintf(&text, "%s=%s", label, json_object_get_string(value)) < 0) {
                        text = NULL;
                        return;
                }
                print_value(key, text);
                key = "";
        }
}

static void print_limits(struct json_object *container)
{
        struct json_object *limits = json_get_typed(container, "Limits", json_type_object);
        const char *key = "Limits";

        if (!limits)
                return;
        json_object_object_foreach(limits, name, value)
        {
                _drop_(drop_free) char *text = limit_text_format(name, value), *line = NULL;

                if (!text || asprintf(&line, "%s=%s", limit_text_name(name), text) < 0) {
                        line = NULL;
                        return;
                }
                print_value(key, line);
                key = "";
        }
}

static void print_pressure(struct json_object *container)
{
        uint64_t usec = json_get_u64(container, SPEC_KEY_PRESSURE, 0);
        char text[64];

        (void)snprintf(text, sizeof(text), "signalled from %.6gms in a second",
                       (double)usec / (double)USEC_PER_MSEC);
        if (usec > 0)
                print_value("Pressure", text);
}

static void print_forwards(struct json_object *container)
{
        struct json_object *all = json_get_typed(container, "ForwardedPorts", json_type_array);
        const char *key = "Ports";

        for (size_t i = 0; all && i < json_object_array_length(all); i++) {
                char text[PORT_FORWARD_TEXT_MAX];
                PortForward forward;

                if (forward_from_json(json_object_array_get_idx(all, i), &forward) < 0)
                        continue;
                port_forward_format(&forward, text);
                print_value(key, text);
                key = "";
        }
}

static void print_interfaces(struct json_object *container)
{
        struct json_object *names = json_get_typed(container, "Interfaces", json_type_array);

        for (size_t i = 0; names && i < json_object_array_length(names); i++)
                print_value(i == 0 ? "Interfaces" : "",
                            json_object_get_string(json_object_array_get_idx(names, i)));
}

static void print_events(struct json_object *container)
{
        struct json_object *events = json_get_typed(container, "Events", json_type_array);
        uint64_t kills = json_get_u64(container, "OOMKills", 0);
        char text[128];

        for (size_t i = 0; events && i < json_object_array_length(events); i++) {
                const char *event = json_object_get_string(json_object_array_get_idx(events, i));

                (void)snprintf(text, sizeof(text), "%.64s", event ? event : "?");
                if (kills > 1 && strcmp(text, "out of memory") == 0)
                        (void)snprintf(text, sizeof(text), "out of memory, %" PRIu64 " times",
                                       kills);
                print_value(i == 0 ? "Events" : "", text);
        }
}

/* The command line as one could type it, near enough for a person. */
static void append_argv(struct json_object *job, char *line, size_t size)
{
        struct json_object *argv = json_get_typed(job, "Argv", json_type_array);
        size_t used = strlen(line);

        for (size_t i = 0; argv && i < json_object_array_length(argv) && used + 1 < size; i++) {
                const char *argument = json_object_get_string(json_object_array_get_idx(argv, i));
                int has_blank = argument && (!argument[0] || strpbrk(argument, " \t\n'\"$"));
                int n = snprintf(line + used, size - used, has_blank ? " '%s'" : " %s",
                                 argument ? argument : "?");

                if (n < 0 || (size_t)n >= size - used)
                        return;
                used += (size_t)n;
        }
}

static void print_job(const char *key, struct json_object *job)
{
        const char *state = json_get_string(job, "State", "?");
        const char *user = json_get_string(job, "User", "");
        char line[1024], what[64];

        if (strcmp(state, "exited") == 0)
                (void)snprintf(what, sizeof(what), "exited with %" PRId64,
                               json_get_i64(job, "ExitCode", -1));
        else if (strcmp(state, "killed") == 0)
                (void)snprintf(what, sizeof(what), "killed by signal %" PRId64,
                               json_get_i64(job, "ExitSignal", 0));
        else if (strcmp(state, "running") == 0)
                (void)snprintf(what, sizeof(what), "running as PID %" PRIu64,
                               json_get_u64(job, "PID", 0));
        else
                (void)snprintf(what, sizeof(what), "%.40s", state);
        (void)snprintf(line, sizeof(line), "%" PRIu64 " %s%s%.64s:", json_get_u64(job, "Id", 0),
                       what, user[0] ? ", user " : "", user);
        append_argv(job, line, sizeof(line));
        print_value(key, line);
}

static void print_info(struct json_object *container)
{
        struct json_object *jobs = json_get_typed(container, "JobDetails", json_type_array);
        uint64_t leader = json_get_u64(container, "Leader", 0);
        char text[32];

        print_string(container, "Name", "Name");
        print_string(container, "Id", "Id");
        print_string(container, "State", "State");
        print_created(container);
        print_string(container, "RootDirectory", "Root");
        if (leader) {
                (void)snprintf(text, sizeof(text), "%" PRIu64, leader);
                print_value("Leader", text);
        }
        print_string(container, "Unit", "Unit");
        print_string(container, "Slice", "Slice");
        print_string(container, "ControlGroup", "Control group");
        print_string(container, "Hostname", "Host name");
        print_string(container, "Network", "Network");
        print_addresses(container);
        print_string(container, "NetworkPool", "Pool");
        print_string(container, "Segment", "Segment");
        print_interfaces(container);
        print_forwards(container);
        print_string(container, "PrivateUsers", "Users");
        print_string(container, "Storage", "Storage");
        print_limits(container);
        print_pressure(container);
        print_events(container);
        print_labels(container);
        for (size_t i = 0; jobs && i < json_object_array_length(jobs); i++)
                print_job(i == 0 ? "Jobs" : "", json_object_array_get_idx(jobs, i));
}

/* The properties of a container, with those of its jobs as JobDetails. */
static int get_info(sd_bus *bus, const char *name, struct json_object **ret, Fault *fault)
{
        _drop_(drop_json) struct json_object *container = NULL;
        _drop_(drop_free) char *path = NULL;
        struct json_object *jobs, *details;
        int r;

        r = bus_container_path(name, &path, fault);
        if (r < 0)
                return r;
        r = bus_get_properties(bus, path, WARDEN_CONTAINER, name, &container, fault);
        if (r < 0)
                return r;
        json_object_object_add(container, "Path", json_object_new_string(path));
        details = json_object_new_array();
        json_object_object_add(container, "JobDetails", details);
        jobs = json_get_typed(container, "Jobs", json_type_array);
        for (size_t i = 0; jobs && i < json_object_array_length(jobs); i++) {
                const char *job_path = json_object_get_string(json_object_array_get_idx(jobs, i));
                struct json_object *job;
                Fault gone = FAULT_INIT;

                /* It may have been released since. */
                if (bus_get_properties(bus, job_path, WARDEN_JOB, NULL, &job, &gone) < 0)
                        continue;
                json_object_object_add(job, "Path", json_object_new_string(job_path));
                json_object_array_add(details, job);
        }
        *ret = take_ptr(container);
        return 0;
}

static int info_each(sd_bus *bus, char **names, int is_json)
{
        _drop_(drop_json) struct json_object *all = json_object_new_array();
        int exit_code = EXIT_SUCCESS, is_first = 1;

        for (; *names; names++) {
                struct json_object *container;
                Fault fault = FAULT_INIT;
                int r = get_info(bus, *names, &container, &fault);

                if (r < 0) {
                        exit_code = complain_fault(r, &fault);
                        continue;
                }
                if (!is_json) {
                        printf("%s", is_first ? "" : "\n");
                        print_info(container);
                }
                is_first = 0;
                json_object_array_add(all, container);
        }
        if (is_json)
                json_print(all);
        return exit_code;
}

int verb_info(Command *command)
{
        const OptionUse uses[] = { { &json_option_group, &command->output } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **names;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &names);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        return info_each(bus, names, command->output.is_json);
}
