/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus.h"

/* What the files of daemon/bus share. */

#define BUS_PATH "/org/warden/Warden1"
#define BUS_INTERFACE_MANAGER BUS_NAME ".Manager"
#define BUS_INTERFACE_CONTAINER BUS_NAME ".Container"
#define BUS_INTERFACE_JOB BUS_NAME ".Job"

typedef struct BusCall BusCall;

#define BUS_SLOTS_MAX 8

struct BusServer {
        sd_bus *bus;
        Manager *manager; /* NULL: only for introspection */
        BusServerEvents events;
        CgroupMode cgroup_mode;
        sd_bus_slot *slots[BUS_SLOTS_MAX];
        size_t n_slots;
        sd_bus_slot *name_slot;
        BusCall *calls; /* that wait for an answer */
        Map *senders;   /* of these, by unique name */
        Map *callers;   /* bus-access.c: unique names that may call */
};

/* The server whose vtable is being called: its slot carries it, since a vtable's userdata is the
 * object. Only within methods and property getters. */
BusServer *bus_server_current(sd_bus *bus);

extern const sd_bus_vtable bus_manager_vtable[];
extern const sd_bus_vtable bus_container_vtable[];
extern const sd_bus_vtable bus_job_vtable[];
extern const sd_bus_vtable bus_log_control_vtable[];

/* Fills the observer that turns the manager's changes into signals. */
void bus_observer_init(BusServer *server, ManagerObserver *ret);
