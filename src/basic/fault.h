/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/* What a client should read of a failure: it travels beside the negative errno from the place where
 * things went wrong to the one file that turns it into a D-Bus error. The first one set wins, so
 * that a general text of an outer function never hides the precise one of an inner. NULL is allowed
 * wherever a Fault is taken. */

typedef enum FaultKind {
        FAULT_NONE,
        FAULT_FAILED,    /* the kernel or systemd refused; the default */
        FAULT_INVALID,   /* bad input: names the field and the reason; nothing was changed */
        FAULT_NOT_FOUND, /* a file, root or path that was asked for is not there */
        FAULT_NO_SUCH_CONTAINER,
        FAULT_NO_SUCH_JOB,
        FAULT_NAME_EXISTS,
        FAULT_BAD_STATE,              /* the state table forbids it: names state and event */
        FAULT_LIMIT,                  /* a pool, a queue or a configured bound is exhausted */
        FAULT_NOT_SUPPORTED,          /* this kernel, cgroup mode or systemd cannot do it */
        FAULT_PROGRAM_NOT_FOUND,      /* exit code 127 in the field's convention */
        FAULT_PROGRAM_NOT_EXECUTABLE, /* exit code 126 */
        FAULT_NO_SUCH_USER,
        FAULT_TIMED_OUT,
        FAULT_IN_USE, /* a port of the host is somebody else's: names whose */
        _FAULT_MAX,
        _FAULT_INVALID = -22,
} FaultKind;

#define FAULT_TEXT_MAX 512

typedef struct Fault {
        FaultKind kind;
        int error; /* negative errno */
        char text[FAULT_TEXT_MAX];
} Fault;

#define FAULT_INIT ((Fault){ FAULT_NONE, 0, "" })

const char *fault_kind_to_string(FaultKind kind);
FaultKind fault_kind_from_string(const char *s);

/* Records kind, @error (negative errno) and the text, unless an earlier fault is there. %m is
 * expanded from @error. Whatever the arguments are, the text is valid UTF-8 without control
 * characters: '?' stands for others. Returns @error, so that it can be the return statement. */
int fault_set(Fault *fault, FaultKind kind, int error, const char *format, ...) _printf_(4, 5);

/* Puts "PREFIX: " in front of the text: outer functions name the stage this way. Returns
 * fault->error. */
int fault_prefix(Fault *fault, const char *prefix);
