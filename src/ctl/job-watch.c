/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/io.h"
#include "basic/parse.h"
#include "ctl/bus.h"
#include "ctl/job-watch.h"
#include "ctl/json.h"

/* A daemon that is restarted is back in a fraction of a second; one that an administrator has
 * stopped while he changes something may take minutes, and jobs run on. */
#define AWAY_USEC (300 * USEC_PER_SEC)
#define RETRY_USEC (200 * USEC_PER_MSEC)
#define QUERY_TIMEOUT_USEC (10 * USEC_PER_SEC)

/* A daemon that is just back knows its containers at once and their jobs a little later: for so
 * long "no such job" is not an answer. */
#define SETTLE_USEC (10 * USEC_PER_SEC)

static void query(JobWatch *watch);

static uint64_t away_limit_usec(void)
{
        const char *text = getenv("WARDENCTL_RECONNECT_SEC");
        uint64_t usec;

        return text && parse_time_usec(text, &usec) >= 0 ? usec : AWAY_USEC;
}

static void watch_end(JobWatch *watch, JobEnd end, int code, int signal)
{
        if (watch->end != JOB_END_NONE)
                return;
        watch->end = end;
        watch->code = code;
        watch->signal = signal;
        watch->away_usec = watch->retry_usec = USEC_INFINITY;
        watch->query_slot = sd_bus_slot_unref(watch->query_slot);
}

static void watch_end_status(JobWatch *watch, int code, int signal)
{
        /* Neither of both: the daemon itself does not know. */
        watch_end(watch, code < 0 && signal <= 0 ? JOB_END_LOST : JOB_END_KNOWN, code, signal);
}

static int on_exited(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        JobWatch *watch = userdata;
        int32_t code, signal;

        if (!watch->path) {
                watch->has_missed = 1;
                return 0;
        }
        if (strcmp(sd_bus_message_get_path(m), watch->path) != 0)
                return 0;
        /* Anything but numbers is asked for again in the other way. */
        if (sd_bus_message_read(m, "ii", &code, &signal) < 0)
                query(watch);
        else
                watch_end_status(watch, code, signal);
        return 0;
}

static void go_away(JobWatch *watch)
{
        if (watch->end != JOB_END_NONE || watch->away_usec != USEC_INFINITY)
                return;
        watch->away_usec = io_now_monotonic_usec() + away_limit_usec();
        watch->retry_usec = USEC_INFINITY;
        watch->is_settling = 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *name, *before, *after;
        JobWatch *watch = userdata;

        if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
                return 0;
        if (before[0])
                go_away(watch);
        if (after[0] && watch->path)
                query(watch);
        return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        JobWatch *watch = userdata;
        const char *name;

        if (sd_bus_message_read(m, "s", &name) >= 0 && strcmp(name, watch->container) == 0 &&
            watch->path)
                query(watch);
        return 0;
}

static void ask_again_later(JobWatch *watch)
{
        go_away(watch);
        watch->retry_usec = io_now_monotonic_usec() + RETRY_USEC;
}

static void take_properties(JobWatch *watch, struct json_object *job)
{
        const char *state = json_get_string(job, "State", "");

        if (strcmp(state, "running") == 0)
                watch->away_usec = watch->retry_usec = USEC_INFINITY;
        else if (strcmp(state, "exited") == 0)
                watch_end_status(watch, (int)json_get_i64(job, "ExitCode", -1), 0);
        else if (strcmp(state, "killed") == 0)
                watch_end_status(watch, -1, (int)json_get_i64(job, "ExitSignal", 0));
        else
                watch_end(watch, JOB_END_LOST, -1, 0);
}

/* The daemon is there and says that the object is not. */
static void take_missing(JobWatch *watch)
{
        if (watch->away_usec == USEC_INFINITY) {
                watch_end(watch, JOB_END_MISSING, -1, 0);
                return;
        }
        if (!watch->is_settling)
                watch->away_usec = MIN2(watch->away_usec, io_now_monotonic_usec() + SETTLE_USEC);
        watch->is_settling = 1;
        ask_again_later(watch);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(drop_json) struct json_object *job = NULL;
        JobWatch *watch = userdata;
        const sd_bus_error *failure = sd_bus_message_get_error(m);

        watch->query_slot = sd_bus_slot_unref(watch->query_slot);
        if (failure && sd_bus_error_has_names(failure, SD_BUS_ERROR_UNKNOWN_OBJECT,
                                              WARDEN_NAME ".Error.NoSuchJob",
                                              WARDEN_NAME ".Error.NoSuchContainer"))
                take_missing(watch);
        else if (failure && sd_bus_error_has_names(failure, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                                   SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                go_away(watch); /* the bus will say when it is back */
        else if (failure || json_from_message(m, &job) < 0)
                ask_again_later(watch);
        else
                take_properties(watch, job);
        return 0;
}

static void query(JobWatch *watch)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        if (watch->end != JOB_END_NONE || watch->query_slot)
                return;
        watch->retry_usec = USEC_INFINITY;
        r = sd_bus_message_new_method_call(watch->bus, &m, WARDEN_NAME, watch->path,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", WARDEN_JOB);
        /* An administrator who has stopped the daemon does not want us to start it. */
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, 0);
        if (r >= 0)
                r = sd_bus_call_async(watch->bus, &watch->query_slot, m, on_properties, watch,
                                      QUERY_TIMEOUT_USEC);
        if (r < 0)
                ask_again_later(watch);
}

int job_watch_begin(JobWatch *watch, sd_bus *bus, const char *container, Fault *fault)
{
        _drop_(drop_free) char *path = NULL, *match = NULL;
        int r;

        *watch = JOB_WATCH_INIT;
        watch->bus = bus;
        watch->container = strdup(container);
        if (!watch->container)
                return -ENOMEM;
        r = bus_container_path(container, &path, fault);
        if (r < 0)
                return r;
        if (asprintf(&match,
                     "type='signal',sender='" WARDEN_NAME "',interface='" WARDEN_JOB
                     "',member='Exited',path_namespace='%s'",
                     path) < 0) {
                match = NULL;
                return -ENOMEM;
        }
        /* Not waited for: the bus handles what one client sends in the order it was sent. */
        r = sd_bus_add_match_async(bus, &watch->exited_slot, match, on_exited, NULL, watch);
        if (r >= 0)
                r = sd_bus_add_match_async(bus, &watch->owner_slot, BUS_OWNER_MATCH,
                                           on_owner_changed, NULL, watch);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, &watch->removed_slot, WARDEN_NAME, WARDEN_PATH,
                                              WARDEN_MANAGER, "ContainerRemoved", on_removed, NULL,
                                              watch);
        return r < 0 ? bus_fault_local(fault, r, "Cannot watch the job") : 0;
}

int job_watch_set_path(JobWatch *watch, const char *path, int is_new, Fault *fault)
{
        watch->path = strdup(path);
        if (!watch->path)
                return -ENOMEM;
        if (!is_new || watch->has_missed || watch->away_usec != USEC_INFINITY)
                query(watch);
        return 0;
}

void job_watch_done(JobWatch *watch)
{
        sd_bus_slot_unref(watch->exited_slot);
        sd_bus_slot_unref(watch->owner_slot);
        sd_bus_slot_unref(watch->removed_slot);
        sd_bus_slot_unref(watch->query_slot);
        free(watch->container);
        free(watch->path);
        *watch = JOB_WATCH_INIT;
}

uint64_t job_watch_wake_usec(const JobWatch *watch)
{
        return MIN2(watch->away_usec, watch->retry_usec);
}

void job_watch_on_wake(JobWatch *watch, uint64_t now_usec)
{
        if (watch->end != JOB_END_NONE)
                return;
        if (now_usec >= watch->away_usec) {
                watch_end(watch, JOB_END_LOST, -1, 0);
                return;
        }
        if (now_usec >= watch->retry_usec)
                query(watch);
}
