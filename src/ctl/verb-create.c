/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* create and run: a container from a directory, for now or for one command. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/container-options.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/spawn.h"
#include "ctl/verb.h"

/* Returns the call of CreateContainer, filled. */
static int create_new_call(sd_bus *bus, const ContainerOptions *options, sd_bus_message **ret,
                           Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(bus, WARDEN_PATH, WARDEN_MANAGER, "CreateContainer", &m, fault);
        if (r < 0)
                return r;
        r = container_options_append(options, m);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the container");
        *ret = take_ptr(m);
        return 0;
}

/* The reply of CreateContainer: the container's name, new memory. */
static int create_read_reply(sd_bus_message *reply, char **ret_name, Fault *fault)
{
        const char *path;
        int r;

        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = bus_path_container(path, ret_name);
        return r < 0 ? bus_fault_local(fault, r, "Cannot read the container's name") : 0;
}

/* @job_path   NULL: there is none to tell of */
static int print_created(const char *name, const char *job_path, const Output *output, Fault *fault)
{
        _drop_(drop_json) struct json_object *all = NULL;
        _drop_(drop_free) char *path = NULL;
        uint32_t job;
        int r;

        if (!output->is_json) {
                printf("%s\n", name);
                return 0;
        }
        r = bus_container_path(name, &path, fault);
        if (r < 0)
                return r;
        all = json_object_new_object();
        json_object_object_add(all, "Name", json_object_new_string(name));
        json_object_object_add(all, "Path", json_object_new_string(path));
        if (job_path && bus_path_job(job_path, &job) >= 0)
                json_object_object_add(all, "Job", json_object_new_int64(job));
        json_print(all);
        return 0;
}

static int create(const Command *command, const ContainerOptions *options, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        _drop_(drop_free) char *name = NULL;
        int r;

        r = bus_open(&bus, fault);
        if (r < 0)
                return r;
        r = create_new_call(bus, options, &m, fault);
        if (r < 0)
                return r;
        r = bus_call(bus, m, BUS_TIMEOUT_USEC, NULL, &reply, fault);
        if (r < 0)
                return r;
        r = create_read_reply(reply, &name, fault);
        if (r < 0)
                return r;
        return print_created(name, NULL, &command->output, fault);
}

int verb_create(Command *command)
{
        _drop_(container_options_done) ContainerOptions options;
        const OptionUse uses[] = {
                { &container_option_group, &options },
                { &json_option_group, &command->output },
        };
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = container_options_init(&options);
        if (r < 0)
                return complain_fault(r, &fault);
        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = container_options_complete(&options, arguments[0], &fault);
        if (r >= 0)
                r = create(command, &options, &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}

typedef struct RunOptions {
        ContainerOptions container;
        JobOptions job;
        int is_kept, is_removed;
} RunOptions;

enum {
        OPTION_KEEP = 256,
        OPTION_RM,
};

static const Option run_options[] = {
        { OPTION_KEEP, "keep", NULL, "do not destroy the container at the end" },
        { OPTION_RM, "rm", NULL, "do so: the default, for fingers that are used to it" },
};

static int run_set(void *target, int key, const char *value, Fault *fault)
{
        RunOptions *options = target;

        if (key == OPTION_RM)
                options->is_removed = 1;
        else
                options->is_kept = 1;
        return 0;
}

static int run_check(const RunOptions *options, Fault *fault)
{
        if (options->is_removed && options->is_kept)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "--rm contradicts --keep");
        if (options->is_removed && options->job.is_detached)
                return fault_set(
                        fault, FAULT_INVALID, -EINVAL,
                        "--rm needs somebody who waits for the command's end, and --detach "
                        "does not: leave one out, and 'wardenctl destroy' it later");
        return 0;
}

static const OptionGroup run_option_group = {
        .title = "The end",
        .options = run_options,
        .n_options = ELEMENTSOF(run_options),
        .set = run_set,
};

/* However the command ended, the container must not stay: errors are told, and change a success. */
static int run_destroy(Session *session, const char *name, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(session->loop.bus, WARDEN_PATH, WARDEN_MANAGER, "DestroyContainer", &m,
                         fault);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", name);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the end of the container");
        r = loop_call(&session->loop, m, BUS_TIMEOUT_USEC, name, NULL, fault);
        /* Another one was faster. */
        return fault->kind == FAULT_NO_SUCH_CONTAINER ? 0 : r;
}

static int run_create(Session *session, const ContainerOptions *options, char **ret_name,
                      Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = create_new_call(session->loop.bus, options, &m, fault);
        if (r < 0)
                return r;
        r = loop_call(&session->loop, m, BUS_TIMEOUT_USEC, NULL, &reply, fault);
        if (r < 0)
                return r;
        return create_read_reply(reply, ret_name, fault);
}

/* The command's own part: 0 with the exit code, or a fault. */
static int run_job(Session *session, RunOptions *options, const Output *output, const char *name,
                   char **argv, int *ret_exit_code, Fault *fault)
{
        int r;

        if (session->loop.first_signal) {
                *ret_exit_code = EXIT_CODE_SIGNAL + session->loop.first_signal;
                return 0;
        }
        r = spawn_command(session, &options->job, name, argv, 0, fault);
        if (r < 0)
                return r;
        if (options->job.is_detached) {
                *ret_exit_code = EXIT_SUCCESS;
                return print_created(name, session->watch.path, output, fault);
        }
        return session_wait(session, ret_exit_code, fault);
}

static int run(const Command *command, RunOptions *options, char **argv, int *ret_exit_code,
               Fault *fault)
{
        _drop_(drop_bus) sd_bus *bus = NULL;
        _drop_(drop_free) char *name = NULL;
        Session session;
        int r, is_kept;

        r = bus_open(&bus, fault);
        if (r < 0)
                return r;
        r = session_init(&session, bus, &options->job, fault);
        if (r < 0)
                return r;
        session.patience = 2;
        r = run_create(&session, &options->container, &name, fault);
        if (r < 0) {
                session_done(&session);
                return r;
        }
        r = run_job(&session, options, &command->output, name, argv, ret_exit_code, fault);
        is_kept = options->is_kept ||
                  (options->job.is_detached && r >= 0 && *ret_exit_code == EXIT_SUCCESS) ||
                  session.is_detached;
        streams_done(&session.streams);
        if (is_kept && r >= 0 && !options->job.is_detached)
                spawn_complain_left(&session);
        if (!is_kept) {
                Fault other = FAULT_INIT;
                int k = run_destroy(&session, name, &other);

                if (k < 0 && r >= 0 && *ret_exit_code != EXIT_SUCCESS) {
                        complain("Cannot destroy '%s': %s", name, other.text);
                } else if (k < 0) {
                        *fault = r < 0 ? *fault : other;
                        r = r < 0 ? r : k;
                }
        }
        session_done(&session);
        return r;
}

int verb_run(Command *command)
{
        RunOptions options = { .is_kept = 0 };
        const OptionUse uses[] = {
                { &job_stdio_option_group, &options.job },
                { &job_output_option_group, &options.job },
                { &detach_option_group, &options.job.detach_keys },
                { &job_option_group, &options.job },
                { &container_option_group, &options.container },
                { &run_option_group, &options },
                { &json_option_group, &command->output },
        };
        Fault fault = FAULT_INIT;
        char **arguments, **argv;
        int exit_code = EXIT_CODE_OURS, r;

        if (container_options_init(&options.container) < 0 || job_options_init(&options.job) < 0) {
                complain("Out of memory");
                return EXIT_CODE_OURS;
        }
        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r == VERB_GO) {
                argv = spawn_skip_dashes(arguments + 1);
                if (!argv[0])
                        spawn_default_stdio(&options.job);
                r = run_check(&options, &fault);
                if (r >= 0)
                        r = container_options_complete(&options.container, arguments[0], &fault);
                if (r >= 0)
                        r = run(command, &options, argv, &exit_code, &fault);
                r = r < 0 ? complain_fault(r, &fault) : exit_code;
        }
        container_options_done(&options.container);
        job_options_done(&options.job);
        return r;
}
