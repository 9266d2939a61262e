/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/plan.h"

/* Interfaces of the host that a container has for as long as it runs.
 *
 * A network namespace dies with its last process, and virtual interfaces with it. So the namespace
 * is held by a mount, RUNTIME_DIRECTORY/netns, among the mounts of the host's first process, where
 * it outlives the daemon, the worker and all that is killed; who finds it gives back what is in it.
 * systemd's store of descriptors would do as much, but for the time in which the daemon is stopped.
 */

/* Holds the namespace and moves what the plan names; interfaces_return() when it fails.
 * Returns 0; -ENODEV with FAULT_NOT_FOUND; -EINVAL with FAULT_INVALID: the host would be cut off;
 * negative errno with a fault. */
int interfaces_take(const Plan *plan, int netns_fd, Fault *fault);

/* Gives back whatever is still there, each by its name or, where that is taken by now, as "dev%d",
 * and lets the namespace go. What is held by nobody is none to return: 0.
 * @names   in the order of the plan. Returns 0; the first error, with a fault. */
int interfaces_return(const char *runtime_directory, char *const *names, Fault *fault);
