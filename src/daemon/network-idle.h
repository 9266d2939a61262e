/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/* A moment after the last container with a network of its own is gone, the switches of the host are
 * put back. Not at once: where containers come and go one at a time each would turn them twice, and
 * the kernel lets a turn wait, spinning, while it takes the network of the one before apart. */

struct Manager;

typedef struct NetworkIdle NetworkIdle;

/* Returns 0; -ENOMEM. */
int network_idle_new(struct Manager *manager, NetworkIdle **ret);
NetworkIdle *network_idle_free(NetworkIdle *idle);
DEFINE_DROP(NetworkIdle, network_idle, network_idle_free);

/* A container with a network is gone; whether it was the last is found out later. Never blocks.
 * What fails is logged. */
void network_idle_begin(NetworkIdle *idle);
