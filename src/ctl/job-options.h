/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "ctl/detach-keys.h"
#include "ctl/options.h"
#include "model/job-spec.h"

/* The options of exec, shell and run that say how a job is run. */

typedef struct JobOptions {
        JobSpec *spec; /* without argv: that is what the session is given */
        DetachKeys detach_keys;
        int is_interactive;
        int is_detached;
        int has_log; /* it was given; else the daemon's default */
} JobOptions;

extern const OptionGroup job_option_group;             /* user, directory, rlimits */
extern const OptionGroup job_stdio_option_group;       /* -i -t -d */
extern const OptionGroup job_output_option_group;      /* --log, --ring-size */
extern const OptionGroup detach_option_group;          /* --detach-keys; target: DetachKeys */
extern const OptionGroup job_environment_option_group; /* -e; run gives it to the container */

/* Returns 0; -ENOMEM. */
int job_options_init(JobOptions *options);
void job_options_done(JobOptions *options);

/* Takes the command line, checks the whole, and adds what a job on a terminal wants to know of it.
 * Returns 0; negative errno with a fault. */
int job_options_complete(JobOptions *options, char *const *argv, Fault *fault);

/* Appends the argv and the a{sv} of SpawnJob.
 * @fds      stdin, stdout, stderr; -EBADF for none. Duplicated. Ignored for a job with a terminal.
 * Returns   0; negative errno */
int job_options_append(const JobOptions *options, const int fds[3], sd_bus_message *m);
