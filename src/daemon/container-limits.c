/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One change at a time, those of the disk and of the bandwidth before the others:
 *
 *   spec changed, saved ─── SetUnitProperties, GetAll ─── group's files compared ─── told, answered
 *        │ not saved            │ refused                    │ the kernel has another value
 *        ▼                      ▼                            ▼
 *   old spec, answered     old spec saved, answered     old spec saved, SetUnitProperties with the
 *                                                       old values, answered
 *
 * The kernel's word is asked because systemd's is not enough: it logs what it cannot write and says
 * yes. On cgroup v1 that is a MemoryMax below what is in use and cannot be reclaimed.
 *
 * A daemon that is killed between saving and systemd's answer has answered nobody; the next one
 * shows what systemd says. */

#include <errno.h>

#include "basic/log.h"
#include "cgroup/limit-check.h"
#include "daemon/container-bandwidth.h"
#include "daemon/container-disk.h"
#include "daemon/container-limits.h"
#include "daemon/manager.h"
#include "daemon/store.h"
#include "systemd/scope-limits.h"

typedef struct Change Change;
struct Change {
        Change *next;
        Limits wanted;
        Limits old;           /* of the whole spec, once it was changed */
        int is_begun;         /* the spec has it; else it waits for the end of what goes on */
        int is_disk_set;      /* the file system has the new ones of the disk */
        int is_bandwidth_set; /* and the interface those of the bandwidth */
        int is_undoing;
        Fault fault; /* why it is undone */
        ReplyFunc func;
        void *userdata;
};

struct ContainerLimits {
        Limits in_force;
        int is_known; /* in_force is systemd's word */
        int is_stale; /* something has changed since we asked */
        Change *changes;
        ScopeLimitsCall *call;
        DiskCall *disk_call;
        BandwidthCall *bandwidth_call;
};

static Change *change_free(Change *change)
{
        limits_done(&change->wanted);
        limits_done(&change->old);
        free(change);
        return NULL;
}

struct ContainerLimits *container_limits_free(struct ContainerLimits *limits)
{
        if (!limits)
                return NULL;
        while (limits->changes) {
                Change *change = limits->changes;

                limits->changes = change->next;
                change_free(change);
        }
        scope_limits_call_free(limits->call);
        disk_call_free(limits->disk_call);
        bandwidth_call_free(limits->bandwidth_call);
        limits_done(&limits->in_force);
        free(limits);
        return NULL;
}

const Limits *container_limits(const Container *c)
{
        return c->limits && c->limits->is_known ? &c->limits->in_force : &c->spec->limits;
}

static int limits_get(Container *c, struct ContainerLimits **ret)
{
        if (!c->limits)
                c->limits = calloc(1, sizeof(*c->limits));
        if (!c->limits)
                return -ENOMEM;
        *ret = c->limits;
        return 0;
}

/* A number that is no limit is "not set" for systemd and was asked for as infinity here. Weights
 * have no such word. */
static int is_infinite(Limit limit)
{
        return limit != LIMIT_CPU_WEIGHT && limit != LIMIT_IO_WEIGHT;
}

/* What a client is to see: systemd's word in the terms of what was asked for. */
static int make_in_force(const Container *c, const Limits *systemd, Limits *ret)
{
        const Limits *asked = &c->spec->limits;
        Limits limits;
        int r;

        r = limits_copy(systemd, &limits);
        if (r < 0)
                return r;
        if (!limits_has(asked, LIMIT_TASKS_MAX) &&
            limits.values[LIMIT_TASKS_MAX] == SCOPE_TASKS_MAX_DEFAULT)
                limits.set &= ~(UINT32_C(1) << LIMIT_TASKS_MAX);
        for (int i = 0; i < _LIMIT_MAX; i++) {
                Limit limit = (Limit)i;

                if (!limits_has(asked, limit) || limits_has(&limits, limit))
                        continue;
                if (!limit_is_of_scope(limit))
                        limits.values[limit] = asked->values[limit];
                else if (is_infinite(limit))
                        limits.values[limit] = UINT64_MAX;
                else
                        continue;
                limits.set |= UINT32_C(1) << limit;
        }
        limits.devices_set |= asked->devices_set;
        limits.has_cpus |= asked->has_cpus;
        limits.bandwidth = asked->bandwidth;
        *ret = limits;
        return 0;
}

static void take_in_force(Container *c, const Limits *systemd)
{
        Limits in_force;
        int r;

        r = make_in_force(c, systemd, &in_force);
        if (r < 0) {
                (void)container_log(c, LOG_WARNING, r, NULL, "Cannot note the limits in force");
                return;
        }
        r = limits_are_equal(container_limits(c), &in_force);
        limits_done(&c->limits->in_force);
        c->limits->in_force = in_force;
        c->limits->is_known = 1;
        if (!r)
                container_changed(c, CONTAINER_CHANGED_LIMITS);
}

static void next_change(Container *c);

/* The first of the list is done. */
static void change_finish(Container *c, int error, const Fault *fault)
{
        Change *change = c->limits->changes;

        c->limits->changes = change->next;
        change->func(change->userdata, error, fault);
        change_free(change);
        next_change(c);
}

static void on_disk_put_back(void *userdata, int error, const Fault *fault)
{
        Container *c = userdata;

        c->limits->disk_call = disk_call_free(c->limits->disk_call);
        if (error < 0)
                (void)container_log(c, LOG_ERR, error, NULL, fault->text);
        next_change(c);
}

/* Not when the container has ended: its next start does it. */
static void put_back_disk(Container *c, Change *change)
{
        int r;

        if (!change->is_disk_set || !c->limits)
                return;
        change->is_disk_set = 0;
        r = disk_call_begin(c, on_disk_put_back, c, &c->limits->disk_call, NULL);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Failed to put DiskMax back");
}

static void on_bandwidth_settled(void *userdata, int error, const Fault *fault)
{
        Container *c = userdata;

        if (error < 0)
                (void)container_log(c, LOG_ERR, error, NULL, fault->text);
        c->limits->bandwidth_call = bandwidth_call_free(c->limits->bandwidth_call);
        next_change(c);
}

/* Where nothing was, nothing is what comes back. */
static void put_back_bandwidth(Container *c, Change *change)
{
        BandwidthLimits old = change->wanted.bandwidth;
        int r;

        if (!change->is_bandwidth_set || !c->limits)
                return;
        change->is_bandwidth_set = 0;
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                old.of[i] = bandwidth_limits_has(&c->spec->limits.bandwidth, (BandwidthDirection)i)
                                    ? c->spec->limits.bandwidth.of[i]
                                    : BANDWIDTH_NONE;
        r = bandwidth_call_begin(c, &old, on_bandwidth_settled, c, &c->limits->bandwidth_call,
                                 NULL);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Failed to put the bandwidth back");
}

static int put_back(Container *c, Change *change)
{
        int r;

        limits_done(&c->spec->limits);
        c->spec->limits = change->old;
        change->old = (Limits){ .set = 0 };
        r = store_save_container(c);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Failed to save the state");
        put_back_disk(c, change);
        put_back_bandwidth(c, change);
        return r;
}

/* The values that the keys of @wanted had, in the words of systemd. */
static int make_undo(const Limits *wanted, const Limits *old, Limits *ret)
{
        Limits undo = { .set = wanted->set, .devices_set = wanted->devices_set };
        int r;

        for (int i = 0; i < _LIMIT_MAX; i++)
                undo.values[i] = limits_has(old, (Limit)i) ? old->values[i]
                                 : i == LIMIT_TASKS_MAX    ? SCOPE_TASKS_MAX_DEFAULT
                                                           : UINT64_MAX;
        undo.has_cpus = wanted->has_cpus;
        if (old->has_cpus)
                undo.cpus = old->cpus;
        for (int kind = 0; kind < _DEVICE_LIMIT_KIND_MAX; kind++) {
                if (!limits_has_devices(wanted, (DeviceLimitKind)kind))
                        continue;
                r = device_limits_append(&undo.devices, &old->devices, (DeviceLimitKind)kind);
                if (r < 0) {
                        limits_done(&undo);
                        return r;
                }
        }
        *ret = undo;
        return 0;
}

static void on_answer(void *userdata, int error, const Limits *in_force, const Fault *fault);

static int ask(Container *c, const Limits *changes, Fault *fault)
{
        c->limits->is_stale = 0;
        return scope_limits_begin(c->manager->systemd, c->unit, changes, on_answer, c,
                                  &c->limits->call, fault);
}

/* The kernel did not take them: systemd's properties go back to what they were. */
static void change_undo(Container *c, Change *change, const Fault *why)
{
        Limits undo;
        int r;

        change->fault = *why;
        change->is_undoing = 1;
        r = make_undo(&change->wanted, &change->old, &undo);
        (void)put_back(c, change);
        if (r >= 0) {
                r = ask(c, &undo, NULL);
                limits_done(&undo);
        }
        if (r < 0)
                change_finish(c, change->fault.error, &change->fault);
}

static void change_answered(Container *c, Change *change, int error, const Limits *in_force,
                            const Fault *fault)
{
        Fault why = FAULT_INIT;

        if (change->is_undoing) {
                if (error >= 0)
                        take_in_force(c, in_force);
                change_finish(c, change->fault.error, &change->fault);
                return;
        }
        if (error < 0) {
                (void)put_back(c, change);
                change_finish(c, error, fault);
                return;
        }
        if (c->control_group && limit_check_applied(c->manager->cgroup_mode, c->control_group,
                                                    &change->wanted, &why) < 0) {
                change_undo(c, change, &why);
                return;
        }
        take_in_force(c, in_force);
        change_finish(c, 0, NULL);
}

static void on_answer(void *userdata, int error, const Limits *in_force, const Fault *fault)
{
        Container *c = userdata;
        Change *change = c->limits->changes;

        c->limits->call = scope_limits_call_free(c->limits->call);
        /* A change that came while systemd was asked for what is in force waits for its turn. */
        if (change && change->is_begun) {
                change_answered(c, change, error, in_force, fault);
                return;
        }
        if (error >= 0)
                take_in_force(c, in_force);
        else
                (void)container_log(c, LOG_WARNING, error, NULL, fault->text);
        next_change(c);
}

static int change_spec(Container *c, Change *change, Fault *fault)
{
        int r;

        r = limits_copy(&c->spec->limits, &change->old);
        if (r >= 0)
                r = limits_change(&c->spec->limits, &change->wanted);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot change the limits: %m");
        r = store_save_container(c);
        if (r < 0) {
                limits_done(&c->spec->limits);
                c->spec->limits = change->old;
                change->old = (Limits){ .set = 0 };
                return fault_set(fault, FAULT_FAILED, r,
                                 "Cannot save the state of container '%s': %m", c->spec->name);
        }
        return 0;
}

/* Until systemd has answered the old ones are what is in force, and shown. */
static int keep_in_force(Container *c)
{
        int r;

        if (c->limits->is_known)
                return 0;
        r = limits_copy(&c->spec->limits, &c->limits->in_force);
        c->limits->is_known = r >= 0;
        return r;
}

static void on_bandwidth_set(void *userdata, int error, const Fault *fault)
{
        Container *c = userdata;
        Change *change = c->limits->changes;
        Fault why = FAULT_INIT;

        /* Half of it may be in force. */
        change->is_bandwidth_set = 1;
        if (error < 0)
                (void)fault_set(&why, fault->kind, error, "%s", fault->text);
        c->limits->bandwidth_call = bandwidth_call_free(c->limits->bandwidth_call);
        if (error >= 0)
                error = ask(c, &change->wanted, &why);
        if (error >= 0)
                return;
        (void)put_back(c, change);
        change_finish(c, error, &why);
}

static int change_bandwidth(Container *c, Change *change, Fault *fault)
{
        if (change->wanted.bandwidth.set)
                return bandwidth_call_begin(c, &change->wanted.bandwidth, on_bandwidth_set, c,
                                            &c->limits->bandwidth_call, fault);
        return ask(c, &change->wanted, fault);
}

static void on_disk_set(void *userdata, int error, const Fault *fault)
{
        Container *c = userdata;
        Change *change = c->limits->changes;
        Fault late = FAULT_INIT;

        if (error >= 0) {
                change->is_disk_set = 1;
                error = change_bandwidth(c, change, &late);
                fault = &late;
        }
        if (error < 0) {
                (void)fault_set(&late, fault->kind, error, "%s", fault->text);
                c->limits->disk_call = disk_call_free(c->limits->disk_call);
                (void)put_back(c, change);
                change_finish(c, error, &late);
                return;
        }
        c->limits->disk_call = disk_call_free(c->limits->disk_call);
}

static int change_kernel(Container *c, Change *change, Fault *fault)
{
        if (disk_limits_are_given(&change->wanted))
                return disk_call_begin(c, on_disk_set, c, &c->limits->disk_call, fault);
        return change_bandwidth(c, change, fault);
}

static void change_begin(Container *c, Change *change)
{
        Fault fault = FAULT_INIT;
        int r;

        r = keep_in_force(c);
        if (r >= 0)
                r = change_spec(c, change, &fault);
        if (r >= 0) {
                change->is_begun = 1;
                r = change_kernel(c, change, &fault);
                if (r < 0)
                        (void)put_back(c, change);
        }
        if (r < 0)
                change_finish(c, r, &fault);
}

static void next_change(Container *c)
{
        if (c->limits->call || c->limits->disk_call || c->limits->bandwidth_call)
                return;
        if (c->limits->changes)
                change_begin(c, c->limits->changes);
        else if (c->limits->is_stale)
                (void)ask(c, NULL, NULL);
}

/* Without a scope there is nobody to ask. */
static int set_for_next_start(Container *c, Change *change, Fault *fault)
{
        int r = change_spec(c, change, fault);

        if (r >= 0) {
                container_changed(c, CONTAINER_CHANGED_LIMITS);
                change->func(change->userdata, 0, NULL);
        }
        change_free(change);
        return r;
}

static int check_change(const Container *c, const Limits *changes, Fault *fault)
{
        Limits whole;
        int r;

        r = container_state_next(c->state, EVENT_LIMIT, fault);
        if (r >= 0)
                r = limit_check_possible(c->manager->cgroup_mode, changes, fault);
        if (r >= 0)
                r = container_check_disk_change(c, changes, fault);
        if (r >= 0)
                r = container_check_bandwidth(c, &changes->bandwidth, fault);
        if (r >= 0)
                r = limits_copy(&c->spec->limits, &whole);
        if (r < 0)
                return r;
        r = limits_change(&whole, changes);
        if (r == -E2BIG)
                (void)fault_set(fault, FAULT_INVALID, r, "More than %d limits of devices",
                                DEVICE_LIMITS_MAX);
        limits_done(&whole);
        return r;
}

int container_set_limits(Container *c, const Limits *changes, ReplyFunc func, void *userdata,
                         Fault *fault)
{
        struct ContainerLimits *limits;
        Change *change, **end;
        int r;

        r = check_change(c, changes, fault);
        if (r < 0)
                return r;
        if (limits_are_empty(changes)) {
                func(userdata, 0, NULL);
                return 0;
        }
        change = calloc(1, sizeof(*change));
        if (!change)
                return -ENOMEM;
        change->func = func;
        change->userdata = userdata;
        r = limits_copy(changes, &change->wanted);
        if (r < 0) {
                change_free(change);
                return r;
        }
        if (c->leader_pidfd < 0)
                return set_for_next_start(c, change, fault);
        r = limits_get(c, &limits);
        if (r < 0) {
                change_free(change);
                return r;
        }
        for (end = &limits->changes; *end; end = &(*end)->next)
                ;
        *end = change;
        next_change(c);
        return 0;
}

void container_refresh_limits(Container *c)
{
        struct ContainerLimits *limits;

        if (c->leader_pidfd < 0 || !c->control_group || limits_get(c, &limits) < 0)
                return;
        limits->is_stale = 1;
        next_change(c);
}

void container_restore_bandwidth(Container *c)
{
        struct ContainerLimits *limits;
        int r;

        if (!c->has_network || !c->spec->limits.bandwidth.set)
                return;
        r = limits_get(c, &limits);
        if (r >= 0 && !limits->bandwidth_call)
                r = bandwidth_call_begin(c, &c->spec->limits.bandwidth, on_bandwidth_settled, c,
                                         &limits->bandwidth_call, NULL);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Cannot limit the bandwidth again");
}

int container_check_limits(const Container *c, Fault *fault)
{
        if (!c->control_group)
                return 0;
        return limit_check_applied(c->manager->cgroup_mode, c->control_group, &c->spec->limits,
                                   fault);
}

void container_end_limits(Container *c)
{
        struct ContainerLimits *limits = take_ptr(c->limits);
        Fault fault = FAULT_INIT;
        Change *change;

        if (!limits)
                return;
        change = take_ptr(limits->changes);
        container_limits_free(limits);
        (void)fault_set(&fault, FAULT_BAD_STATE, -ECANCELED,
                        "The container ended before its limits were changed");
        while (change) {
                Change *next = change->next;

                if (change->is_begun && !change->is_undoing)
                        (void)put_back(c, change);
                change->func(change->userdata, fault.error, &fault);
                change_free(change);
                change = next;
        }
        container_changed(c, CONTAINER_CHANGED_LIMITS);
}
