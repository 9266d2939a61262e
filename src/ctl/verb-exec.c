/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* exec and shell: one command in a container that is there. */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/spawn.h"
#include "ctl/verb.h"

static int print_detached(const Session *session, const Output *output, Fault *fault)
{
        uint32_t job;
        int r;

        r = bus_path_job(session->watch.path, &job);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot read the job's name");
        if (output->is_json) {
                _drop_(drop_json) struct json_object *all = json_object_new_object();

                json_object_object_add(all, "Name", json_object_new_string(session->container));
                json_object_object_add(all, "Job", json_object_new_int64(job));
                json_object_object_add(all, "Path", json_object_new_string(session->watch.path));
                json_print(all);
        } else {
                printf("%" PRIu32 "\n", job);
        }
        return 0;
}

static int run_session(const Command *command, JobOptions *options, char **arguments, int is_login,
                       int *ret_exit_code, Fault *fault)
{
        _drop_(drop_bus) sd_bus *bus = NULL;
        Session session;
        int r;

        r = bus_open(&bus, fault);
        if (r < 0)
                return r;
        r = session_init(&session, bus, options, fault);
        if (r < 0)
                return r;
        r = spawn_command(&session, options, arguments[0], spawn_skip_dashes(arguments + 1),
                          is_login, fault);
        *ret_exit_code = EXIT_SUCCESS;
        if (r >= 0 && options->is_detached)
                r = print_detached(&session, &command->output, fault);
        else if (r >= 0)
                r = session_wait(&session, ret_exit_code, fault);
        if (r >= 0 && !options->is_detached)
                spawn_complain_left(&session);
        session_done(&session);
        return r;
}

static int run(Command *command, const OptionUse *uses, size_t n_uses, JobOptions *options,
               int is_shell)
{
        Fault fault = FAULT_INIT;
        char **arguments;
        int exit_code, r;

        r = verb_parse(command, uses, n_uses, &arguments);
        if (r != VERB_GO)
                return r;
        if (is_shell) {
                spawn_default_stdio(options);
        } else if (!spawn_skip_dashes(arguments + 1)[0]) {
                complain("What shall run in '%s'? 'wardenctl shell %s' opens a shell.",
                         arguments[0], arguments[0]);
                return EXIT_CODE_OURS;
        }
        r = run_session(command, options, arguments, is_shell, &exit_code, &fault);
        return r < 0 ? complain_fault(r, &fault) : exit_code;
}

int verb_exec(Command *command)
{
        JobOptions options;
        const OptionUse uses[] = {
                { &job_stdio_option_group, &options },
                { &job_output_option_group, &options },
                { &detach_option_group, &options.detach_keys },
                { &job_option_group, &options },
                { &job_environment_option_group, &options },
                { &json_option_group, &command->output },
        };
        int r;

        r = job_options_init(&options);
        if (r < 0)
                return complain_fault(r, &FAULT_INIT);
        r = run(command, uses, ELEMENTSOF(uses), &options, 0);
        job_options_done(&options);
        return r;
}

int verb_shell(Command *command)
{
        JobOptions options;
        const OptionUse uses[] = {
                { &detach_option_group, &options.detach_keys },
                { &job_option_group, &options },
                { &job_environment_option_group, &options },
        };
        int r;

        r = job_options_init(&options);
        if (r < 0)
                return complain_fault(r, &FAULT_INIT);
        r = run(command, uses, ELEMENTSOF(uses), &options, 1);
        job_options_done(&options);
        return r;
}
