/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/spawn.h"

static int spawn_one(Session *session, JobOptions *options, const char *container,
                     char *const *argv, Fault *fault)
{
        int r = job_options_complete(options, argv, fault);

        return r < 0 ? r : session_spawn(session, container, fault);
}

int spawn_command(Session *session, JobOptions *options, const char *container, char *const *argv,
                  int is_login, Fault *fault)
{
        static const char *const shells[] = { "/bin/bash", "/bin/sh" };
        int r = 0;

        if (argv[0])
                return spawn_one(session, options, container, argv, fault);
        for (size_t i = 0; i < ELEMENTSOF(shells); i++) {
                char *shell[] = { (char *)shells[i], is_login ? (char[]){ "-l" } : NULL, NULL };

                *fault = FAULT_INIT;
                r = spawn_one(session, options, container, shell, fault);
                if (r >= 0 || fault->kind != FAULT_PROGRAM_NOT_FOUND)
                        break;
        }
        return r;
}

void spawn_default_stdio(JobOptions *options)
{
        if (options->is_detached)
                return;
        options->is_interactive = 1;
        if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
                options->spec->is_tty = 1;
}

char **spawn_skip_dashes(char **arguments)
{
        return arguments[0] && strcmp(arguments[0], "--") == 0 ? arguments + 1 : arguments;
}

void spawn_complain_left(const Session *session)
{
        uint32_t job;

        if (session->is_detached && bus_path_job(session->watch.path, &job) >= 0) {
                complain("Job %" PRIu32 " goes on. 'wardenctl attach %s %" PRIu32
                         "' comes back to it.",
                         job, session->container, job);
                return;
        }
        if (!session->watch.path || session->watch.end != JOB_END_NONE ||
            bus_path_job(session->watch.path, &job) < 0)
                return;
        complain("Job %" PRIu32 " of '%s' may still run. 'wardenctl kill --job %" PRIu32
                 " -s KILL %s' ends it.",
                 job, session->container, job, session->container);
}
