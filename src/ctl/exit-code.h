/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* What a shell sees, by the convention of env(1), ssh(1) and the container tools: above 124 it is
 * not the command that speaks. */

#define EXIT_CODE_OURS 125           /* wardenctl or wardend failed; the command did not run */
#define EXIT_CODE_NOT_EXECUTABLE 126 /* the command is there but cannot be run */
#define EXIT_CODE_NOT_FOUND 127
#define EXIT_CODE_SIGNAL 128 /* plus the signal's number */

int exit_code_from_fault(FaultKind kind);

/* @code, @signal   as in Job.Exited: signal 0 when it exited by itself */
int exit_code_from_job(int code, int signal);
