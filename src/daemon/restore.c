/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an earlier life of the daemon left. A state file says what the container was meant to be;
 * whether it still is comes from the kernel (PID 1 by pid and start time) and from PID 1 itself
 * (its jobs). What was half-made or half-undone is destroyed: nobody was told that it exists, or
 * somebody was told that it will be gone. */

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "basic/io.h"
#include "basic/log.h"
#include "daemon/container-forward.h"
#include "daemon/firewall.h"
#include "daemon/container-interfaces.h"
#include "daemon/container-limits.h"
#include "daemon/container-freeze.h"
#include "daemon/container-oom.h"
#include "daemon/container-pressure.h"
#include "daemon/container-network.h"
#include "daemon/manager.h"
#include "daemon/process.h"
#include "daemon/project-pool.h"
#include "daemon/store.h"
#include "daemon/uid-pool.h"

typedef int (*EachFunc)(void *userdata, const char *name);

static int is_shown(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

/* Ids have one length and grow with time, numbers of jobs grow in length, too. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
        size_t n = strlen((*a)->d_name), m = strlen((*b)->d_name);

        if (n != m)
                return n < m ? -1 : 1;
        return strcmp((*a)->d_name, (*b)->d_name);
}

/* Calls func for every name in a directory that does not begin with a dot, in the order in which
 * they were made: listings look the same before and after. */
static int directory_each(int dir_fd, EachFunc func, void *userdata)
{
        struct dirent **entries;
        int n;

        n = scandirat(dir_fd, ".", &entries, is_shown, compare_names);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                (void)func(userdata, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

/* The word of the record where it is one of ours, else what its status says. */
static JobEndReason restore_end_reason(const Job *job, const JobRecord *record)
{
        JobEndReason reason = _JOB_END_INVALID;

        if (record->end_reason)
                reason = job_end_reason_from_string(record->end_reason);
        if ((int)reason > 0)
                return reason;
        switch (job->state) {
        case JOB_EXITED:
                return JOB_END_EXITED;
        case JOB_KILLED:
                return JOB_END_SIGNAL;
        case JOB_LOST:
                return JOB_END_LOST;
        case JOB_RUNNING:
        case _JOB_STATE_MAX:
        case _JOB_STATE_INVALID:
                break;
        }
        return JOB_END_NONE;
}

static int restore_job(void *userdata, const char *name)
{
        Container *c = userdata;
        _drop_(drop_job_record) JobRecord *record = NULL;
        _drop_(drop_job) Job *job = NULL;
        int r;

        r = store_load_job(c, name, &record);
        if (r >= 0)
                r = job_new(c, record->id, record->argv, record->user, record->identifier, &job);
        if (r < 0)
                return container_log(c, LOG_ERR, r, NULL,
                                     "Cannot read a job's state file, leaving it out");
        job->is_tty = record->is_tty;
        job->has_stdin = record->has_stdin;
        job->log = record->log;
        job->stdout_bytes = record->stdout_bytes;
        job->stderr_bytes = record->stderr_bytes;
        job->is_output_open = record->is_output_open;
        job->start_usec = record->start_usec;
        job->exit_usec = record->end_usec;
        job->is_core_dumped = record->is_core;
        if (record->is_lost) {
                job->state = JOB_LOST;
        } else if (record->is_ended) {
                job->state = record->signal ? JOB_KILLED : JOB_EXITED;
                job->exit_code = record->signal ? -1 : (int)record->code;
                job->exit_signal = (int)record->signal;
        }
        job->end_reason = restore_end_reason(job, record);
        c->next_job = MAX2(c->next_job, record->id + 1);
        c->reserved_jobs = MAX2(c->reserved_jobs, c->next_job);
        job->is_released = record->is_released;
        r = job->is_released ? map_put(c->released_jobs, job->key, job) : job_link(job);
        if (r < 0)
                return r;
        if (job->state != JOB_RUNNING && !job->is_released)
                job_retain(job);
        job = NULL;
        return 0;
}

/* The process is there: PID 1 will say the rest. */
static int restore_running(Container *c, const ContainerRecord *record)
{
        Fault fault = FAULT_INIT;
        int pidfd, r;

        r = process_open(record->leader_pid, record->leader_start_ticks, &pidfd);
        if (r < 0)
                return r;
        r = container_set_leader(c, record->leader_pid, pidfd);
        if (r < 0)
                return r;
        c->started_usec = record->started_usec;
        r = container_find_group(c);
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL, "PID 1 is not in its scope any more");
        /* Only where somebody has changed something: asking for each would keep systemd busy. */
        if (c->manager->drop_ins && drop_in_watch_look(c->manager->drop_ins, c->unit) > 0)
                container_refresh_limits(c);
        container_restore_bandwidth(c);
        container_oom_begin(c);
        if (container_pressure_begin(c, &fault) < 0)
                (void)container_log(c, LOG_WARNING, fault.error, NULL, fault.text);
        container_freeze_restore(c);
        c->is_unsettled = 1;
        c->manager->n_unsettled++;
        r = container_connect(c);
        if (r < 0) {
                (void)container_log(c, LOG_ERR, r, NULL, "Cannot connect to PID 1");
                manager_container_settled(c->manager, c);
        }
        /* It answers when it is thawed. */
        if (c->state == CONTAINER_FROZEN)
                manager_container_settled(c->manager, c);
        return 0;
}

/* It ended while nobody watched. */
static void restore_ended(Container *c)
{
        (void)container_log(c, LOG_NOTICE, 0, NULL, "Container ended while the daemon was down");
        container_stop_leader_gone(c);
}

static void restore_undo(Container *c, const ContainerRecord *record)
{
        Fault fault = FAULT_INIT;
        int pidfd;

        /* Also when no pid was saved: the scope may have been made. */
        (void)scope_kill(c->manager->systemd, c->unit);
        if (process_open(record->leader_pid, record->leader_start_ticks, &pidfd) >= 0)
                (void)container_set_leader(c, record->leader_pid, pidfd);
        if (container_destroy(c, NULL, NULL, &fault) < 0)
                (void)container_log(c, LOG_ERR, fault.error, NULL, fault.text);
}

static void restore_by_state(Container *c, const ContainerRecord *record)
{
        const ManagerObserver *observer = &c->manager->observer;

        switch (record->state) {
        case CONTAINER_NEW:
        case CONTAINER_CREATING:
        case CONTAINER_DESTROYING:
        case CONTAINER_GONE:
                restore_undo(c, record);
                return;
        case CONTAINER_ACTIVE:
        case CONTAINER_FROZEN:
        case CONTAINER_STOPPING:
                c->is_announced = 1;
                if (restore_running(c, record) < 0)
                        restore_ended(c);
                break;
        case CONTAINER_STOPPED:
        case CONTAINER_FAILED:
                c->is_announced = 1;
                (void)container_interfaces_return(c);
                container_jobs_follow(c);
                break;
        case _CONTAINER_STATE_MAX:
        case _CONTAINER_STATE_INVALID:
                return;
        }
        if (observer->container_added)
                observer->container_added(observer->userdata, c);
}

static int restore_container(void *userdata, const char *name)
{
        Manager *manager = userdata;
        _drop_(drop_container_record) ContainerRecord *record = NULL;
        Fault fault = FAULT_INIT;
        Container *c;
        int r;

        r = store_load_container(manager->containers_dir_fd, name, &record);
        if (r == -ENOENT) {
                /* The daemon died between the directory and its first save: nothing else was made.
                 */
                (void)io_remove_tree(manager->containers_dir_fd, name);
                return 0;
        }
        if (r < 0)
                return log_error(r, "Cannot read the state of container %s, leaving it alone: %m",
                                 name);
        r = container_new(manager, record->id, take_ptr(record->spec), &c, &fault);
        if (r < 0)
                return log_error(r, "Cannot restore container %s: %s", name, fault.text);
        c->state = record->state;
        c->created_usec = record->created_usec;
        c->next_job = c->reserved_jobs = MAX2(record->next_job, 1U);
        c->jobs_dropped = record->jobs_dropped;
        c->oom_kills = record->oom_kills;
        c->oom_total = record->oom_total;
        c->events = take_ptr(record->events);
        r = store_open_container(c);
        if (r >= 0 && record->uid_count > 0) {
                r = uid_pool_reserve(manager->uids, record->uid_base, record->uid_count, &fault);
                if (r >= 0) {
                        c->uid_base = record->uid_base;
                        c->uid_count = record->uid_count;
                }
        }
        if (r >= 0 && record->has_network)
                r = container_network_restore(c, &record->network);
        if (r >= 0)
                r = container_forwards_lease(c, &fault);
        if (r >= 0 && record->project_id > 0) {
                r = project_pool_reserve(manager->projects, record->project_id, &fault);
                if (r >= 0)
                        c->project_id = record->project_id;
        }
        if (r < 0) {
                (void)container_log(c, LOG_ERR, r, NULL, "Cannot take up the container's leases");
                container_free(c);
                return r;
        }
        c->is_guarded = c->has_network;
        (void)directory_each(c->jobs_dir_fd, restore_job, c);
        restore_by_state(c, record);
        return 0;
}

int manager_restore(Manager *manager)
{
        int r;

        r = directory_each(manager->containers_dir_fd, restore_container, manager);
        if (manager->conf.n_network_pools > 0)
                firewall_start(manager->firewall);
        /* Whatever was done to the tables while nobody watched. Connections are not in them. */
        firewall_rebuild(manager->firewall);
        return r;
}
