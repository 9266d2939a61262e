/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cgroup/stats.h"
#include "daemon/manager.h"

/* Reads what containers use. A few are read at once; many are read by a forked child, since a
 * thousand containers are twenty thousand files, and the kernel adds up its counters while they are
 * read. There is one child at a time: who asks meanwhile shares the next one's answer. */

typedef struct StatsReader StatsReader;

/* One container at the time of the reading. */
typedef struct StatsRow {
        char name[CONTAINER_NAME_MAX + 1];
        char *slice; /* of several containers: the unit's name; NULL: of none */
        ContainerState state;
        int is_gone;            /* it ended while it was read */
        const uint64_t *packed; /* stats_unpack() */
} StatsRow;

/* @rows   those asked for, in the order of their making; only during the call. NULL with an error.
 *         A container that ended meanwhile is in it with is_gone. */
typedef void (*StatsFunc)(void *userdata, const StatsRow *const *rows, size_t n_rows, int error,
                          const Fault *fault);

int stats_reader_new(Manager *manager, StatsReader **ret);

/* Answers who still waits with an error. */
StatsReader *stats_reader_free(StatsReader *reader);
DEFINE_DROP(StatsReader, stats_reader, stats_reader_free);

/* @names   ended by NULL; those that no container has are left out. None at all: all containers
 * @func    called exactly once in success, now or later
 * Returns  0; -ENOMEM, -EAGAIN no process could be made, with a fault. Does not block. */
int stats_reader_read(StatsReader *reader, char *const *names, StatsFunc func, void *userdata,
                      Fault *fault);
