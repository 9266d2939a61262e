/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Copies a program into memory that nobody can change any more and opens it for reading: what is
 * executed as PID 1 of every container. A container that gets hold of its PID 1's file has this
 * copy, not a file of the host.
 * @ret_fd   owned by the caller; for execveat() with AT_EMPTY_PATH
 * Returns 0; -ENOENT (fault: FAULT_NOT_FOUND); negative errno with a fault. */
int program_seal(const char *path, int *ret_fd, Fault *fault);
