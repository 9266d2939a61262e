/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a container comes to life. Two things go on at once and meet at the gate:
 *
 *   worker    begin ── clone ─┬─ mounts … ──────────┬─ exec wshd ── done
 *   systemd                   └─ scope ── job done ─┘ gate
 *   firewall  guard ────────────────────────┘                     publish
 *   wshd                                                          connect ── ready ──► active
 *
 * A failure anywhere cancels the rest: the worker sees its socket close and undoes what it made,
 * what is left of the process is killed, the scope is stopped. A container that never lived is then
 * destroyed; one that was started again after a stop is left failed. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/message-id.h"
#include "daemon/container-oom.h"
#include "daemon/container-pressure.h"
#include "daemon/firewall.h"
#include "daemon/container-interfaces.h"
#include "daemon/container-limits.h"
#include "daemon/container-name.h"
#include "daemon/container-network.h"
#include "daemon/manager.h"
#include "daemon/process.h"
#include "daemon/worker-pool.h"
#include "daemon/wshd-client.h"
#include "model/plan.h"
#include "wire/plan-wire.h"

struct ContainerStart {
        Container *container;
        ReplyFunc func;
        void *userdata;
        WorkerOperation *worker;
        ScopeCall *scope;
        FirewallCall *firewall; /* the guard, then the forwards */
        sd_event_source *timer;
        int is_scoped, is_guarded; /* what the gate waits for */
        Fault guard_fault;         /* kept until there is a process that can be killed */
        int is_first;              /* failure means destroy */
        int is_executed;           /* the worker is done: the process is wshd */
        Fault fault;
};

ContainerStart *container_start_free(ContainerStart *start)
{
        if (!start)
                return NULL;
        if (start->container->start == start)
                start->container->start = NULL;
        worker_operation_free(start->worker);
        scope_call_free(start->scope);
        firewall_call_free(start->firewall);
        sd_event_source_disable_unref(start->timer);
        if (start->func) {
                Fault fault = FAULT_INIT;
                int r = fault_set(&fault, FAULT_BAD_STATE, -ECANCELED,
                                  "The container was destroyed meanwhile");

                start->func(start->userdata, r, &fault);
        }
        free(start);
        return NULL;
}

/* Everything was undone: whoever asked for the container reads what went wrong at first. */
static void on_failed_undone(void *userdata, int error, const Fault *fault)
{
        ContainerStart *start = userdata;

        start->func(start->userdata, start->fault.error, &start->fault);
        free(start);
}

static void start_fail(ContainerStart *start, int error, const Fault *fault)
{
        Container *c = start->container;
        Fault late = FAULT_INIT;
        int r;

        start->fault = *fault;
        if (start->fault.kind == FAULT_NONE)
                (void)fault_set(&start->fault, FAULT_FAILED, error,
                                "Cannot start the container: %m");
        (void)container_log(c, LOG_ERR, error, MESSAGE_CONTAINER_FAILED, start->fault.text);

        /* From here on the start is no longer the container's: nothing may reach it by its events.
         */
        c->start = NULL;
        start->worker = worker_operation_free(start->worker);
        start->scope = scope_call_free(start->scope);
        start->firewall = firewall_call_free(start->firewall);
        start->timer = sd_event_source_disable_unref(start->timer);
        container_disconnect(c);
        container_move_on(c, EVENT_WORKER_FAILED);

        if (start->is_first) {
                r = container_destroy(c, on_failed_undone, start, &late);
                if (r >= 0)
                        return;
        } else {
                (void)process_signal(c->leader_pidfd, SIGKILL);
                container_clear_leader(c);
                (void)container_interfaces_return(c);
                (void)scope_stop(c->manager->systemd, c->unit);
        }
        on_failed_undone(start, 0, NULL);
}

static void start_fail_text(ContainerStart *start, int error, const char *text)
{
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, error == -ETIMEDOUT ? FAULT_TIMED_OUT : FAULT_FAILED, error,
                        "%s: %m", text);
        start_fail(start, error, &fault);
}

static int on_start_timeout(sd_event_source *s, uint64_t usec, void *userdata)
{
        ContainerStart *start = userdata;

        start_fail_text(start, -ETIMEDOUT, "The container was not ready in time");
        return 0;
}

/* Before the first instruction that a client chose the container is in its scope, and can only send
 * what is its own. */
static void start_open_gate(ContainerStart *start)
{
        int r;

        if (!start->is_scoped || !start->is_guarded)
                return;
        r = worker_open_gate(start->worker);
        /* A worker that has closed its end has failed before: it says why, or its silence does. */
        if (r < 0 && r != -EPIPE && r != -ECONNRESET)
                start_fail_text(start, r, "Cannot open the gate for the container's process");
}

static void on_guarded(void *userdata, int error, const Fault *fault)
{
        ContainerStart *start = userdata;

        start->firewall = firewall_call_free(start->firewall);
        if (error < 0 && start->container->leader_pidfd < 0) {
                /* The worker is at it: what would be removed now, it might make again. */
                start->guard_fault = *fault;
                return;
        }
        if (error < 0) {
                start_fail(start, error, fault);
                return;
        }
        start->is_guarded = 1;
        start_open_gate(start);
}

static void on_scope_done(void *userdata, int error, const Fault *fault)
{
        ContainerStart *start = userdata;
        Container *container = start->container;
        Fault kernel_fault = FAULT_INIT;
        int r;

        start->scope = scope_call_free(start->scope);
        if (error < 0 && process_is_gone(start->container->leader_pidfd))
                /* It ended for a reason that the worker is about to tell, which says more than that
                 * it cannot be put into a scope. */
                return;
        if (error < 0) {
                start_fail(start, error, fault);
                return;
        }
        (void)container_find_group(start->container);
        if (start->container->manager->drop_ins)
                (void)drop_in_watch_begin(start->container->manager->drop_ins);
        r = container_check_limits(start->container, &kernel_fault);
        if (r >= 0)
                r = container_pressure_begin(start->container, &kernel_fault);
        if (r < 0) {
                start_fail(start, r, &kernel_fault);
                return;
        }
        /* A new scope counts from zero. */
        start->container->oom_kills = 0;
        start->container->oom_by_oomd = 0;
        start->is_scoped = 1;
        start_open_gate(start);
        /* After it: somebody waits for what goes on behind the gate, and a kill that happens first
         * is in the kernel's counter. An open that failed has ended the start, and this with it. */
        if (container->start)
                container_oom_begin(container);
}

static void on_worker_cloned(void *userdata, uint32_t pid, int take_pidfd)
{
        ContainerStart *start = userdata;
        Container *c = start->container;
        Fault fault = FAULT_INIT;
        char description[sizeof("Warden container ") + CONTAINER_NAME_MAX];
        int r;

        if (c->leader_pidfd >= 0) {
                fd_close(take_pidfd);
                return;
        }
        r = container_set_leader(c, pid, take_pidfd);
        if (r < 0) {
                start_fail_text(start, r, "Cannot watch the container's process");
                return;
        }
        if (start->guard_fault.kind != FAULT_NONE) {
                start_fail(start, start->guard_fault.error, &start->guard_fault);
                return;
        }
        if (!container_network_is_joined(c)) {
                start_fail_text(start, -ESRCH, "The container whose network it shares has ended");
                return;
        }
        (void)snprintf(description, sizeof(description), "Warden container %s", c->spec->name);
        ScopeRequest request = {
                .unit = c->unit,
                .description = description,
                .slice = c->spec->slice ? c->spec->slice : c->manager->conf.slice,
                .pid = pid,
                /* wshd ends its jobs first; systemd's patience is a little longer than its. */
                .stop_usec = c->spec->grace_usec + 5 * USEC_PER_SEC,
                .limits = &c->spec->limits,
                .has_io_accounting = c->manager->cgroup_mode == CGROUP_UNIFIED,
        };
        r = scope_start(c->manager->systemd, &request, on_scope_done, start, &start->scope, &fault);
        if (r < 0)
                start_fail(start, r, &fault);
}

static void on_worker_finished(void *userdata, int error, const Fault *fault)
{
        ContainerStart *start = userdata;
        int r;

        if (error < 0) {
                start_fail(start, error, fault);
                return;
        }
        start->is_executed = 1;
        r = container_connect(start->container);
        if (r < 0)
                start_fail_text(start, r, "Cannot connect to the container's PID 1");
}

static void start_finish(ContainerStart *start)
{
        Container *c = start->container;
        ReplyFunc func = start->func;
        void *userdata = start->userdata;
        Fault fault = FAULT_INIT;
        int r, is_first = start->is_first;

        /* Saved before anybody hears of it. */
        r = container_move(c, EVENT_WORKER_OK, &fault);
        if (r < 0) {
                start_fail(start, r, &fault);
                return;
        }
        start->func = NULL;
        container_start_free(start);
        container_name_publish(c);
        if (is_first) {
                const ManagerObserver *observer = &c->manager->observer;

                c->is_announced = 1;
                if (observer->container_added)
                        observer->container_added(observer->userdata, c);
        } else {
                container_changed(c, CONTAINER_CHANGED_LEADER);
        }
        func(userdata, 0, NULL);
}

static void on_published(void *userdata, int error, const Fault *fault)
{
        ContainerStart *start = userdata;

        start->firewall = firewall_call_free(start->firewall);
        if (error < 0)
                start_fail(start, error, fault);
        else
                start_finish(start);
}

/* Its forwards come last: before, nobody would answer, and there may have been no interface. */
void container_start_wshd_ready(Container *c)
{
        ContainerStart *start = c->start;
        Fault fault = FAULT_INIT;
        int r;

        if (c->spec->n_forwards == 0 || !c->has_network) {
                start_finish(start);
                return;
        }
        r = firewall_call(c->manager->firewall, FIREWALL_FORWARD, c, c->spec->forwards,
                          c->spec->n_forwards, on_published, start, &start->firewall, &fault);
        if (r < 0)
                start_fail(start, r, &fault);
}

void container_start_wshd_lost(Container *c, int error)
{
        start_fail_text(c->start, error, "The container's PID 1 did not answer");
}

/* Before it was executed the worker tells more precisely what went wrong. */
void container_start_leader_gone(Container *c)
{
        if (c->start && c->start->is_executed)
                start_fail_text(c->start, -ECHILD, "The container's PID 1 ended at once");
}

static int encode_plan(Container *c, WireWriter *w, Fault *fault)
{
        const Conf *conf = &c->manager->conf;
        _drop_(drop_plan) Plan *plan = NULL;
        int r;

        r = plan_new(c->spec, c->id, c->uid_base, c->uid_count, conf->state_directory,
                     conf->runtime_directory, &plan);
        if (r < 0)
                return r;
        r = container_network_plan(c, plan, fault);
        if (r < 0)
                return r;
        plan->timeout_usec = conf->create_timeout_usec;
        plan->project_id = c->project_id;
        return plan_encode(plan, w);
}

static int start_guard(ContainerStart *start, Fault *fault)
{
        Container *c = start->container;

        start->is_guarded = !c->has_network;
        if (!c->has_network)
                return 0;
        c->is_guarded = 1;
        return firewall_call(c->manager->firewall, FIREWALL_ADD, c, NULL, 0, on_guarded, start,
                             &start->firewall, fault);
}

static int start_new(Container *c, ContainerEvent event, int is_first, ReplyFunc func,
                     void *userdata, Fault *fault)
{
        static const WorkerHandler handler = { .cloned = on_worker_cloned,
                                               .finished = on_worker_finished };
        WireWriter w = WIRE_WRITER_INIT;
        ContainerStart *start;
        int r;

        r = container_move(c, event, fault);
        if (r < 0)
                return r;
        start = calloc(1, sizeof(*start));
        if (!start)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        start->container = c;
        start->is_first = is_first;
        r = encode_plan(c, &w, fault);
        if (r >= 0)
                r = worker_begin(c->manager->workers, WORKER_CREATE, &w, &handler, start,
                                 &start->worker, fault);
        if (r >= 0)
                r = start_guard(start, fault);
        if (r >= 0)
                r = sd_event_add_time_relative(c->manager->event, &start->timer, CLOCK_MONOTONIC,
                                               c->manager->conf.create_timeout_usec, 0,
                                               on_start_timeout, start);
        wire_writer_done(&w);
        if (r < 0) {
                container_start_free(start);
                container_move_on(c, EVENT_WORKER_FAILED);
                return fault_set(fault, FAULT_FAILED, r, "Cannot begin to start the container: %m");
        }
        start->func = func;
        start->userdata = userdata;
        c->start = start;
        return 0;
}

int container_begin(Container *c, ReplyFunc func, void *userdata, Fault *fault)
{
        return start_new(c, EVENT_CREATE, 1, func, userdata, fault);
}

int container_start(Container *c, ReplyFunc func, void *userdata, Fault *fault)
{
        if (c->interfaces_return)
                return fault_set(fault, FAULT_BAD_STATE, -EBUSY,
                                 "The interfaces of container '%s' are being given back to the "
                                 "host; try again",
                                 container_name(c));
        if (c->state == CONTAINER_STOPPED) {
                int r = container_interfaces_find(c, fault);

                if (r < 0)
                        return r;
        }
        return start_new(c, EVENT_START, 0, func, userdata, fault);
}
