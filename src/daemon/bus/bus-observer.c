/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager's changes as signals. Nothing here can fail in a way that somebody could be told
 * of: a signal that cannot be queued is lost, and the loop ends with the connection. */

#include <errno.h>
#include <string.h>

#include "basic/log.h"
#include "daemon/bus/bus-path.h"

static void log_lost(const char *what, int r)
{
        if (r < 0)
                log_debug("Cannot emit %s: %s", what, strerror(-r));
}

static void tell_count(BusServer *server)
{
        if (server->events.counted)
                server->events.counted(server->events.userdata);
}

/* Interfaces are named one by one: sd_bus_emit_object_removed() would look for the object, which
 * may not be found any more. */
static void on_container_added(void *userdata, Container *c)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_container(c, &path);
        if (r >= 0)
                r = sd_bus_emit_interfaces_added(server->bus, path, BUS_INTERFACE_CONTAINER, NULL);
        if (r >= 0)
                r = sd_bus_emit_signal(server->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "ContainerNew",
                                       "so", container_name(c), path);
        log_lost("ContainerNew", r);
        tell_count(server);
}

static void on_container_removed(void *userdata, Container *c)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_container(c, &path);
        if (r >= 0)
                r = sd_bus_emit_signal(server->bus, BUS_PATH, BUS_INTERFACE_MANAGER,
                                       "ContainerRemoved", "so", container_name(c), path);
        if (r >= 0)
                r = sd_bus_emit_interfaces_removed(server->bus, path, BUS_INTERFACE_CONTAINER,
                                                   NULL);
        log_lost("ContainerRemoved", r);
        tell_count(server);
}

static void on_container_changed(void *userdata, Container *c, unsigned mask)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        const char *names[12];
        size_t n = 0;
        int r;

        if (mask & CONTAINER_CHANGED_STATE)
                names[n++] = "State";
        if (mask & CONTAINER_CHANGED_LEADER) {
                names[n++] = "Leader";
                names[n++] = "ControlGroup";
        }
        if (mask & CONTAINER_CHANGED_JOBS)
                names[n++] = "Jobs";
        if (mask & CONTAINER_CHANGED_LIMITS)
                names[n++] = "Limits";
        if (mask & CONTAINER_CHANGED_FORWARDS)
                names[n++] = "ForwardedPorts";
        if (mask & CONTAINER_CHANGED_EGRESS)
                names[n++] = "EgressRules";
        if (mask & CONTAINER_CHANGED_SEGMENT) {
                names[n++] = "Isolated";
                names[n++] = "Segment";
        }
        if (mask & CONTAINER_CHANGED_EVENTS) {
                names[n++] = "Events";
                names[n++] = "OOMKills";
        }
        if (n == 0)
                return;
        names[n] = NULL;

        r = bus_path_container(c, &path);
        if (r >= 0)
                r = sd_bus_emit_properties_changed_strv(server->bus, path, BUS_INTERFACE_CONTAINER,
                                                        (char **)names);
        log_lost("PropertiesChanged", r);
}

static void on_container_oom(void *userdata, Container *c)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_container(c, &path);
        if (r >= 0)
                r = sd_bus_emit_signal(server->bus, path, BUS_INTERFACE_CONTAINER, "OutOfMemory",
                                       NULL);
        log_lost("OutOfMemory", r);
}

static void on_container_pressure(void *userdata, Container *c)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_container(c, &path);
        if (r >= 0)
                r = sd_bus_emit_signal(server->bus, path, BUS_INTERFACE_CONTAINER, "MemoryPressure",
                                       NULL);
        log_lost("MemoryPressure", r);
}

static void on_job_added(void *userdata, Job *job)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_job(job, &path);
        if (r >= 0)
                r = sd_bus_emit_interfaces_added(server->bus, path, BUS_INTERFACE_JOB, NULL);
        log_lost("InterfacesAdded", r);
        tell_count(server);
}

static void on_job_removed(void *userdata, Job *job)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_job(job, &path);
        if (r >= 0)
                r = sd_bus_emit_interfaces_removed(server->bus, path, BUS_INTERFACE_JOB, NULL);
        log_lost("InterfacesRemoved", r);
        tell_count(server);
}

static void on_job_changed(void *userdata, Job *job, unsigned mask)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_job(job, &path);
        if (r >= 0 && mask & JOB_CHANGED_OUTPUT)
                r = sd_bus_emit_properties_changed(server->bus, path, BUS_INTERFACE_JOB,
                                                   "OutputOpen", NULL);
        if (r >= 0 && mask & JOB_CHANGED_STATE)
                r = sd_bus_emit_properties_changed(server->bus, path, BUS_INTERFACE_JOB, "State",
                                                   "PID", "ExitCode", "ExitSignal", "ExitTimestamp",
                                                   "EndReason", "CoreDumped", "OutputOpen", NULL);
        log_lost("PropertiesChanged", r);
}

static void on_job_exited(void *userdata, Job *job)
{
        _drop_(drop_free) char *path = NULL;
        BusServer *server = userdata;
        int r;

        r = bus_path_job(job, &path);
        if (r >= 0)
                r = sd_bus_emit_signal(server->bus, path, BUS_INTERFACE_JOB, "Exited", "ii",
                                       job->exit_code, job->exit_signal);
        log_lost("Exited", r);
}

static void on_settled(void *userdata)
{
        BusServer *server = userdata;

        if (server->events.settled)
                server->events.settled(server->events.userdata);
}

void bus_observer_init(BusServer *server, ManagerObserver *ret)
{
        *ret = (ManagerObserver){
                .container_added = on_container_added,
                .container_removed = on_container_removed,
                .container_changed = on_container_changed,
                .container_oom = on_container_oom,
                .container_pressure = on_container_pressure,
                .job_added = on_job_added,
                .job_removed = on_job_removed,
                .job_changed = on_job_changed,
                .job_exited = on_job_exited,
                .settled = on_settled,
                .userdata = server,
        };
}
