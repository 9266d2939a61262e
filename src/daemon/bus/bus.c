/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/log.h"
#include "daemon/bus/bus-access.h"
#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-path.h"

#define SYSTEM_BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"

/* What sd_bus_open_system() does, but trusted: who may call is decided by bus-access.c. */
static int open_trusted(sd_bus **ret)
{
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        _drop_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_description(bus, "wardend");
        if (r >= 0)
                r = sd_bus_set_address(bus, address ? address : SYSTEM_BUS_ADDRESS);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0)
                r = sd_bus_set_trusted(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = take_ptr(bus);
        return 0;
}

int bus_open(struct sd_event *event, struct sd_bus **ret)
{
        _drop_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = bus_fault_register();
        if (r < 0)
                return r;
        r = open_trusted(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_exit_on_disconnect(bus, 1);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        *ret = take_ptr(bus);
        return 0;
}

struct sd_bus *bus_close(struct sd_bus *bus)
{
        /* Without the loop first: closing ends the process otherwise, by way of
         * exit-on-disconnect. */
        if (bus) {
                (void)sd_bus_set_exit_on_disconnect(bus, 0);
                (void)sd_bus_detach_event(bus);
        }
        return sd_bus_flush_close_unref(bus);
}

BusServer *bus_server_current(sd_bus *bus)
{
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}

static sd_bus_slot **server_next_slot(BusServer *server)
{
        return &server->slots[server->n_slots++];
}

static int server_add_objects(BusServer *server)
{
        int r;

        r = bus_access_init(server, server_next_slot(server));
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(server->bus, server_next_slot(server), BUS_PATH,
                                     BUS_INTERFACE_MANAGER, bus_manager_vtable, server);
        if (r < 0)
                return r;
        r = sd_bus_add_fallback_vtable(server->bus, server_next_slot(server), BUS_PATH_CONTAINERS,
                                       BUS_INTERFACE_CONTAINER, bus_container_vtable,
                                       bus_path_find_container, server);
        if (r < 0)
                return r;
        r = sd_bus_add_fallback_vtable(server->bus, server_next_slot(server), BUS_PATH_CONTAINERS,
                                       BUS_INTERFACE_JOB, bus_job_vtable, bus_path_find_job,
                                       server);
        if (r < 0)
                return r;
        r = sd_bus_add_node_enumerator(server->bus, server_next_slot(server), BUS_PATH_CONTAINERS,
                                       bus_path_enumerate, server);
        if (r < 0)
                return r;
        r = sd_bus_add_object_manager(server->bus, server_next_slot(server), BUS_PATH);
        if (r < 0)
                return r;
        return sd_bus_add_object_vtable(
                server->bus, server_next_slot(server), "/org/freedesktop/LogControl1",
                "org.freedesktop.LogControl1", bus_log_control_vtable, server);
}

int bus_server_new(struct sd_bus *bus, Manager *manager, const BusServerEvents *events,
                   BusServer **ret)
{
        _drop_(drop_bus_server) BusServer *server = NULL;
        int r;

        server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;
        server->bus = sd_bus_ref(bus);
        server->manager = manager;
        server->cgroup_mode = manager ? manager->cgroup_mode : cgroup_mode();
        if (events)
                server->events = *events;
        server->senders = map_new();
        if (!server->senders)
                return -ENOMEM;
        r = server_add_objects(server);
        if (r < 0)
                return r;
        if (manager)
                bus_observer_init(server, &manager->observer);

        *ret = take_ptr(server);
        return 0;
}

void bus_server_detach(BusServer *server)
{
        server->name_slot = sd_bus_slot_unref(server->name_slot);
        while (server->n_slots > 0) {
                server->n_slots--;
                server->slots[server->n_slots] = sd_bus_slot_unref(server->slots[server->n_slots]);
        }
        if (server->manager)
                server->manager->observer = (ManagerObserver){ 0 };
        server->manager = NULL;
        server->events = (BusServerEvents){ 0 };
}

BusServer *bus_server_free(BusServer *server)
{
        if (!server)
                return NULL;
        bus_server_detach(server);
        bus_calls_cancel(server);
        map_free(server->senders);
        bus_access_done(server);
        sd_bus_unref(server->bus);
        free(server);
        return NULL;
}

static void server_tell_name(BusServer *server, int error)
{
        if (server->events.named)
                server->events.named(server->events.userdata, error);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        BusServer *server = userdata;
        uint32_t result;
        int r;

        if (e) {
                log_error(0, "The bus refuses the name " BUS_NAME ": %s", e->message);
                server_tell_name(server, -sd_bus_error_get_errno(e));
                return 0;
        }
        r = sd_bus_message_read(m, "u", &result);
        /* 1: we are the owner, 4: we were already; else somebody else is. */
        if (r >= 0 && result != 1 && result != 4)
                r = log_error(-EEXIST, "The name " BUS_NAME " is taken: another wardend is there");
        server_tell_name(server, r < 0 ? r : 0);
        return 0;
}

int bus_server_request_name(BusServer *server)
{
        return sd_bus_request_name_async(server->bus, &server->name_slot, BUS_NAME, 0, on_name,
                                         server);
}
