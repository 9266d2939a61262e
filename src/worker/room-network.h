/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/plan.h"

/* A container's network as seen from inside, by the child that becomes its PID 1. */

/* Sends the worker the namespace, for it to put the interface there. Returns 0; -EPIPE; negative
 * errno with a fault. */
int room_network_send(int channel_fd, Fault *fault);

/* Gives the interface that the plan names its addresses and routes. Returns 0; negative errno with
 * a fault. */
int room_network_configure(const Plan *plan, Fault *fault);

/* /etc/resolv.conf, hosts and hostname, as far as the plan has them. Returns as above. */
int room_network_write_names(const Plan *plan, int root_fd, Fault *fault);
