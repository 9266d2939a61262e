/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* "wardenctl: TEXT" on stderr: what went wrong and, where there is something, what to do next. */

void complain(const char *format, ...) _printf_(1, 2);

/* Prints the fault, or what @error (negative errno) means when it has no text. Returns the exit
 * code that belongs to it. */
int complain_fault(int error, const Fault *fault);
