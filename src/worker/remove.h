/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/worker-socket.h"

/* Puts directories into the trash, tells the client, and then deletes them at leisure.
 * @client_fd   the daemon's end of this operation; closed when it was told
 * Returns 0; negative errno. */
int remove_run(int *take_client_fd, const WorkerPacket *packet);

/* What an earlier life left in the trash of a state directory, or of the directory "containers" in
 * it. An absent one is fine. */
void remove_leftovers(const char *directory);
