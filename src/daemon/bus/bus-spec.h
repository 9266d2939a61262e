/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/job.h"
#include "model/container-spec.h"
#include "model/job-spec.h"

/* From the arguments of methods to the model: all keys that clients may use are tables here. The
 * values are checked as far as one alone can be; the rest is the model's validation, which these
 * call. All return 0; negative errno with a fault that names the key, -ENOMEM without. */

/* Reads CreateContainer's a{sv} into @spec, which has its defaults. */
int bus_spec_read_container(sd_bus_message *m, ContainerSpec *spec, Fault *fault);

typedef struct BusSpawn {
        JobSpec *spec;
        int fds[3]; /* stdin, stdout, stderr; of the message, which owns them; -EBADF: not given */
} BusSpawn;

#define BUS_SPAWN_INIT ((BusSpawn){ NULL, { -EBADF, -EBADF, -EBADF } })

/* Reads SpawnJob's as and a{sv}. @ret->spec is the caller's, also on failure. */
int bus_spec_read_spawn(sd_bus_message *m, BusSpawn *ret, Fault *fault);

typedef struct BusStop {
        uint64_t kill_usec; /* USEC_INFINITY: the container's own grace time */
        int is_background;
} BusStop;

int bus_spec_read_stop(sd_bus_message *m, BusStop *ret, Fault *fault);

/* Attach's a{sv}. */
int bus_spec_read_attach(sd_bus_message *m, JobAttach *ret, Fault *fault);

/* An i that is a signal's number, 1 to 64. */
int bus_spec_read_signal(sd_bus_message *m, int32_t *ret, Fault *fault);
