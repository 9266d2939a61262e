/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/plan.h"
#include "wire/worker-socket.h"
#include "worker/child.h"
#include "worker/host.h"

/* Makes one container, as a table of stages, each of which can be undone; the fault of a failed one
 * begins with its name. The dialogue is that of worker-message.h. */

/* Called once, when all that remains is to wait for others. */
typedef void (*CreateIdleFunc)(void *userdata);

/* What the namespaces of a planned container need of the child that enters them. */
ChildOptions create_child_options(const Plan *plan);

/* @client_fd   the daemon's end of this operation
 * @packet      the request
 * @plan        decoded from it
 * @spare       a child that was started in advance; taken over when its options are the plan's
 * Blocks until the container runs (0) or everything is undone (negative errno; both were told to
 * the client), but no longer than the plan's timeout. */
int create_run(const Host *host, int client_fd, const WorkerPacket *packet, const Plan *plan,
               Child *spare, CreateIdleFunc on_idle, void *userdata);
