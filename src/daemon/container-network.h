/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "model/plan.h"

/* What a container's network needs of the daemon: a slot, or the container whose network it shares.
 */

/* Leases what spec->network asks for; c->has_network says whether there is a slot. Private without
 * any configured pool has none, and is a namespace with lo.
 * Returns 0; negative errno with a fault; nothing was changed then. */
int container_network_lease(Container *c, Fault *fault);

/* Takes up the lease of a record. Returns 0; -EEXIST. */
int container_network_restore(Container *c, const NetworkAddresses *addresses);

void container_network_release(Container *c);

/* The plan's fields of the network, at each start anew. Returns 0; negative errno with a fault: the
 * other container does not run. */
int container_network_plan(const Container *c, Plan *plan, Fault *fault);

/* An interface of the host has vanished, which may be its own: with a container that ends that is
 * how it is, else somebody is told after a moment. */
void container_network_link_gone(Container *c);

/* After the worker has joined the namespace of a pid: whether that was really the other container's
 * and not a reuse of its number. Returns 1 or 0. */
int container_network_is_joined(const Container *c);
