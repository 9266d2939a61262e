/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* Which capabilities a container may ever have. Taken from the bounding set before PID 1 is
 * executed, so that no process of the container can get them back. */

/* Bit i: capability i. What OCI runtimes leave, but for MKNOD without a user namespace: there it
 * would make any device of the host. */
uint64_t caps_default(int has_user_namespace);

/* Takes all others from the bounding set of this process. The sets in use stay until the next exec.
 * Returns 0; negative errno with a fault. */
int caps_bound(uint64_t keep, Fault *fault);

/* Empties the inheritable and the ambient set. Returns 0; negative errno with a fault. */
int caps_clear_inheritable(Fault *fault);
