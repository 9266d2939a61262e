/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "cgroup/stats.h"

/* What the limits of a container's bandwidth did: counters of the kernel's queues. */

/* Adds those of both directions, as far as they are limited. The kernel tells them under the lock
 * of all interfaces: not for the daemon's loop.
 * @interface   the host's side of a pair, "w-…"
 * Returns 0; negative errno when nobody can be asked. */
int stats_read_bandwidth(const char *interface, Stats *stats);

typedef struct QueueStats {
        uint32_t dropped; /* packets */
        uint32_t delayed; /* times that one had to wait */
} QueueStats;

/* The kernel's answer. Returns 0; -ENODATA it is of another queue than a token bucket, or an error;
 * -EBADMSG. */
int queue_stats_parse(const void *data, size_t size, QueueStats *ret);
