/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a container ends for good. The order matters for a daemon that dies in between: first the
 * state says destroying, then the processes die, then the directories go — the one with the state
 * file among them, at once by a rename. Start-up takes up whatever still has a state file. What
 * takes long, the deletion of the layer, goes on in the worker after everybody was answered. */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include <systemd/sd-event.h>

#include "basic/log.h"
#include "basic/message-id.h"
#include "basic/strv.h"
#include "daemon/firewall.h"
#include "daemon/container-interfaces.h"
#include "daemon/container-limits.h"
#include "daemon/container-freeze.h"
#include "daemon/container-oom.h"
#include "daemon/container-pressure.h"
#include "daemon/manager.h"
#include "daemon/network-idle.h"
#include "daemon/process.h"
#include "daemon/project-pool.h"
#include "daemon/worker-pool.h"

struct ContainerDestroy {
        Container *container;
        Reply *replies;
        WorkerOperation *worker;
        FirewallCall *firewall;
        sd_event_source *next; /* the step that is due, run from the loop */
};

ContainerDestroy *container_destroy_free(ContainerDestroy *destroy)
{
        if (!destroy)
                return NULL;
        if (destroy->container->destroy == destroy)
                destroy->container->destroy = NULL;
        worker_operation_free(destroy->worker);
        firewall_call_free(destroy->firewall);
        sd_event_source_disable_unref(destroy->next);
        reply_all(&destroy->replies, -ECANCELED, NULL);
        free(destroy);
        return NULL;
}

static void destroy_fail(ContainerDestroy *destroy, int error, const Fault *fault)
{
        Container *c = destroy->container;
        Reply *replies = take_ptr(destroy->replies);

        (void)container_log(c, LOG_ERR, error, MESSAGE_CONTAINER_FAILED, fault->text);
        (void)scope_stop(c->manager->systemd, c->unit);
        container_destroy_free(destroy);
        container_move_on(c, EVENT_UNDO_FAILED);
        reply_all(&replies, error, fault);
}

/* Nothing is left: the registry forgets it, then the callers hear of it. */
static void destroy_finish(ContainerDestroy *destroy)
{
        Container *c = destroy->container;
        SystemdClient *systemd = c->manager->systemd;
        const ManagerObserver *observer = &c->manager->observer;
        Reply *replies = take_ptr(destroy->replies);
        _drop_(drop_free) char *unit = NULL;

        if (c->has_network)
                network_idle_begin(c->manager->network_idle);
        c->state = CONTAINER_GONE;
        (void)container_log(c, LOG_INFO, 0, MESSAGE_CONTAINER_DESTROYED, "Container destroyed");
        if (c->is_announced && observer->container_removed)
                observer->container_removed(observer->userdata, c);
        manager_container_settled(c->manager, c);
        unit = take_ptr(c->unit);
        container_free(c);
        reply_all(&replies, 0, NULL);
        /* The scope is empty, and systemd sees that by itself, but on cgroup v1 alone only where
         * the kernel's release agent reaches it. Last, since what systemd tells the world about it
         * would keep the bus from passing our answer on. */
        (void)scope_stop(systemd, unit);
}

static void on_removed(void *userdata, int error, const Fault *fault)
{
        ContainerDestroy *destroy = userdata;
        Container *c = destroy->container;

        if (error < 0) {
                destroy_fail(destroy, error, fault);
                return;
        }
        /* Now, and not when all is done: what the worker says next is not for us. */
        if (c->project_id > 0) {
                project_pool_release_after(c->manager->projects, c->project_id,
                                           take_ptr(destroy->worker));
                c->project_id = 0;
        }
        destroy->worker = worker_operation_free(destroy->worker);
        /* Elements of an interface that there is not do nothing, and whoever gets its address is
         * told of to the packet filter after this; but a port of the host is anybody's then. */
        if (!destroy->firewall || c->spec->n_forwards == 0)
                destroy_finish(destroy);
}

/* What is left in the packet filter is of an interface that there is not: no reason to keep a
 * container. */
static void on_unguarded(void *userdata, int error, const Fault *fault)
{
        ContainerDestroy *destroy = userdata;

        destroy->firewall = firewall_call_free(destroy->firewall);
        if (error < 0)
                (void)container_log(destroy->container, LOG_WARNING, error, NULL, fault->text);
        if (!destroy->worker)
                destroy_finish(destroy);
}

/* Goes on beside the removal. */
static void begin_unguarding(ContainerDestroy *destroy)
{
        Container *c = destroy->container;
        Fault fault = FAULT_INIT;

        if (!c->is_guarded)
                return;
        if (firewall_call(c->manager->firewall, FIREWALL_REMOVE, c, NULL, 0, on_unguarded, destroy,
                          &destroy->firewall, &fault) < 0)
                (void)container_log(c, LOG_WARNING, fault.error, NULL, fault.text);
        c->is_guarded = 0;
}

static int begin_removal(ContainerDestroy *destroy, Fault *fault)
{
        static const WorkerHandler handler = { .finished = on_removed,
                                               .closed = project_pool_on_deleted };
        const Container *c = destroy->container;
        const Conf *conf = &c->manager->conf;
        _drop_(drop_strv) char **directories = NULL;
        WireWriter w = WIRE_WRITER_INIT;
        int has_bandwidth = c->has_network && c->spec->limits.bandwidth.set, r;
        char path[PATH_MAX];

        /* The layer first: as long as the state file is there, a restart finds what is left to do.
         */
        (void)snprintf(path, sizeof(path), "%s/containers/%s", conf->state_directory, c->id);
        r = strv_append(&directories, path);
        if (r >= 0) {
                (void)snprintf(path, sizeof(path), "%s/containers/%s", conf->runtime_directory,
                               c->id);
                r = strv_append(&directories, path);
        }
        if (r >= 0)
                r = remove_request_encode(&(RemoveRequest){ .directories = directories,
                                                            .has_network = c->has_network,
                                                            .has_bandwidth = has_bandwidth,
                                                            .interfaces = c->spec->interfaces },
                                          &w);
        if (r >= 0)
                r = worker_begin(c->manager->workers, WORKER_REMOVE, &w, &handler, destroy,
                                 &destroy->worker, fault);
        wire_writer_done(&w);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "Cannot begin to remove the container: %m")
                     : 0;
}

static int on_processes_gone(sd_event_source *s, void *userdata)
{
        ContainerDestroy *destroy = userdata;
        Container *c = destroy->container;
        Fault fault = FAULT_INIT;
        int r;

        destroy->next = sd_event_source_disable_unref(destroy->next);
        container_oom_end(c);
        container_pressure_end(c);
        container_freeze_forget(c);
        container_disconnect(c);
        container_clear_leader(c);
        container_end_limits(c);
        container_interfaces_forget(c);
        reply_all(&c->stop_replies, 0, NULL);
        r = begin_removal(destroy, &fault);
        if (r < 0)
                destroy_fail(destroy, r, &fault);
        else
                begin_unguarding(destroy);
        return 0;
}

void container_destroy_leader_gone(Container *c)
{
        if (!c->destroy)
                return;
        (void)sd_event_add_defer(c->manager->event, &c->destroy->next, on_processes_gone,
                                 c->destroy);
}

int container_destroy(Container *c, ReplyFunc func, void *userdata, Fault *fault)
{
        ContainerDestroy *destroy = c->destroy;
        int r, is_frozen = c->state == CONTAINER_FROZEN || c->freeze;

        r = container_move_down(c, EVENT_DESTROY, fault);
        if (r < 0)
                return r;
        if (destroy) {
                r = reply_add(&destroy->replies, func, userdata);
                return r < 0 ? fault_set(fault, FAULT_FAILED, r, "Out of memory") : 0;
        }
        destroy = calloc(1, sizeof(*destroy));
        if (!destroy || reply_add(&destroy->replies, func, userdata) < 0) {
                free(destroy);
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        }
        destroy->container = c;
        c->destroy = destroy;
        container_start_free(c->start);
        c->stop_source = sd_event_source_disable_unref(c->stop_source);

        if (c->leader_pidfd >= 0 && !c->is_leader_gone) {
                /* With PID 1 the kernel kills all of its namespace; the pidfd fires when the last
                 * is gone. */
                r = process_signal(c->leader_pidfd, SIGKILL);
                if (is_frozen)
                        container_freeze_end(c);
                if (r >= 0)
                        return 0;
        }
        container_destroy_leader_gone(c);
        return 0;
}
