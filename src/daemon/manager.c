/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "basic/message-id.h"
#include "daemon/container-forward.h"
#include "daemon/firewall.h"
#include "cgroup/limit-check.h"
#include "cgroup/pressure-source.h"
#include "daemon/container-limits.h"
#include "daemon/container-oom.h"
#include "daemon/container-name.h"
#include "daemon/container-network.h"
#include "daemon/host-routes.h"
#include "daemon/journal-pool.h"
#include "daemon/link-monitor.h"
#include "daemon/manager.h"
#include "daemon/port-table.h"
#include "daemon/network-idle.h"
#include "daemon/network-pool.h"
#include "daemon/process.h"
#include "daemon/project-pool.h"
#include "daemon/segment-pool.h"
#include "daemon/stats-reader.h"
#include "daemon/store.h"
#include "daemon/uid-pool.h"
#include "daemon/worker-pool.h"
#include "quota/quota.h"
#include "systemd/scope-find.h"

/* /run/warden/containers and /var/lib/warden/containers: nobody but root may look into them, since
 * a set-id file of a container in there must not be reachable by a user of the host. */
static int make_directories(Manager *manager, Fault *fault)
{
        const char *directories[] = { manager->conf.state_directory,
                                      manager->conf.runtime_directory };
        int *fds[] = { &manager->layers_dir_fd, &manager->containers_dir_fd };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _drop_(drop_fd) int fd = -EBADF, sub_fd = -EBADF;
                int r;

                r = io_mkdir_parents(directories[i], 0700);
                if (r >= 0) {
                        fd = open(directories[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        r = fd < 0 ? -errno : 0;
                }
                if (r >= 0)
                        r = sub_fd = io_mkdir_open(fd, "containers", 0700);
                if (r >= 0 && fchmod(sub_fd, 0700) < 0)
                        r = -errno;
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "Cannot use the directory %s: %m",
                                         directories[i]);
                *fds[i] = take_fd(&sub_fd);
        }
        /* A second daemon would take the first one's half-made containers for leftovers. The lock
         * goes with the process. */
        if (flock(manager->containers_dir_fd, LOCK_EX | LOCK_NB) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "Another wardend uses the directory %s (%m)",
                                 manager->conf.runtime_directory);
        return 0;
}

static RetentionLimits manager_retention_limits(const Manager *manager)
{
        return (RetentionLimits){
                .age_usec = manager->conf.ended_jobs_usec,
                .group_max = manager->conf.ended_jobs_max,
        };
}

void manager_apply_retention(Manager *manager)
{
        retention_set_limits(manager->retention, manager_retention_limits(manager));
}

void manager_apply_networks(Manager *manager)
{
        port_table_set_pool(manager->ports, manager->conf.port_pool_base,
                            manager->conf.port_pool_count);
        firewall_rebuild(manager->firewall);
}

/* Nobody asked for it, so that it is counted. */
static void on_job_expired(void *userdata, RetentionEntry *entry)
{
        Job *job = (Job *)(void *)((char *)entry - offsetof(Job, retention));
        Container *c = job->container;
        Fault fault = FAULT_INIT;
        int r;

        r = job_release(job, &fault);
        if (r < 0) {
                (void)container_log(c, LOG_WARNING, r, NULL, fault.text);
                return;
        }
        c->jobs_dropped++;
        r = store_save_container(c);
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL, "Failed to save the state");
}

/* Somebody has given a scope other properties, perhaps we. */
static void on_drop_in(void *userdata, const char *unit)
{
        Manager *manager = userdata;
        char id[CONTAINER_ID_LENGTH + 1];
        Container *c;

        if (strlen(unit) <= strlen("warden-") + CONTAINER_ID_LENGTH)
                return;
        (void)snprintf(id, sizeof(id), "%s", unit + strlen("warden-"));
        c = map_get(manager->by_id, id);
        if (c && strcmp(c->unit, unit) == 0)
                container_refresh_limits(c);
}

static void on_link_gone(void *userdata, const char *interface)
{
        Manager *manager = userdata;
        Container *c;

        network_pools_link_gone(manager->networks, interface);
        if (interface) {
                c = strncmp(interface, "w-", 2) == 0 ? map_get(manager->by_id, interface + 2)
                                                     : NULL;
                if (c)
                        container_network_link_gone(c);
                return;
        }
        MAP_FOREACH(c, manager->by_id)
                container_network_link_gone(c);
}

/* Only at the start: whoever makes a route later knows what there is. Containers that live in such
 * a pool stay, as they were there first. */
static int refuse_pools(Manager *manager)
{
        for (size_t i = 0; i < manager->conf.n_network_pools; i++) {
                const NetworkPoolSpec *spec = &manager->conf.network_pools[i];
                char text[HOST_ROUTE_TEXT_MAX], reason[HOST_ROUTE_TEXT_MAX + 64];
                HostRoute route;
                int r;

                if (!host_routes_find_within(spec, &route))
                        continue;
                host_route_format(&route, text);
                (void)snprintf(reason, sizeof(reason), "it would hide the host's %s", text);
                (void)log_at(LOG_WARNING, 0,
                             (&(const LogContext){ .message_id = MESSAGE_POOL_REFUSED }),
                             "NetworkPool=: pool '%s' cannot be used: %s", spec->name, reason);
                r = network_pools_refuse(manager->networks, spec->name, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_networks(Manager *manager, Fault *fault)
{
        int r;

        r = network_pools_new(manager->conf.network_pools, manager->conf.n_network_pools, NULL,
                              &manager->networks);
        if (r >= 0)
                r = refuse_pools(manager);
        if (r >= 0)
                r = segment_pool_new(&manager->segments);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        return link_monitor_new(manager->event, on_link_gone, manager, &manager->links, fault);
}

int manager_new(sd_event *event, Conf *take_conf, SystemdClient *systemd, Manager **ret,
                Fault *fault)
{
        _drop_(drop_manager) Manager *manager = calloc(1, sizeof(*manager));
        int r;

        if (!manager) {
                conf_done(take_conf);
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        }
        manager->conf = *take_conf;
        *take_conf = (Conf){ 0 };
        manager->layers_dir_fd = manager->containers_dir_fd = -EBADF;
        manager->event = sd_event_ref(event);
        manager->systemd = systemd;
        manager->cgroup_mode = cgroup_mode();
        manager->next_id = io_now_realtime_usec();
        manager->by_name = map_new();
        manager->by_id = map_new();
        if (!manager->by_name || !manager->by_id)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        r = uid_pool_new(manager->conf.uid_pool_base, manager->conf.uid_pool_count, &manager->uids,
                         fault);
        if (r < 0)
                return r;
        r = project_pool_new(manager->conf.project_pool_base, manager->conf.project_pool_count,
                             manager->next_id, &manager->projects, fault);
        if (r < 0)
                return r;
        r = make_networks(manager, fault);
        if (r < 0)
                return r;
        r = make_directories(manager, fault);
        if (r < 0)
                return r;
        r = retention_new(event, manager_retention_limits(manager), on_job_expired, manager,
                          &manager->retention);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot make a timer: %m");
        r = worker_pool_new(event, manager->conf.worker_program, manager->conf.wshd_program,
                            manager->conf.state_directory, manager->conf.runtime_directory,
                            manager->conf.workers_max, &manager->workers, fault);
        if (r < 0)
                return r;
        r = journal_pool_new(manager, manager->conf.journal_program, &manager->journal);
        if (r >= 0)
                r = firewall_new(manager, &manager->firewall);
        if (r >= 0)
                r = network_idle_new(manager, &manager->network_idle);
        if (r >= 0)
                r = port_table_new(manager->conf.port_pool_base, manager->conf.port_pool_count,
                                   &manager->ports);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        r = stats_reader_new(manager, &manager->stats);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        r = drop_in_watch_new(event, DROP_IN_DIRECTORY, "warden-", on_drop_in, manager,
                              &manager->drop_ins);
        if (r < 0)
                log_warning(r, "Cannot watch the properties of scopes; what an administrator sets "
                               "will not be shown: %m");
        *ret = take_ptr(manager);
        return 0;
}

/* Containers are not ended: they live on without us. */
Manager *manager_free(Manager *manager)
{
        Container *c;

        if (!manager)
                return NULL;
        stats_reader_free(manager->stats);
        scope_search_free(manager->orphan_search);
        MAP_FOREACH(c, manager->by_id)
                container_free(c);
        map_free(manager->by_name);
        map_free(manager->by_id);
        retention_free(manager->retention);
        drop_in_watch_free(manager->drop_ins);
        journal_pool_free(manager->journal);
        firewall_free(manager->firewall);
        port_table_free(manager->ports);
        project_pool_free(manager->projects);
        network_idle_free(manager->network_idle);
        worker_pool_free(manager->workers);
        uid_pool_free(manager->uids);
        link_monitor_free(manager->links);
        segment_pool_free(manager->segments);
        network_pools_free(manager->networks);
        conf_done(&manager->conf);
        fd_close(manager->layers_dir_fd);
        fd_close(manager->containers_dir_fd);
        sd_event_unref(manager->event);
        free(manager);
        return NULL;
}

/* Counts from the time of the start, in microseconds, as Warden's: no id of an earlier life comes
 * again. */
void manager_make_id(Manager *manager, char ret[CONTAINER_ID_LENGTH + 1])
{
        do
                id_format(manager->next_id++, ret);
        while (map_get(manager->by_id, ret));
}

static int lease_uids(Manager *manager, Container *c, Fault *fault)
{
        int r;

        switch (c->spec->private_users) {
        case PRIVATE_USERS_NO:
                return 0;
        case PRIVATE_USERS_AUTO:
                r = uid_pool_acquire(manager->uids, &c->uid_base, fault);
                if (r >= 0)
                        c->uid_count = UID_BLOCK;
                return r;
        case PRIVATE_USERS_RANGE:
                r = uid_pool_reserve(manager->uids, c->spec->uid_base, c->spec->uid_count, fault);
                if (r >= 0) {
                        c->uid_base = c->spec->uid_base;
                        c->uid_count = c->spec->uid_count;
                }
                return r;
        case _PRIVATE_USERS_MAX:
        case _PRIVATE_USERS_INVALID:
                break;
        }
        return fault_set(fault, FAULT_INVALID, -EINVAL, "PrivateUsers: not a mode");
}

/* Only where a limit was asked for, be it infinity. */
static int lease_project(Manager *manager, Container *c, Fault *fault)
{
        int r;

        if (c->spec->storage != STORAGE_DIRECTORY || !disk_limits_are_given(&c->spec->limits))
                return 0;
        r = quota_check(manager->layers_dir_fd, manager->conf.state_directory, fault);
        return r < 0 ? r : project_pool_acquire(manager->projects, &c->project_id, fault);
}

typedef struct Create {
        Container *container; /* valid in success only */
        CreateFunc func;
        void *userdata;
} Create;

static void on_created(void *userdata, int error, const Fault *fault)
{
        _drop_(drop_free) Create *create = userdata;

        if (error >= 0)
                (void)container_log(create->container, LOG_INFO, 0, MESSAGE_CONTAINER_CREATED,
                                    "Container created");
        create->func(create->userdata, error < 0 ? NULL : create->container, error, fault);
}

int manager_create(Manager *manager, ContainerSpec *take_spec, CreateFunc func, void *userdata,
                   Fault *fault)
{
        _drop_(drop_container_spec) ContainerSpec *spec = take_spec;
        _drop_(drop_free) Create *create = malloc(sizeof(*create));
        char id[CONTAINER_ID_LENGTH + 1];
        Container *c;
        int r;

        if (!create)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        r = container_spec_validate(spec, fault);
        if (r >= 0)
                r = limit_check_possible(manager->cgroup_mode, &spec->limits, fault);
        if (r >= 0 && spec->pressure_usec > 0)
                r = pressure_check_possible(manager->cgroup_mode, SPEC_KEY_PRESSURE, fault);
        if (r < 0)
                return r;
        if (map_size(manager->by_id) >= manager->conf.containers_max)
                return fault_set(fault, FAULT_LIMIT, -ENOSPC,
                                 "There are %u containers, the most there may be",
                                 manager->conf.containers_max);
        manager_make_id(manager, id);
        r = container_new(manager, id, take_ptr(spec), &c, fault);
        if (r < 0)
                return r;
        c->created_usec = io_now_realtime_usec();
        r = lease_uids(manager, c, fault);
        if (r >= 0)
                r = lease_project(manager, c, fault);
        if (r >= 0)
                r = container_network_lease(c, fault);
        if (r >= 0)
                r = container_forwards_lease(c, fault);
        if (r >= 0) {
                r = store_open_container(c);
                (void)(r < 0 &&
                       fault_set(fault, FAULT_FAILED, r, "Cannot make the state directory: %m"));
        }
        *create = (Create){ .container = c, .func = func, .userdata = userdata };
        if (r >= 0)
                r = container_begin(c, on_created, create, fault);
        if (r < 0) {
                (void)io_remove_tree(manager->containers_dir_fd, c->id);
                container_free(c);
                return r;
        }
        create = NULL;
        return 0;
}

Container *manager_get(Manager *manager, const char *name)
{
        Container *c = map_get(manager->by_name, name);

        return c && c->is_announced ? c : NULL;
}

Container *manager_get_by_pid(Manager *manager, uint32_t pid)
{
        _drop_(drop_free) char *cgroup = NULL;
        const char *p;

        if (cgroup_find(manager->cgroup_mode, pid, NULL, &cgroup) < 0)
                return NULL;
        /* …/warden-ID.scope, or anything below it. */
        for (p = strstr(cgroup, "/warden-"); p; p = strstr(p + 1, "/warden-")) {
                char id[CONTAINER_ID_LENGTH + 1];
                const char *start = p + strlen("/warden-");
                Container *c;

                if (strnlen(start, CONTAINER_ID_LENGTH) < CONTAINER_ID_LENGTH ||
                    strncmp(start + CONTAINER_ID_LENGTH, ".scope", 6) != 0)
                        continue;
                (void)snprintf(id, sizeof(id), "%.*s", CONTAINER_ID_LENGTH, start);
                c = map_get(manager->by_id, id);
                if (c && c->is_announced)
                        return c;
        }
        return NULL;
}

void manager_set_public(Manager *manager)
{
        Container *c;

        manager->is_public = 1;
        MAP_FOREACH(c, manager->by_id)
                container_oom_tell(c);
}

int manager_is_settled(const Manager *manager)
{
        return manager->n_unsettled == 0;
}

void manager_container_settled(Manager *manager, Container *c)
{
        if (!c->is_unsettled)
                return;
        c->is_unsettled = 0;
        if (c->state == CONTAINER_ACTIVE || c->state == CONTAINER_FROZEN)
                container_name_publish(c);
        if (--manager->n_unsettled == 0 && manager->observer.settled)
                manager->observer.settled(manager->observer.userdata);
}
