/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wait: for the ends of jobs, or for a container to stop. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "basic/io.h"
#include "basic/parse.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/job-watch.h"
#include "ctl/json.h"
#include "ctl/loop.h"
#include "ctl/verb.h"

enum {
        OPTION_KEEP = 256,
};

static const Option wait_options[] = {
        { OPTION_KEEP, "keep", NULL, "wardend shall remember the jobs' ends" },
};

static int wait_set(void *target, int key, const char *value, Fault *fault)
{
        int *is_kept = target;

        *is_kept = 1;
        return 0;
}

static const OptionGroup wait_option_group = {
        .title = "Options",
        .options = wait_options,
        .n_options = ELEMENTSOF(wait_options),
        .set = wait_set,
};

/* Signals end us, as usual: the loop is given none. */
static const int no_signals[] = { 0 };

static int wait_job(Loop *loop, JobWatch *watch, uint32_t job, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_job_path(watch->container, job, &path, fault);
        if (r < 0)
                return r;
        r = job_watch_set_path(watch, path, 0, fault);
        while (r >= 0 && watch->end == JOB_END_NONE) {
                loop->wake_usec = job_watch_wake_usec(watch);
                r = loop_turn(loop, fault);
                job_watch_on_wake(watch, io_now_monotonic_usec());
        }
        if (r < 0)
                return r;
        if (watch->end == JOB_END_MISSING)
                return fault_set(fault, FAULT_NO_SUCH_JOB, -ENOENT,
                                 "No job %" PRIu32 " in '%s'. 'wardenctl jobs %s' shows what "
                                 "there is.",
                                 job, watch->container, watch->container);
        if (watch->end == JOB_END_LOST)
                return fault_set(fault, FAULT_FAILED, -ENODATA,
                                 "How job %" PRIu32 " of '%s' ended is not known", job,
                                 watch->container);
        return 0;
}

static void release(Loop *loop, const JobWatch *watch)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        Fault ignored = FAULT_INIT;

        if (bus_new_call(loop->bus, watch->path, WARDEN_JOB, "Release", &m, &ignored) >= 0)
                (void)loop_call(loop, m, BUS_TIMEOUT_USEC, NULL, NULL, &ignored);
}

static struct json_object *job_to_json(uint32_t job, const JobWatch *watch)
{
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "Job", json_object_new_int64(job));
        json_object_object_add(object, "ExitCode", json_object_new_int(watch->code));
        json_object_object_add(object, "ExitSignal", json_object_new_int(watch->signal));
        return object;
}

/* A number, or the path of the object as other tools print it. */
static int parse_job(const char *text, uint32_t *ret)
{
        int r = text[0] == '/' ? bus_path_job(text, ret) : parse_u32(text, ret);

        if (r < 0)
                complain("'%.64s' is not the number of a job", text);
        return r;
}

/* One after the other: an end that has been is not forgotten. The last one's code is ours. */
static int wait_jobs(sd_bus *bus, const char *container, char **jobs, int is_kept, int is_json)
{
        _drop_(drop_json) struct json_object *all = json_object_new_array();
        int exit_code = EXIT_SUCCESS;

        for (; *jobs; jobs++) {
                Fault fault = FAULT_INIT;
                JobWatch watch = JOB_WATCH_INIT;
                Loop loop;
                uint32_t job;
                int r;

                if (parse_job(*jobs, &job) < 0) {
                        exit_code = EXIT_CODE_OURS;
                        continue;
                }
                r = loop_init(&loop, bus, no_signals, &fault);
                if (r >= 0) {
                        r = job_watch_begin(&watch, bus, container, &fault);
                        if (r >= 0)
                                r = wait_job(&loop, &watch, job, &fault);
                        if (r >= 0 && !is_kept)
                                release(&loop, &watch);
                        loop_done(&loop);
                }
                exit_code = r < 0 ? complain_fault(r, &fault)
                                  : exit_code_from_job(watch.code, watch.signal);
                if (r >= 0 && is_json)
                        json_object_array_add(all, job_to_json(job, &watch));
                else if (r >= 0)
                        printf("%d\n", exit_code);
                job_watch_done(&watch);
        }
        if (is_json)
                json_print(all);
        return exit_code;
}

/* A container without processes: it stopped, was destroyed, or could not be stopped properly. */
static int state_is_final(const char *state)
{
        static const char *const finals[] = { "stopped", "gone", "failed" };

        for (size_t i = 0; i < ELEMENTSOF(finals); i++)
                if (strcmp(finals[i], state) == 0)
                        return 1;
        return 0;
}

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int *has_changed = userdata;

        *has_changed = 1;
        return 0;
}

/* Anything that may be about its end only makes us look again, so that there is one judgement. */
static int watch_container(sd_bus *bus, const char *path, int *has_changed, Fault *fault)
{
        int r;

        r = sd_bus_match_signal_async(bus, NULL, WARDEN_NAME, path,
                                      "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                      on_change, NULL, has_changed);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, NULL, WARDEN_NAME, WARDEN_PATH, WARDEN_MANAGER,
                                              "ContainerRemoved", on_change, NULL, has_changed);
        if (r >= 0)
                r = sd_bus_add_match_async(bus, NULL, BUS_OWNER_MATCH, on_change, NULL,
                                           has_changed);
        return r < 0 ? bus_fault_local(fault, r, "Cannot watch the container") : 0;
}

static int wait_container(sd_bus *bus, const char *container, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        int has_changed = 1, was_seen = 0, r;
        Loop loop;

        r = bus_container_path(container, &path, fault);
        if (r < 0)
                return r;
        r = loop_init(&loop, bus, no_signals, fault);
        if (r < 0)
                return r;
        r = watch_container(bus, path, &has_changed, fault);
        while (r >= 0) {
                _drop_(drop_json) struct json_object *properties = NULL;
                Fault gone = FAULT_INIT;

                if (!has_changed) {
                        r = loop_turn(&loop, fault);
                        continue;
                }
                has_changed = 0;
                r = bus_get_properties(bus, path, WARDEN_CONTAINER, container, &properties, &gone);
                if (r >= 0) {
                        was_seen = 1;
                        if (state_is_final(json_get_string(properties, "State", "")))
                                break;
                } else if (gone.kind == FAULT_NO_SUCH_CONTAINER && was_seen) {
                        r = 0;
                        break;
                } else if (!was_seen) {
                        *fault = gone;
                } else {
                        r = 0; /* the daemon is away, and its return is a change */
                }
        }
        loop_done(&loop);
        return r;
}

int verb_wait(Command *command)
{
        int is_kept = 0;
        const OptionUse uses[] = {
                { &wait_option_group, &is_kept },
                { &json_option_group, &command->output },
        };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r >= 0 && arguments[1])
                return wait_jobs(bus, arguments[0], arguments + 1, is_kept,
                                 command->output.is_json);
        if (r >= 0)
                r = wait_container(bus, arguments[0], &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
