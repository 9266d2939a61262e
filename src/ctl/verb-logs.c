/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* logs: what a job has written, from its rings, or from the journal for a job that writes there:
 * the journal has all of it, the rings only the end. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "basic/io.h"
#include "basic/parse.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/job-find.h"
#include "ctl/journal-logs.h"
#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/verb.h"

typedef struct LogsOptions {
        int is_following;
        uint64_t since_usec; /* CLOCK_REALTIME; 0: all */
        uint64_t n_lines;    /* UINT64_MAX: all */
} LogsOptions;

static const Option logs_options[] = {
        { 'f', "follow", NULL, "go on until the job ends" },
        { 'n', "lines", "COUNT", "only the last ones (from the journal)" },
        { 'S', "since", "TIME", "10min ago: 10min; or '2026-01-31 12:00:00', @SECONDS" },
};

/* A span, @SECONDS of the epoch, or local date and time. Returns 0; -EINVAL. */
static int parse_since(const char *text, uint64_t *ret)
{
        static const char *const formats[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
        uint64_t value, now = io_now_realtime_usec();

        if (text[0] == '@' && parse_u64(text + 1, &value) >= 0 &&
            value <= UINT64_MAX / USEC_PER_SEC) {
                *ret = value * USEC_PER_SEC;
                return 0;
        }
        if (parse_time_usec(text, &value) >= 0) {
                *ret = value < now ? now - value : 0;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                struct tm tm = { .tm_isdst = -1 };
                const char *end = strptime(text, formats[i], &tm);
                time_t seconds = end && !*end ? mktime(&tm) : -1;

                if (seconds >= 0) {
                        *ret = (uint64_t)seconds * USEC_PER_SEC;
                        return 0;
                }
        }
        return -EINVAL;
}

static int logs_set(void *target, int key, const char *value, Fault *fault)
{
        LogsOptions *options = target;

        switch (key) {
        case 'f':
                options->is_following = 1;
                return 0;
        case 'n':
                if (parse_u64(value, &options->n_lines) < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "--lines %.64s: not a number", value);
                return 0;
        case 'S':
                if (parse_since(value, &options->since_usec) < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "--since %.64s: not a time such as 10min, "
                                         "'2026-01-31 12:00:00' or @SECONDS",
                                         value);
                return 0;
        }
        return -EINVAL;
}

static const OptionGroup logs_option_group = {
        .title = "Options",
        .options = logs_options,
        .n_options = ELEMENTSOF(logs_options),
        .set = logs_set,
};

static int show_ring(sd_bus *bus, const char *container, const char *path, int is_following,
                     Fault *fault)
{
        const SessionAttach how = { .is_until_now = !is_following };
        int exit_code, r;
        Session session;

        r = session_init(&session, bus, NULL, fault);
        if (r < 0)
                return r;
        r = session_attach(&session, container, path, &how, fault);
        if (r >= 0)
                r = is_following ? session_wait(&session, &exit_code, fault)
                                 : session_show(&session, fault);
        session_done(&session);
        return r;
}

static int is_over(void *userdata, uint64_t *ret_wake_usec)
{
        JobWatch *watch = userdata;

        while (sd_bus_process(watch->bus, NULL) > 0) {
        }
        job_watch_on_wake(watch, io_now_monotonic_usec());
        *ret_wake_usec = job_watch_wake_usec(watch);
        return watch->end != JOB_END_NONE;
}

static int show_journal(sd_bus *bus, const char *container, const char *path, uint32_t job,
                        const LogsOptions *options, Fault *fault)
{
        _drop_(drop_json) struct json_object *properties = NULL;
        JobWatch watch = JOB_WATCH_INIT;
        JournalLogs logs = {
                .job = job,
                .since_usec = options->since_usec,
                .n_lines = options->n_lines,
                .is_following = options->is_following,
                .is_over = is_over,
                .wake_fd = sd_bus_get_fd(bus),
                .userdata = &watch,
                .out = stdout,
                .err = stderr,
        };
        int r;

        r = bus_get_container(bus, container, &properties, fault);
        if (r < 0)
                return r;
        logs.container_id = json_get_string(properties, "Id", "");
        if (options->is_following) {
                r = job_watch_begin(&watch, bus, container, fault);
                if (r >= 0)
                        r = job_watch_set_path(&watch, path, 0, fault);
        }
        if (r >= 0)
                r = journal_logs_print(&logs, fault);
        job_watch_done(&watch);
        return r;
}

static int show(char **arguments, const LogsOptions *options, Fault *fault)
{
        int wants_journal = options->since_usec > 0 || options->n_lines != UINT64_MAX;
        _drop_(drop_json) struct json_object *job = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        _drop_(drop_free) char *path = NULL;
        const char *log;
        int r;

        r = bus_open(&bus, fault);
        if (r >= 0)
                r = job_find(bus, arguments[0], arguments[1], 0, &path, &job, fault);
        if (r < 0)
                return r;
        log = json_get_string(job, "Log", "ring");
        if (strcmp(log, "journal") == 0 || (wants_journal && strcmp(log, "both") == 0))
                return show_journal(bus, arguments[0], path, (uint32_t)json_get_u64(job, "Id", 0),
                                    options, fault);
        if (wants_journal)
                return fault_set(
                        fault, FAULT_INVALID, -EINVAL,
                        "The job does not write to the journal, which --since and --lines "
                        "read: it was started with --log %s. Without them you see what its "
                        "ring holds.",
                        log);
        return show_ring(bus, arguments[0], path, options->is_following, fault);
}

int verb_logs(Command *command)
{
        LogsOptions options = { .n_lines = UINT64_MAX };
        const OptionUse uses[] = { { &logs_option_group, &options } };
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = show(arguments, &options, &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
