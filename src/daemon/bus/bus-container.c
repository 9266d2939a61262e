/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.warden.Warden1.Container: the userdata is the Container. The environment is in no property:
 * reading properties is not restricted by sd-bus, and environments hold secrets. */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-container.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-address.h"
#include "daemon/bus/bus-egress.h"
#include "daemon/bus/bus-network.h"
#include "daemon/bus/bus-limits.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-segment.h"
#include "daemon/bus/bus-spec.h"
#include "daemon/container-freeze.h"
#include "daemon/bus/bus-stats.h"
#include "daemon/container-limits.h"
#include "daemon/manager.h"

/* The small ones differ by their name only. */
static int bus_container_get_string(sd_bus *bus, const char *path, const char *interface,
                                    const char *property, sd_bus_message *reply, void *userdata,
                                    sd_bus_error *error)
{
        const Container *c = userdata;
        char users[32];
        const char *s;

        if (strcmp(property, "Name") == 0)
                s = container_name(c);
        else if (strcmp(property, "Id") == 0)
                s = c->id;
        else if (strcmp(property, "State") == 0)
                s = container_state_to_string(c->state);
        else if (strcmp(property, "RootDirectory") == 0)
                s = c->spec->root_directory;
        else if (strcmp(property, "Hostname") == 0)
                s = c->spec->hostname ? c->spec->hostname : container_name(c);
        else if (strcmp(property, "Slice") == 0)
                s = c->spec->slice ? c->spec->slice : c->manager->conf.slice;
        else if (strcmp(property, "OOMPolicy") == 0)
                s = oom_policy_to_string(c->spec->oom_policy);
        else if (strcmp(property, "Storage") == 0)
                s = storage_kind_to_string(c->spec->storage);
        else {
                container_spec_format_private_users(c->spec, users, sizeof(users));
                s = users;
        }
        return sd_bus_message_append(reply, "s", s);
}

/* Empty when there is no process, or when it was not in its scope when its life began. */
static int bus_container_get_control_group(sd_bus *bus, const char *path, const char *interface,
                                           const char *property, sd_bus_message *reply,
                                           void *userdata, sd_bus_error *error)
{
        const Container *c = userdata;

        return sd_bus_message_append(reply, "s", c->control_group ? c->control_group : "");
}

static int bus_container_get_read_only(sd_bus *bus, const char *path, const char *interface,
                                       const char *property, sd_bus_message *reply, void *userdata,
                                       sd_bus_error *error)
{
        const Container *c = userdata;

        return sd_bus_message_append(reply, "b", c->spec->is_read_only);
}

static int bus_container_get_pressure(sd_bus *bus, const char *path, const char *interface,
                                      const char *property, sd_bus_message *reply, void *userdata,
                                      sd_bus_error *error)
{
        const Container *c = userdata;

        return sd_bus_message_append(reply, "t", c->spec->pressure_usec);
}

static int append_label(sd_bus_message *reply, const char *label)
{
        _drop_(drop_free) char *key = NULL;
        size_t n = strcspn(label, "=");

        key = strndup(label, n);
        if (!key)
                return -ENOMEM;
        return sd_bus_message_append(reply, "{ss}", key, label[n] ? label + n + 1 : "");
}

static int bus_container_get_labels(sd_bus *bus, const char *path, const char *interface,
                                    const char *property, sd_bus_message *reply, void *userdata,
                                    sd_bus_error *error)
{
        const Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        if (r < 0)
                return r;
        for (char **p = c->spec->labels; p && *p; p++) {
                r = append_label(reply, *p);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(reply);
}

static int bus_container_get_limits(sd_bus *bus, const char *path, const char *interface,
                                    const char *property, sd_bus_message *reply, void *userdata,
                                    sd_bus_error *error)
{
        return bus_limits_append(reply, container_limits(userdata));
}

static int bus_container_get_events(sd_bus *bus, const char *path, const char *interface,
                                    const char *property, sd_bus_message *reply, void *userdata,
                                    sd_bus_error *error)
{
        const Container *c = userdata;

        return sd_bus_message_append_strv(reply, c->events);
}

static int bus_container_get_jobs(sd_bus *bus, const char *path, const char *interface,
                                  const char *property, sd_bus_message *reply, void *userdata,
                                  sd_bus_error *error)
{
        const Container *c = userdata;
        Job *job;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "o");
        if (r < 0)
                return r;
        MAP_FOREACH(job, c->jobs) {
                _drop_(drop_free) char *job_path = NULL;

                r = bus_path_job(job, &job_path);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "o", job_path);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(reply);
}

static int bus_container_method_start(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_start(userdata, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_container_method_freeze(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_freeze(userdata, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_container_method_thaw(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_thaw(userdata, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_container_stop(Container *c, sd_bus_message *m, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        BusStop stop;
        int r;

        r = bus_spec_read_stop(m, &stop, &fault);
        if (r >= 0 && stop.is_background) {
                r = container_stop(c, stop.kill_usec, NULL, NULL, &fault);
                if (r >= 0)
                        return sd_bus_reply_method_return(m, NULL);
        }
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_stop(c, stop.kill_usec, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_container_method_stop(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        return bus_container_stop(userdata, m, error);
}

int bus_container_destroy(Container *c, sd_bus_message *m, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_destroy(c, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_container_method_destroy(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        return bus_container_destroy(userdata, m, error);
}

static int bus_container_method_kill(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        int32_t signal;
        BusCall *call;
        int r;

        r = bus_spec_read_signal(m, &signal, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_kill(userdata, signal, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_container_method_set_limits(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(limits_done) Limits changes = { .set = 0 };
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_limits_read(m, &changes, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_set_limits(userdata, &changes, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static void on_spawned(void *userdata, Job *job, int error, const Fault *fault)
{
        _drop_(drop_free) char *path = NULL;

        if (error >= 0)
                error = bus_path_job(job, &path);
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_path(userdata, path);
}

static int bus_container_method_spawn_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        BusSpawn spawn = BUS_SPAWN_INIT;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_spec_read_spawn(m, &spawn, &fault);
        if (r < 0) {
                job_spec_free(spawn.spec);
                return bus_fault_to_error(&fault, r, error);
        }
        r = bus_call_new(m, &call, error);
        if (r < 0) {
                job_spec_free(spawn.spec);
                return r;
        }
        r = container_spawn(userdata, spawn.spec, spawn.fds, on_spawned, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

const sd_bus_vtable bus_container_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Name", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("Id", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("State", "s", bus_container_get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Leader", "u", NULL, offsetof(Container, leader_pid), CHANGES),
        SD_BUS_PROPERTY("Unit", "s", NULL, offsetof(Container, unit), CONST),
        SD_BUS_PROPERTY("ControlGroup", "s", bus_container_get_control_group, 0, CHANGES),
        SD_BUS_PROPERTY("RootDirectory", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("ReadOnly", "b", bus_container_get_read_only, 0, CONST),
        SD_BUS_PROPERTY("Hostname", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("Network", "s", bus_address_get_string, 0, CONST),
        SD_BUS_PROPERTY("NetworkPool", "s", bus_address_get_string, 0, CONST),
        SD_BUS_PROPERTY("NetworkInterface", "s", bus_address_get_string, 0, CONST),
        SD_BUS_PROPERTY("InterfaceName", "s", bus_address_get_string, 0, CONST),
        SD_BUS_PROPERTY("Isolated", "b", bus_address_get_isolated, 0, CHANGES),
        SD_BUS_PROPERTY("Segment", "s", bus_address_get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Interfaces", "as", bus_address_get_interfaces, 0, CONST),
        SD_BUS_PROPERTY("HostAddress", "s", bus_address_get_string, 0, CONST),
        SD_BUS_PROPERTY("ContainerAddress", "s", bus_address_get_string, 0, CONST),
        SD_BUS_PROPERTY("Addresses", "as", bus_address_get_addresses, 0, CONST),
        SD_BUS_PROPERTY("Storage", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("PrivateUsers", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("UIDBase", "u", NULL, offsetof(Container, uid_base), CONST),
        SD_BUS_PROPERTY("UIDCount", "u", NULL, offsetof(Container, uid_count), CONST),
        SD_BUS_PROPERTY("Labels", "a{ss}", bus_container_get_labels, 0, CONST),
        SD_BUS_PROPERTY("ForwardedPorts", "aa{sv}", bus_network_get_forwards, 0, CHANGES),
        SD_BUS_PROPERTY("EgressRules", "aa{sv}", bus_egress_get, 0, CHANGES),
        SD_BUS_PROPERTY("Slice", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY("Limits", "a{sv}", bus_container_get_limits, 0, CHANGES),
        SD_BUS_PROPERTY("OOMPolicy", "s", bus_container_get_string, 0, CONST),
        SD_BUS_PROPERTY(SPEC_KEY_PRESSURE, "t", bus_container_get_pressure, 0, CONST),
        SD_BUS_PROPERTY("Events", "as", bus_container_get_events, 0, CHANGES),
        SD_BUS_PROPERTY("OOMKills", "t", NULL, offsetof(Container, oom_total), CHANGES),
        SD_BUS_PROPERTY("Jobs", "ao", bus_container_get_jobs, 0, CHANGES),
        SD_BUS_PROPERTY("JobsDropped", "t", NULL, offsetof(Container, jobs_dropped), 0),
        SD_BUS_PROPERTY("CreatedTimestamp", "t", NULL, offsetof(Container, created_usec), CONST),

        SD_BUS_SIGNAL_WITH_ARGS("OutOfMemory", SD_BUS_NO_ARGS, 0),
        SD_BUS_SIGNAL_WITH_ARGS("MemoryPressure", SD_BUS_NO_ARGS, 0),

        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                                bus_container_method_start, 0),
        SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
                                bus_container_method_stop, 0),
        SD_BUS_METHOD_WITH_ARGS("Destroy", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                                bus_container_method_destroy, 0),
        SD_BUS_METHOD_WITH_ARGS("Freeze", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                                bus_container_method_freeze, 0),
        SD_BUS_METHOD_WITH_ARGS("Thaw", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_container_method_thaw,
                                0),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("i", signal), SD_BUS_NO_RESULT,
                                bus_container_method_kill, 0),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", stats),
                                bus_container_method_get_stats, 0),
        SD_BUS_METHOD_WITH_ARGS("SetLimits", SD_BUS_ARGS("a{sv}", limits), SD_BUS_NO_RESULT,
                                bus_container_method_set_limits, 0),
        SD_BUS_METHOD_WITH_ARGS("SpawnJob", SD_BUS_ARGS("as", argv, "a{sv}", spec),
                                SD_BUS_RESULT("o", job), bus_container_method_spawn_job,
                                SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("ForwardPort", SD_BUS_ARGS("a{sv}", forward),
                                SD_BUS_RESULT("q", host_port, "q", container_port),
                                bus_network_method_forward, 0),
        SD_BUS_METHOD_WITH_ARGS("UnforwardPort", SD_BUS_ARGS("a{sv}", forward), SD_BUS_NO_RESULT,
                                bus_network_method_unforward, 0),
        SD_BUS_METHOD_WITH_ARGS("AllowEgress", SD_BUS_ARGS("a{sv}", rule), SD_BUS_NO_RESULT,
                                bus_egress_method_allow, 0),
        SD_BUS_METHOD_WITH_ARGS("DenyEgress", SD_BUS_ARGS("a{sv}", rule), SD_BUS_NO_RESULT,
                                bus_egress_method_deny, 0),
        SD_BUS_METHOD_WITH_ARGS("GetEgressCounters", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("aa{sv}", rules, "a{sv}", others),
                                bus_egress_method_count, 0),
        SD_BUS_METHOD_WITH_ARGS("SetSegment", SD_BUS_ARGS("a{sv}", segment), SD_BUS_NO_RESULT,
                                bus_segment_method_set, 0),

        SD_BUS_VTABLE_END,
};
