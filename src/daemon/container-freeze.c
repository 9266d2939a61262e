/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who does it depends on the control groups: on v2 systemd, whose answer comes when all processes
 * stand still; on v1 a worker, since systemd does not keep that hierarchy and moving processes into
 * it takes milliseconds each. Thawing v1 is one write that does not wait.
 *
 * The state is frozen only when all stand still and that is saved. If we die in between the record
 * says active, nobody was told otherwise, and the next start thaws. */

#include <errno.h>

#include <systemd/sd-event.h>

#include "basic/log.h"
#include "cgroup/freezer.h"
#include "daemon/container-freeze.h"
#include "daemon/manager.h"
#include "daemon/store.h"
#include "daemon/worker-pool.h"
#include "systemd/scope-freeze.h"

struct ContainerFreeze {
        Container *container;
        int is_thaw;
        int is_cancelled; /* the container is to end: whatever comes of it is undone */
        Reply *replies;
        WorkerOperation *worker; /* v1 */
        ScopeFreeze *call;       /* v2 */
};

static int is_unified(const Container *c)
{
        return c->manager->cgroup_mode == CGROUP_UNIFIED;
}

static void thaw_soon(Container *c)
{
        int r;

        if (is_unified(c))
                r = scope_thaw_soon(c->manager->systemd, c->unit);
        else
                r = c->control_group ? freezer_thaw(c->manager->cgroup_mode, c->control_group) : 0;
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL, "Cannot thaw the container");
}

static void freeze_free(ContainerFreeze *freeze, int error, const Fault *fault)
{
        Reply *replies = take_ptr(freeze->replies);

        freeze->container->freeze = NULL;
        worker_operation_free(freeze->worker);
        scope_freeze_free(freeze->call);
        free(freeze);
        reply_all(&replies, error, fault);
}

static void on_done(void *userdata, int error, const Fault *reason)
{
        ContainerFreeze *freeze = userdata;
        Container *c = freeze->container;
        Fault fault = FAULT_INIT;
        int r = error;

        if (error < 0)
                fault = *reason;
        else if (!freeze->is_cancelled)
                r = container_move(c, freeze->is_thaw ? EVENT_THAW : EVENT_FREEZE, &fault);
        /* Not saved, or half of them: nobody may believe that it stands still. */
        if ((r < 0 || freeze->is_cancelled) && !freeze->is_thaw)
                thaw_soon(c);
        freeze_free(freeze, r, &fault);
}

static int begin_worker(ContainerFreeze *freeze, Fault *fault)
{
        static const WorkerHandler handler = { .finished = on_done };
        Container *c = freeze->container;
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        if (!c->control_group)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "Container '%s' has no control group of its own",
                                 container_name(c));
        r = freeze_request_encode(&(FreezeRequest){ .control_group = c->control_group }, &w);
        if (r >= 0)
                r = worker_begin(c->manager->workers, WORKER_FREEZE, &w, &handler, freeze,
                                 &freeze->worker, fault);
        wire_writer_done(&w);
        return r;
}

static int freeze_begin(Container *c, int is_thaw, ReplyFunc func, void *userdata, Fault *fault)
{
        ContainerFreeze *freeze = calloc(1, sizeof(*freeze));
        int r;

        if (!freeze || reply_add(&freeze->replies, func, userdata) < 0) {
                free(freeze);
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        }
        freeze->container = c;
        freeze->is_thaw = is_thaw;
        c->freeze = freeze;
        if (!is_unified(c))
                r = begin_worker(freeze, fault);
        else if (is_thaw)
                r = scope_thaw(c->manager->systemd, c->unit, on_done, freeze, &freeze->call, fault);
        else
                r = scope_freeze(c->manager->systemd, c->unit, on_done, freeze, &freeze->call,
                                 fault);
        if (r < 0) {
                /* The caller has its error from us, and no reply. */
                free(take_ptr(freeze->replies));
                freeze_free(freeze, r, fault);
                return fault_set(fault, FAULT_FAILED, r, "Cannot freeze or thaw the container: %m");
        }
        return 0;
}

/* One of both is on its way already. */
static int freeze_join(Container *c, int is_thaw, ReplyFunc func, void *userdata, Fault *fault)
{
        if (c->freeze->is_thaw != is_thaw)
                return fault_set(fault, FAULT_BAD_STATE, -EPROTO,
                                 "Cannot %s while container '%s' is being %s; try again then",
                                 is_thaw ? "thaw" : "freeze", container_name(c),
                                 is_thaw ? "frozen" : "thawed");
        if (reply_add(&c->freeze->replies, func, userdata) < 0)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        return 0;
}

int container_freeze(Container *c, ReplyFunc func, void *userdata, Fault *fault)
{
        int r;

        r = container_state_next(c->state, EVENT_FREEZE, fault);
        if (r < 0)
                return r;
        if (c->freeze)
                return freeze_join(c, 0, func, userdata, fault);
        if (c->state == CONTAINER_FROZEN) {
                func(userdata, 0, NULL);
                return 0;
        }
        return freeze_begin(c, 0, func, userdata, fault);
}

int container_thaw(Container *c, ReplyFunc func, void *userdata, Fault *fault)
{
        int r;

        r = container_state_next(c->state, EVENT_THAW, fault);
        if (r < 0)
                return r;
        if (c->freeze)
                return freeze_join(c, 1, func, userdata, fault);
        if (c->state == CONTAINER_FROZEN && is_unified(c))
                return freeze_begin(c, 1, func, userdata, fault);
        if (c->state == CONTAINER_FROZEN) {
                r = c->control_group ? freezer_thaw(c->manager->cgroup_mode, c->control_group) : 0;
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "Cannot thaw the container: %m");
                r = container_move(c, EVENT_THAW, fault);
                if (r < 0)
                        return r;
        }
        if (func)
                func(userdata, 0, NULL);
        return 0;
}

int container_check_awake(const Container *c, const char *what, Fault *fault)
{
        if (c->state != CONTAINER_FROZEN && !c->freeze)
                return 0;
        return fault_set(fault, FAULT_BAD_STATE, -EPROTO,
                         "Cannot %s while container '%s' is frozen; thaw it first", what,
                         container_name(c));
}

static void freeze_cancel(Container *c, const char *text)
{
        Reply *replies = take_ptr(c->freeze->replies);
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, FAULT_BAD_STATE, -ECANCELED, "%s", text);
        c->freeze->is_cancelled = 1;
        reply_all(&replies, -ECANCELED, &fault);
}

/* Who is on it goes on: it might freeze the container after we have thawed it, so that it is thawed
 * once more when it has finished. */
void container_freeze_end(Container *c)
{
        if (c->freeze)
                freeze_cancel(c, "The container was stopped meanwhile");
        thaw_soon(c);
}

void container_freeze_forget(Container *c)
{
        if (c->freeze)
                freeze_cancel(c, "The container has ended meanwhile");
        if (c->freeze)
                freeze_free(c->freeze, 0, NULL);
        if (c->control_group)
                freezer_remove(c->manager->cgroup_mode, c->control_group);
}

void container_freeze_restore(Container *c)
{
        int is_frozen;

        if (!c->control_group)
                return;
        is_frozen = freezer_is_frozen(c->manager->cgroup_mode, c->control_group);
        if (is_frozen == 0 && c->state == CONTAINER_FROZEN) {
                c->state = CONTAINER_ACTIVE;
                if (store_save_container(c) < 0)
                        (void)container_log(c, LOG_WARNING, 0, NULL, "Failed to save the state");
        }
        if (is_frozen > 0 && c->state != CONTAINER_FROZEN)
                thaw_soon(c);
}
