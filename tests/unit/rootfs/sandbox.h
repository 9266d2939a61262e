/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs code as root of new namespaces, without being root: a user namespace with one id, and in it
 * mount, pid, network, ipc and uts namespaces. */

/* Fails the code that runs in the sandbox, with the place. */
#define CHECK(condition)                                              \
        do {                                                          \
                if (!(condition))                                     \
                        sandbox_fail(__FILE__, __LINE__, #condition); \
        } while (0)

void sandbox_fail(const char *file, int line, const char *condition);

/* Forks, runs fn(argument) as PID 1, and fails the test when that fails. Skips the test where users
 * may not have namespaces. */
void sandbox_run(void (*fn)(void *argument), void *argument);

/* In the sandbox: a file system in memory on /tmp, with these directories made in it (a list that
 * ends with NULL), which becomes the working directory. */
void sandbox_make_tmp(const char *const *directories);
