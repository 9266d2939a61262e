/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "init/passwd.h"
#include "init/spec.h"

/* The last step of a job's birth: its argument vector, its environment, and the search for its
 * program. */

/* Room for the text of the variables that are added to a job's environment. */
#define PROGRAM_DEFAULTS 8
#define PROGRAM_TEXT_MAX (2 * PASSWD_PATH_MAX + 2 * PASSWD_NAME_MAX + 256)

/* Fills @ret with the spec's variables and those that it lacks:
 *
 *     PATH HOME SHELL container          always
 *     USER LOGNAME                       when the user has a name
 *     TERM                               on a terminal
 *
 * @ret         room for n_environment + PROGRAM_DEFAULTS + 1 pointers, NULL-terminated
 * @text        PROGRAM_TEXT_MAX bytes for the added ones
 * Returns      how many there are. */
size_t program_environment(const Spec *spec, const Passwd *passwd, int is_tty, char **ret,
                           char *text);

/* Executes the spec's program, looking for a name without a slash in the PATH of its own
 * environment. Returns only on failure: -ENOENT nothing by that name, -EACCES found but may not be
 * executed, -ENOEXEC not a program (no shell is tried), and what execve() says else. */
int program_exec(const Spec *spec, const Passwd *passwd, int is_tty);
