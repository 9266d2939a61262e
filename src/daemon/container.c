/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The object and what all parts of its life share: the state and its saving, PID 1's pidfd, the
 * connection to it. The parts are container-start.c, container-stop.c, container-destroy.c and
 * container-spawn.c. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "daemon/container-forward.h"
#include "daemon/container-interfaces.h"
#include "daemon/container-limits.h"
#include "basic/strv.h"
#include "cgroup/oom-source.h"
#include "cgroup/pressure-source.h"
#include "daemon/container-name.h"
#include "daemon/container-network.h"
#include "daemon/container-segment.h"
#include "daemon/container-freeze.h"
#include "daemon/manager.h"
#include "daemon/process.h"
#include "daemon/project-pool.h"
#include "daemon/store.h"
#include "daemon/uid-pool.h"
#include "daemon/wshd-client.h"

#define RECONNECT_USEC (500 * USEC_PER_MSEC)

const char *container_name(const Container *c)
{
        return c->spec->name;
}

int container_log(const Container *c, int level, int error, const char *message_id,
                  const char *text)
{
        LogContext context = {
                .container = c->spec->name,
                .id = c->id,
                .unit = c->unit,
                .message_id = message_id,
        };

        return log_at(level, error, &context, "%s", text);
}

int container_new(Manager *manager, const char *id, ContainerSpec *take_spec, Container **ret,
                  Fault *fault)
{
        _drop_(drop_container_spec) ContainerSpec *spec = take_spec;
        Container *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        c->dir_fd = c->jobs_dir_fd = c->leader_pidfd = -EBADF;
        c->state = CONTAINER_NEW;
        /* The first batch goes out with the first save. */
        c->next_job = 1;
        c->reserved_jobs = c->next_job + CONTAINER_RESERVE_JOBS;
        (void)snprintf(c->id, sizeof(c->id), "%s", id);
        c->spec = take_ptr(spec);
        c->manager = manager;
        c->jobs = map_new();
        c->released_jobs = map_new();
        if (!c->spec->name)
                c->spec->name = strdup(id);
        if (!c->jobs || !c->released_jobs || !c->spec->name ||
            asprintf(&c->unit, "warden-%s.scope", id) < 0) {
                container_free(c);
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        }
        r = map_put(manager->by_name, c->spec->name, c);
        if (r == -EEXIST)
                (void)fault_set(fault, FAULT_NAME_EXISTS, r,
                                "Name: a container '%s' exists already", c->spec->name);
        if (r >= 0)
                r = map_put(manager->by_id, c->id, c);
        if (r < 0) {
                container_free(c);
                return fault_set(fault, FAULT_FAILED, r, "Cannot register the container: %m");
        }
        *ret = c;
        return 0;
}

Container *container_free(Container *c)
{
        Job *job;

        if (!c)
                return NULL;
        container_start_free(c->start);
        container_destroy_free(c->destroy);
        container_limits_free(c->limits);
        container_interfaces_forget(c);
        container_freeze_forget(c);
        container_disconnect(c);
        container_clear_leader(c);
        sd_event_source_disable_unref(c->stop_source);
        oom_source_free(c->oom);
        pressure_source_free(c->pressure);
        sd_event_source_disable_unref(c->oom_policy_source);
        strv_free(c->events);
        reply_all(&c->stop_replies, -ECANCELED, NULL);
        MAP_FOREACH(job, c->jobs)
                job_free(job);
        MAP_FOREACH(job, c->released_jobs)
                job_free(job);
        map_free(c->jobs);
        map_free(c->released_jobs);
        if (map_get(c->manager->by_name, c->spec->name) == c)
                map_remove(c->manager->by_name, c->spec->name);
        if (map_get(c->manager->by_id, c->id) == c)
                map_remove(c->manager->by_id, c->id);
        container_forwards_release(c);
        container_segment_cancel(c);
        sd_event_source_disable_unref(c->interface_source);
        container_network_release(c);
        if (c->uid_count > 0)
                uid_pool_release(c->manager->uids, c->uid_base, c->uid_count);
        if (c->project_id > 0)
                project_pool_release(c->manager->projects, c->project_id);
        fd_close(c->dir_fd);
        fd_close(c->jobs_dir_fd);
        container_spec_free(c->spec);
        free(c->unit);
        free(c);
        return NULL;
}

void container_changed(Container *c, unsigned mask)
{
        const ManagerObserver *observer = &c->manager->observer;

        if (c->is_announced && observer->container_changed)
                observer->container_changed(observer->userdata, c, mask);
}

int container_add_event(Container *c, const char *text)
{
        for (char **p = c->events; p && *p; p++)
                if (strcmp(*p, text) == 0)
                        return 0;
        return strv_append(&c->events, text);
}

int container_move(Container *c, ContainerEvent event, Fault *fault)
{
        ContainerState old = c->state;
        int r;

        r = container_state_next(old, event, fault);
        if (r < 0)
                return r;
        if (r == (int)old)
                return 0;
        c->state = (ContainerState)r;
        r = store_save_container(c);
        if (r < 0) {
                c->state = old;
                return fault_set(fault, FAULT_FAILED, r,
                                 "Cannot save the state of container '%s': %m", c->spec->name);
        }
        container_changed(c, CONTAINER_CHANGED_STATE);
        return 0;
}

int container_move_down(Container *c, ContainerEvent event, Fault *fault)
{
        Fault full = FAULT_INIT;
        int r;

        r = container_move(c, event, &full);
        if (r == -ENOSPC || r == -EDQUOT) {
                (void)container_log(c, LOG_WARNING, r, NULL, full.text);
                container_move_on(c, event);
                return 0;
        }
        return r < 0 ? fault_set(fault, full.kind, r, "%s", full.text) : 0;
}

void container_move_on(Container *c, ContainerEvent event)
{
        Fault fault = FAULT_INIT;
        int r;

        r = container_state_next(c->state, event, &fault);
        if (r < 0) {
                (void)container_log(c, LOG_ERR, r, NULL, fault.text);
                return;
        }
        c->state = (ContainerState)r;
        r = store_save_container(c);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Failed to save the state");
        container_changed(c, CONTAINER_CHANGED_STATE);
}

/* PID 1 and with it every process of the container is dead; only its zombie may be left. */
static int on_leader_exit(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        Container *c = userdata;

        c->is_leader_gone = 1;
        container_name_withdraw(c);
        switch (c->state) {
        case CONTAINER_CREATING:
                container_start_leader_gone(c);
                break;
        case CONTAINER_DESTROYING:
                container_destroy_leader_gone(c);
                break;
        case CONTAINER_ACTIVE:
        case CONTAINER_FROZEN:
        case CONTAINER_STOPPING:
                container_stop_leader_gone(c);
                break;
        case CONTAINER_NEW:
        case CONTAINER_STOPPED:
        case CONTAINER_FAILED:
        case CONTAINER_GONE:
        case _CONTAINER_STATE_MAX:
        case _CONTAINER_STATE_INVALID:
                break;
        }
        return 0;
}

int container_set_leader(Container *c, uint32_t pid, int take_pidfd)
{
        int r;

        c->leader_pidfd = take_pidfd;
        c->leader_pid = pid;
        c->is_leader_gone = 0;
        c->started_usec = io_now_boottime_usec();
        r = sd_event_add_io(c->manager->event, &c->leader_source, c->leader_pidfd, EPOLLIN,
                            on_leader_exit, c);
        if (r < 0)
                return r;
        /* A pidfd stays readable; one call is enough. */
        r = sd_event_source_set_enabled(c->leader_source, SD_EVENT_ONESHOT);
        if (r < 0)
                return r;
        r = process_get_start_ticks(pid, &c->leader_start_ticks);
        return r < 0 && r != -ENOENT && r != -ESRCH ? r : 0;
}

int container_find_group(Container *c)
{
        char *group = NULL;
        int r;

        r = cgroup_find(c->manager->cgroup_mode, c->leader_pid, c->unit, &group);
        if (r < 0)
                return r;
        free(c->control_group);
        c->control_group = group;
        return 0;
}

void container_clear_leader(Container *c)
{
        free(take_ptr(c->control_group));
        c->leader_source = sd_event_source_disable_unref(c->leader_source);
        c->leader_pidfd = fd_close(c->leader_pidfd);
        c->leader_pid = 0;
        c->leader_start_ticks = 0;
        c->started_usec = 0;
        c->is_leader_gone = 0;
}

static int on_reconnect(sd_event_source *s, uint64_t usec, void *userdata)
{
        Container *c = userdata;

        c->reconnect_source = sd_event_source_disable_unref(c->reconnect_source);
        if (container_connect(c) < 0)
                (void)sd_event_add_time_relative(c->manager->event, &c->reconnect_source,
                                                 CLOCK_MONOTONIC, RECONNECT_USEC, 0, on_reconnect,
                                                 c);
        return 0;
}

static void on_wshd_job(void *userdata, const WshdMessage *m, int take_pidfd)
{
        container_take_job_row(userdata, m, take_pidfd);
}

static void on_wshd_ready(void *userdata)
{
        Container *c = userdata;

        container_rows_done(c);
        if (c->state == CONTAINER_CREATING)
                container_start_wshd_ready(c);
        else
                manager_container_settled(c->manager, c);
        if (c->state == CONTAINER_STOPPING)
                container_stop_resume(c);
}

static void on_wshd_exited(void *userdata, const WshdMessage *m)
{
        container_take_job_exit(userdata, m);
}

static void on_wshd_output(void *userdata, const WshdMessage *m)
{
        container_take_job_output(userdata, m);
}

/* PID 1 never closes on purpose, so either it is dead, which its pidfd will say, or something is
 * wrong with it. */
static void on_wshd_lost(void *userdata, int error)
{
        Container *c = userdata;

        wshd_client_free(take_ptr(c->wshd));
        if (c->state == CONTAINER_CREATING) {
                container_start_wshd_lost(c, error);
                return;
        }
        manager_container_settled(c->manager, c);
        if (c->is_leader_gone || c->leader_pidfd < 0 || c->reconnect_source)
                return;
        (void)sd_event_add_time_relative(c->manager->event, &c->reconnect_source, CLOCK_MONOTONIC,
                                         RECONNECT_USEC, 0, on_reconnect, c);
}

int container_connect(Container *c)
{
        static const WshdHandler handler = {
                .job = on_wshd_job,
                .ready = on_wshd_ready,
                .exited = on_wshd_exited,
                .output = on_wshd_output,
                .lost = on_wshd_lost,
        };
        Job *job;

        /* What PID 1 does not list now, it does not have. */
        MAP_FOREACH(job, c->jobs)
                job->is_listed = 0;
        return wshd_client_new(c->manager->event, c->dir_fd, c->leader_pid, &handler, c, &c->wshd);
}

void container_disconnect(Container *c)
{
        c->reconnect_source = sd_event_source_disable_unref(c->reconnect_source);
        wshd_client_free(take_ptr(c->wshd));
}

int reply_add(Reply **list, ReplyFunc func, void *userdata)
{
        Reply *reply;

        if (!func)
                return 0;
        reply = calloc(1, sizeof(*reply));
        if (!reply)
                return -ENOMEM;
        *reply = (Reply){ .func = func, .userdata = userdata };
        while (*list)
                list = &(*list)->next;
        *list = reply;
        return 0;
}

void reply_all(Reply **list, int error, const Fault *fault)
{
        Reply *reply = take_ptr(*list);

        while (reply) {
                Reply *next = reply->next;

                reply->func(reply->userdata, error, fault);
                free(reply);
                reply = next;
        }
}
