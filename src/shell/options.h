/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/job-spec.h"

/* The command line of wsh. */

typedef struct Options {
        const char *container; /* into argv */
        const char *runtime_directory;
        JobSpec *spec;
        int is_help, is_version; /* nothing else is set then */
} Options;

/* @interactive  whether stdin and stdout are terminals: without a command that means a login shell
 *               with a terminal of its own
 * Returns       0; -EINVAL, -E2BIG with a fault; -ENOMEM. options_done() in any case. */
int options_parse(Options *options, int argc, char **argv, int is_interactive, Fault *fault);
void options_done(Options *options);

void options_print_help(void);
