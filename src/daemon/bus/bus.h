/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "daemon/manager.h"

/* The manager's objects on the bus. The rest of daemon/bus is private to it; callers see no type of
 * sd-bus. */

#define BUS_NAME "org.warden.Warden1"

struct sd_bus;
struct sd_event;

typedef struct BusServer BusServer;

/* Told to the main program; each may be NULL. */
typedef struct BusServerEvents {
        void (*named)(void *userdata, int error); /* the name is ours, or will not be */
        void (*settled)(void *userdata);          /* manager_is_settled() has become true */
        void (*counted)(void *userdata);          /* a container or a job more or less */
        void *userdata;
} BusServerEvents;

/* The system bus, or the one that $DBUS_SYSTEM_BUS_ADDRESS names. The loop ends with a failure when
 * the connection does: systemd starts us again, and nothing is lost but the calls that waited.
 * @ret       new reference, for bus_close()
 * Returns    0; negative errno. Does not wait for the bus to answer. */
int bus_open(struct sd_event *event, struct sd_bus **ret);
struct sd_bus *bus_close(struct sd_bus *bus);

/* Puts all objects on @bus and becomes the observer of @manager.
 * @bus, @manager   must outlive what bus_server_free() frees, but see bus_server_detach()
 * Returns          0; -ENOMEM and sd-bus's errors */
int bus_server_new(struct sd_bus *bus, Manager *manager, const BusServerEvents *events,
                   BusServer **ret);

/* No more objects and no more signals, but calls that wait can be answered still: for the time in
 * which the manager is freed. */
void bus_server_detach(BusServer *server);

/* Calls that still wait are answered with an error. */
BusServer *bus_server_free(BusServer *server);
DEFINE_DROP(BusServer, bus_server, bus_server_free);

/* Asks for BUS_NAME; events.named is called later. */
int bus_server_request_name(BusServer *server);

/* Writes the introspection data of one object of a daemon without containers, as sd-bus shows it,
 * or for "list" the paths that there are, one a line.
 * Returns 0; -ENOENT no such path; sd-bus's errors. */
int bus_introspect(const char *path, FILE *f);
