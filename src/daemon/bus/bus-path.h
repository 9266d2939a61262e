/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-server.h"

/* Object paths and what they stand for. */

#define BUS_PATH_CONTAINERS BUS_PATH "/container"

/* @ret   new memory, owned by the caller. Returns 0; -ENOMEM. */
int bus_path_container(const Container *c, char **ret);
int bus_path_job(const Job *job, char **ret);

/* For fallback vtables; the slot's userdata is the BusServer. Of a server without a manager every
 * path of the right form is found, and stands for the server. */
int bus_path_find_container(sd_bus *bus, const char *path, const char *interface, void *userdata,
                            void **ret, sd_bus_error *error);
int bus_path_find_job(sd_bus *bus, const char *path, const char *interface, void *userdata,
                      void **ret, sd_bus_error *error);

/* All paths below BUS_PATH_CONTAINERS. */
int bus_path_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
                       sd_bus_error *error);
