/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/fault.h"

struct json_object;

#define WARDEN_NAME "org.warden.Warden1"
#define WARDEN_PATH "/org/warden/Warden1"
#define WARDEN_CONTAINERS WARDEN_PATH "/container"
#define WARDEN_MANAGER WARDEN_NAME ".Manager"
#define WARDEN_CONTAINER WARDEN_NAME ".Container"
#define WARDEN_JOB WARDEN_NAME ".Job"

/* NameOwnerChanged of the daemon's name: it comes, goes, or is replaced. */
#define BUS_OWNER_MATCH                                                             \
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" WARDEN_NAME "'"

/* What a call may take when it is not known to last: longer than a daemon that is busy needs, as a
 * client that gave up half-way would leave a container that nobody asked for. */
#define BUS_TIMEOUT_USEC (120 * USEC_PER_SEC)

DEFINE_DROP(sd_bus, bus, sd_bus_flush_close_unref);
DEFINE_DROP(sd_bus_message, message, sd_bus_message_unref);
DEFINE_DROP(sd_bus_slot, slot, sd_bus_slot_unref);

/* The system bus; $DBUS_SYSTEM_BUS_ADDRESS says where it is. Returns 0; negative errno, fault. */
int bus_open(sd_bus **ret, Fault *fault);

/* Turns a D-Bus error into a fault that says what to do next.
 * @container   whose object was spoken to, for the text; may be NULL
 * Returns      negative errno */
int bus_fault(Fault *fault, const sd_bus_error *error, const char *container);

/* For what sd-bus itself refused: @r, a negative errno, and what was tried. Returns @r. */
int bus_fault_local(Fault *fault, int r, const char *what);

/* The object path of a container, or of a job in it. The name is checked: what cannot be the name
 * of a container is no container. Returns 0, new memory; negative errno with a fault. */
int bus_container_path(const char *container, char **ret, Fault *fault);
int bus_job_path(const char *container, uint32_t job, char **ret, Fault *fault);

/* The parts of an object path back as names, new memory. Returns 0; -EINVAL: it is none of ours. */
int bus_path_container(const char *path, char **ret);
int bus_path_job(const char *path, uint32_t *ret);

/* A method call to the daemon, to be filled. Returns 0; negative errno with a fault. */
int bus_new_call(sd_bus *bus, const char *path, const char *interface, const char *member,
                 sd_bus_message **ret, Fault *fault);

/* Sends it and waits. @ret may be NULL. Returns 0; negative errno with a fault. */
int bus_call(sd_bus *bus, sd_bus_message *m, uint64_t timeout_usec, const char *container,
             sd_bus_message **ret, Fault *fault);

/* All properties of one interface, as a JSON object. */
int bus_get_properties(sd_bus *bus, const char *path, const char *interface, const char *container,
                       struct json_object **ret, Fault *fault);

/* The same of the container of that name. */
int bus_get_container(sd_bus *bus, const char *container, struct json_object **ret, Fault *fault);

/* Those of all containers, as an array, by name; each with its "Path". */
int bus_get_containers(sd_bus *bus, struct json_object **ret, Fault *fault);
