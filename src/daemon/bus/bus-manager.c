/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.warden.Warden1.Manager: the userdata is the BusServer. */

#include <errno.h>

#include "config.h"
#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-container.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-spec.h"
#include "daemon/bus/bus-stats.h"
#include "daemon/capacity.h"

static int bus_manager_get_version(sd_bus *bus, const char *path, const char *interface,
                                   const char *property, sd_bus_message *reply, void *userdata,
                                   sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", WARDEN_VERSION);
}

static int bus_manager_get_cgroup_mode(sd_bus *bus, const char *path, const char *interface,
                                       const char *property, sd_bus_message *reply, void *userdata,
                                       sd_bus_error *error)
{
        const BusServer *server = userdata;

        return sd_bus_message_append(reply, "s", cgroup_mode_to_string(server->cgroup_mode));
}

/* 0 for what cannot be known at the moment: a getter that fails would take all of GetAll along. */
static int bus_manager_get_capacity(sd_bus *bus, const char *path, const char *interface,
                                    const char *property, sd_bus_message *reply, void *userdata,
                                    sd_bus_error *error)
{
        const BusServer *server = userdata;
        uint64_t value;

        if (capacity_get(server->manager, capacity_from_string(property), &value) < 0)
                value = 0;
        return sd_bus_message_append(reply, "t", value);
}

static void on_created(void *userdata, Container *c, int error, const Fault *fault)
{
        _drop_(drop_free) char *path = NULL;

        if (error >= 0)
                error = bus_path_container(c, &path);
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_path(userdata, path);
}

static int bus_manager_method_create_container(sd_bus_message *m, void *userdata,
                                               sd_bus_error *error)
{
        _drop_(drop_container_spec) ContainerSpec *spec = NULL;
        BusServer *server = userdata;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        spec = container_spec_new();
        if (!spec)
                return bus_fault_to_error(NULL, -ENOMEM, error);
        spec->grace_usec = server->manager->conf.grace_usec;
        r = bus_spec_read_container(m, spec, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = manager_create(server->manager, take_ptr(spec), on_created, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

/* The container that a method names first; NULL with @error filled. */
static Container *find_container(BusServer *server, sd_bus_message *m, int *ret_error,
                                 sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        const char *name;
        Container *c;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0) {
                *ret_error = r;
                return NULL;
        }
        c = manager_get(server->manager, name);
        if (!c) {
                r = fault_set(&fault, FAULT_NO_SUCH_CONTAINER, -ENXIO,
                              "There is no container '%.100s'", name);
                *ret_error = bus_fault_to_error(&fault, r, error);
        }
        return c;
}

static int reply_container(sd_bus_message *m, const Container *c, sd_bus_error *error)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_path_container(c, &path);
        if (r < 0)
                return bus_fault_to_error(NULL, r, error);
        return sd_bus_reply_method_return(m, "o", path);
}

static int bus_manager_method_get_container(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int r = 0;
        Container *c = find_container(userdata, m, &r, error);

        return c ? reply_container(m, c, error) : r;
}

static int bus_manager_method_get_container_by_pid(sd_bus_message *m, void *userdata,
                                                   sd_bus_error *error)
{
        BusServer *server = userdata;
        Fault fault = FAULT_INIT;
        Container *c;
        uint32_t pid;
        int r;

        r = sd_bus_message_read(m, "u", &pid);
        if (r < 0)
                return r;
        c = pid > 0 ? manager_get_by_pid(server->manager, pid) : NULL;
        if (c)
                return reply_container(m, c, error);
        r = fault_set(&fault, FAULT_NO_SUCH_CONTAINER, -ENXIO,
                      "Process %u is in no container of ours", pid);
        return bus_fault_to_error(&fault, r, error);
}

static int append_row(sd_bus_message *reply, const Container *c)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_path_container(c, &path);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "(ssuo)", container_name(c),
                                     container_state_to_string(c->state), c->leader_pid, path);
}

static int bus_manager_method_list_containers(sd_bus_message *m, void *userdata,
                                              sd_bus_error *error)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        BusServer *server = userdata;
        Container *c;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(ssuo)");
        if (r < 0)
                return r;
        MAP_FOREACH(c, server->manager->by_name) {
                r = c->is_announced ? append_row(reply, c) : 0;
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int bus_manager_method_stop_container(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int r = 0;
        Container *c = find_container(userdata, m, &r, error);

        return c ? bus_container_stop(c, m, error) : r;
}

static int bus_manager_method_destroy_container(sd_bus_message *m, void *userdata,
                                                sd_bus_error *error)
{
        int r = 0;
        Container *c = find_container(userdata, m, &r, error);

        return c ? bus_container_destroy(c, m, error) : r;
}

const sd_bus_vtable bus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Version", "s", bus_manager_get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CgroupMode", "s", bus_manager_get_cgroup_mode, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CapacityMemory", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityMemoryFree", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityDisk", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityDiskFree", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityContainers", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityContainersFree", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityUsers", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityUsersFree", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityPorts", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityPortsFree", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityNetworks", "t", bus_manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityNetworksFree", "t", bus_manager_get_capacity, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("CreateContainer", SD_BUS_ARGS("a{sv}", spec),
                                SD_BUS_RESULT("o", container), bus_manager_method_create_container,
                                SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("GetContainer", SD_BUS_ARGS("s", name),
                                SD_BUS_RESULT("o", container), bus_manager_method_get_container, 0),
        SD_BUS_METHOD_WITH_ARGS("GetContainerByPID", SD_BUS_ARGS("u", pid),
                                SD_BUS_RESULT("o", container),
                                bus_manager_method_get_container_by_pid, 0),
        SD_BUS_METHOD_WITH_ARGS("ListContainers", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(ssuo)", containers),
                                bus_manager_method_list_containers, 0),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_ARGS("as", names),
                                SD_BUS_RESULT("a{sa{sv}}", stats), bus_manager_method_get_stats, 0),
        SD_BUS_METHOD_WITH_ARGS("StopContainer", SD_BUS_ARGS("s", name, "a{sv}", options),
                                SD_BUS_NO_RESULT, bus_manager_method_stop_container, 0),
        SD_BUS_METHOD_WITH_ARGS("DestroyContainer", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                                bus_manager_method_destroy_container, 0),

        SD_BUS_SIGNAL_WITH_ARGS("ContainerNew", SD_BUS_ARGS("s", name, "o", container), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ContainerRemoved", SD_BUS_ARGS("s", name, "o", container), 0),

        SD_BUS_VTABLE_END,
};
