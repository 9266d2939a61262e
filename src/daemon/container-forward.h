/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "model/forward.h"

/* Ports of the host that lead into a container, which change while it lives. They are the spec's,
 * so that they are saved with it and come back with a start. */

/* Claims the host's ports of the spec's forwards, and chooses those that it leaves open. Returns 0;
 * negative errno with a fault; nothing is claimed then. */
int container_forwards_lease(Container *c, Fault *fault);

/* Gives the ports back and cancels what is under way (network-change.h). */
void container_forwards_release(Container *c);

/* @forward   NULL with a negative errno and a fault; else what was added, with the host's port */
typedef void (*ForwardFunc)(void *userdata, const PortForward *forward, int error,
                            const Fault *fault);

/* @forward    host_port 0: one of the pool
 * @func       called once from the loop, when it is in force and saved
 * Returns 0; -EPROTO (FAULT_BAD_STATE), FAULT_IN_USE, FAULT_NOT_SUPPORTED ... with a fault. */
int container_forward(Container *c, const PortForward *forward, ForwardFunc func, void *userdata,
                      Fault *fault);

/* @forward      protocol, host_port and host_address say which; container_port and count, too,
 *               unless they are 0
 * @is_cutting   connections that there are, too
 * Returns 0; -ENOENT (FAULT_NOT_FOUND) there is no such one ... */
int container_unforward(Container *c, const PortForward *forward, int is_cutting, ReplyFunc func,
                        void *userdata, Fault *fault);
