/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/worker-socket.h"

/* Puts directories into the trash, tells the client, and then deletes them at leisure.
 * @client_fd   the daemon's end of this operation: its end, with the process, tells that all is
 *              deleted
 * Returns 0; negative errno. */
int remove_run(int client_fd, const WorkerPacket *packet);

/* What an earlier life left in the trash of a state directory, or of the directory "containers" in
 * it, and of switches of the host in "network". An absent one is fine. */
void remove_leftovers(const char *directory);
