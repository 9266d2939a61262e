/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/map.h"
#include "cgroup/cgroup.h"
#include "daemon/conf.h"
#include "daemon/container.h"
#include "systemd/drop-in-watch.h"
#include "systemd/scope.h"

struct ScopeSearch;
struct sd_event;

typedef struct ProjectPool ProjectPool;
typedef struct UidPool UidPool;
typedef struct WorkerPool WorkerPool;

/* Whoever shows the objects to the world (daemon/bus). The daemon's core calls these after the new
 * state was saved; they must not call verbs. */
typedef struct ManagerObserver {
        void (*container_added)(void *userdata, Container *c);   /* it is active (or restored) */
        void (*container_removed)(void *userdata, Container *c); /* about to be freed */
        void (*container_changed)(void *userdata, Container *c, unsigned mask);
        void (*container_oom)(void *userdata, Container *c);      /* once for each kill */
        void (*container_pressure)(void *userdata, Container *c); /* on its memory, now */
        void (*job_added)(void *userdata, Job *job);
        void (*job_removed)(void *userdata, Job *job);
        void (*job_changed)(void *userdata, Job *job, unsigned mask);
        void (*job_exited)(void *userdata, Job *job); /* after job_changed */
        void (*settled)(void *userdata);              /* manager_is_settled() has become true */
        void *userdata;
} ManagerObserver;

struct Manager {
        struct sd_event *event;
        Conf conf;
        SystemdClient *systemd;
        CgroupMode cgroup_mode;
        DropInWatch *drop_ins; /* of scopes; NULL: cannot be watched */
        WorkerPool *workers;
        struct JournalPool *journal;
        struct StatsReader *stats;
        struct Firewall *firewall;
        struct PortTable *ports; /* of the host, that lead into containers */
        UidPool *uids;
        ProjectPool *projects;
        struct NetworkPools *networks;
        struct SegmentPool *segments;
        struct LinkMonitor *links;
        struct NetworkIdle *network_idle;
        Map *by_name; /* Container, by spec->name: the registry that clients see */
        Map *by_id;
        uint64_t next_id;
        Retention *retention;              /* of ended jobs */
        int layers_dir_fd;                 /* state_directory/containers */
        int containers_dir_fd;             /* runtime_directory/containers */
        unsigned n_unsettled;              /* restored containers whose PID 1 has not answered */
        int is_public;                     /* clients can hear signals */
        struct ScopeSearch *orphan_search; /* orphan-scopes.c */
        ManagerObserver observer;
};

/* @take_conf   moved into the manager */
int manager_new(struct sd_event *event, Conf *take_conf, SystemdClient *systemd, Manager **ret,
                Fault *fault);
Manager *manager_free(Manager *manager);
DEFINE_DROP(Manager, manager, manager_free);

/* Reads what an earlier life left in runtime_directory: running containers are taken up again
 * (their PID 1 is asked for its jobs, asynchronously), half-made ones are destroyed. Call before
 * the bus name is acquired. */
int manager_restore(Manager *manager);

/* Clients can hear us from now on: tells what happened to containers while nobody could. */
void manager_set_public(Manager *manager);

/* 1 when every restored container has answered (or failed to): only then READY=1 is sent. */
int manager_is_settled(const Manager *manager);

/* Called with the container once it is active, or with NULL, the error and a fault. */
typedef void (*CreateFunc)(void *userdata, Container *c, int error, const Fault *fault);

/* @take_spec   taken in success and failure
 * Returns 0: @func is called later. Negative errno: FAULT_INVALID, FAULT_NAME_EXISTS, FAULT_LIMIT;
 * nothing was changed. */
int manager_create(Manager *manager, ContainerSpec *take_spec, CreateFunc func, void *userdata,
                   Fault *fault);

/* After conf.ended_jobs_* were changed. */
void manager_apply_retention(Manager *manager);

/* After conf.allow_networks, deny_networks or port_pool_* were changed. */
void manager_apply_networks(Manager *manager);

/* NULL when there is none. Only announced containers are found by name here. */
Container *manager_get(Manager *manager, const char *name);

/* The container whose PID 1, or any process of whose scope, is @pid. Reads /proc/PID/cgroup. */
Container *manager_get_by_pid(Manager *manager, uint32_t pid);

/* For container-*.c: PID 1 of a restored container has answered, or will not. */
void manager_container_settled(Manager *manager, Container *c);

/* A unique id. */
void manager_make_id(Manager *manager, char ret[CONTAINER_ID_LENGTH + 1]);
