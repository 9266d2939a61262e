/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/worker-socket.h"

/* Freezes a container on cgroup v1, tells the client, and is done.
 * @client_fd   the daemon's end of this operation
 * Returns 0; negative errno. */
int freeze_run(int client_fd, const WorkerPacket *packet);
