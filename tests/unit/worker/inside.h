/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "harness.h"

/* A container under test and a line to its PID 1. Every function fails the test when it cannot. */

/* For the first line of a test; cmocka prints the reason once for the group. */
#define SKIP_UNLESS_ROOT(state) \
        do {                    \
                if (!*(state))  \
                        skip(); \
        } while (0)

typedef struct Inside {
        Harness *h;
        Plan *plan; /* to be changed before inside_enter() */
        Made made;
        int fd;
        char reply[4096];
} Inside;

Inside inside_prepare(void **state);
void inside_enter(Inside *in);

/* Sends a command (test-init.c); the answer lasts until the next. */
const char *ask(Inside *in, const char *command);

/* How PID 1 says errno; lasts until the next call. */
const char *errno_text(int error);

/* Ends and removes the container. */
void inside_leave(Inside *in);

/* Creates and expects FAILED with a text that has @what in it, and that nothing is left. */
void inside_expect_failure(Inside *in, FaultKind kind, const char *what);

/* That no process, no socket and, unless it was there before, no layer is left. */
void inside_expect_nothing(Inside *in);
