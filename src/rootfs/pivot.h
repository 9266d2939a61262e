/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Leaving a tree of mounts for another. */

/* Replaces all mounts of a new mount namespace, which are copies of the host's, by one empty file
 * system, which becomes the working directory. Nothing of the host can be reached by a path from
 * then on, nothing that the host unmounts is held by a container, and what comes later needs no
 * look at the host's table.
 * Returns 0; negative errno with a fault. */
int pivot_to_empty(Fault *fault);

/* Makes the working directory, which is the top of a mount, the root, and lets go of everything
 * else. Returns 0; negative errno with a fault. */
int pivot_to_working_directory(Fault *fault);
