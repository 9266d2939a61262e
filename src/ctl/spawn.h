/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/session.h"

/* Starts @argv in the container or, when it is empty, a shell: bash where there is one, else sh.
 * @is_login   it reads the profile of its user
 * Returns 0; negative errno with a fault. */
int spawn_command(Session *session, JobOptions *options, const char *container, char *const *argv,
                  int is_login, Fault *fault);

/* For verbs whose command may be left out: a shell on a terminal where we have one, else a shell
 * that reads what we read. Explicit options stay. */
void spawn_default_stdio(JobOptions *options);

/* A `--` between the name and the command is for people who like it. */
char **spawn_skip_dashes(char **arguments);

/* Tells what is left behind when the job's end was not waited for. */
void spawn_complain_left(const Session *session);
