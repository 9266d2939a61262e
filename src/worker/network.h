/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/plan.h"

/* A container's network as seen from the host. */

/* Makes the pair of a plan with addresses, limits it, raises and addresses the host's side, and
 * lets the host forward; the child finds the other side in its namespace and does the rest
 * (room-network.h). Then moves in the interfaces of the host that the plan names.
 * @netns_fd   the child's. Returns 0; negative errno with a fault; network_undo() then. */
int network_attach(const Plan *plan, int netns_fd, Fault *fault);

/* Changes what is given of a pair's bandwidth. Returns 0; negative errno with a fault. */
int network_limit(const char *interface, const BandwidthLimits *limits, Fault *fault);

/* Removes what is left of it without the pair. Returns 0; negative errno. */
int network_unlimit(const char *interface);

/* Removes the devices of containers that are in none of these directories, ended by NULL: their
 * remover was killed. */
void network_remove_leftovers(char *const *directories);

/* The pair dies with the child's namespace; what outlives it is taken back, and what is the host's
 * is given back. */
void network_undo(const Plan *plan);

/* Enters the namespace that the plan says, for good: what is forked from now on is in it.
 * @ret_sys_fd   a sysfs of it, detached. Returns 0; negative errno with a fault. */
int network_join(const Plan *plan, int *ret_sys_fd, Fault *fault);

/* @runtime_directory   of the container. Gives back, after the container has gone, what
 * network_attach() took; the switches of the host stay, network_settle() is for them. Returns 0;
 * negative errno. */
int network_release(const char *runtime_directory);

/* Puts the switches of the host back when no container needs them.
 * @directory   the daemon's for the runtime of all containers. Returns 0; negative errno. */
int network_settle(const char *directory);
