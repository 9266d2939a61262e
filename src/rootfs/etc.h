/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Puts a file into /etc of a root, in place of what is there: a symbolic link is replaced, not
 * followed. It is the container's own file then, on its layer, and may be changed by it.
 * @name   of one component. Returns 0; negative errno with a fault. */
int etc_write(int root_fd, const char *name, const char *text, Fault *fault);
