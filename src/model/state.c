/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One function a state, every event in each, no default: a new event does not compile until each
 * state has said what it means there. The order of the cases is that of the enum.
 *
 * Asking again for what holds already is no error where a client may ask twice (stop, freeze, thaw,
 * destroy); start is one, since a container that ran all the time is no fresh one. */

#include <errno.h>
#include <string.h>

#include "model/state.h"

static const char *const state_table[_CONTAINER_STATE_MAX] = {
        [CONTAINER_NEW] = "new",
        [CONTAINER_CREATING] = "creating",
        [CONTAINER_ACTIVE] = "active",
        [CONTAINER_FROZEN] = "frozen",
        [CONTAINER_STOPPING] = "stopping",
        [CONTAINER_STOPPED] = "stopped",
        [CONTAINER_DESTROYING] = "destroying",
        [CONTAINER_GONE] = "gone",
        [CONTAINER_FAILED] = "failed",
};

/* The name, and how the refusal is worded to the one who asked. */
static const struct {
        const char *name;
        const char *phrase;
} event_table[_CONTAINER_EVENT_MAX] = {
        [EVENT_CREATE] = { "create", "create" },
        [EVENT_WORKER_OK] = { "worker-ok", "finish the set-up" },
        [EVENT_WORKER_FAILED] = { "worker-failed", "give up the set-up" },
        [EVENT_SPAWN] = { "spawn", "spawn a job" },
        [EVENT_LIMIT] = { "limit", "change its limits" },
        [EVENT_STOP] = { "stop", "stop" },
        [EVENT_START] = { "start", "start" },
        [EVENT_FREEZE] = { "freeze", "freeze" },
        [EVENT_THAW] = { "thaw", "thaw" },
        [EVENT_LEADER_EXIT] = { "leader-exit", "lose PID 1" },
        [EVENT_DESTROY] = { "destroy", "destroy" },
        [EVENT_UNDONE] = { "undone", "finish the destruction" },
        [EVENT_UNDO_FAILED] = { "undo-failed", "give up the destruction" },
};

const char *container_state_to_string(ContainerState state)
{
        return (int)state >= 0 && state < _CONTAINER_STATE_MAX ? state_table[state] : NULL;
}

ContainerState container_state_from_string(const char *s)
{
        for (int i = 0; i < _CONTAINER_STATE_MAX; i++)
                if (strcmp(state_table[i], s) == 0)
                        return (ContainerState)i;
        return _CONTAINER_STATE_INVALID;
}

const char *container_event_to_string(ContainerEvent event)
{
        return (int)event >= 0 && event < _CONTAINER_EVENT_MAX ? event_table[event].name : NULL;
}

static int next_from_new(ContainerEvent event)
{
        switch (event) {
        case EVENT_CREATE:
                return CONTAINER_CREATING;
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_STOP:
        case EVENT_START:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case EVENT_LEADER_EXIT:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_creating(ContainerEvent event)
{
        switch (event) {
        case EVENT_WORKER_OK:
                return CONTAINER_ACTIVE;
        case EVENT_WORKER_FAILED:
                return CONTAINER_FAILED;
        case EVENT_LEADER_EXIT:
                return CONTAINER_CREATING; /* the worker will say why */
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING; /* the set-up is cancelled */
        case EVENT_CREATE:
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_STOP:
        case EVENT_START:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_active(ContainerEvent event)
{
        switch (event) {
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_THAW:
                return CONTAINER_ACTIVE;
        case EVENT_STOP:
                return CONTAINER_STOPPING;
        case EVENT_FREEZE:
                return CONTAINER_FROZEN;
        case EVENT_LEADER_EXIT:
                return CONTAINER_STOPPED;
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_CREATE:
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_START:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_frozen(ContainerEvent event)
{
        switch (event) {
        case EVENT_STOP:
                return CONTAINER_STOPPING; /* which thaws it, as frozen processes cannot end */
        case EVENT_LIMIT: /* systemd writes it to the group, nobody inside is asked */
        case EVENT_FREEZE:
                return CONTAINER_FROZEN;
        case EVENT_THAW:
                return CONTAINER_ACTIVE;
        case EVENT_LEADER_EXIT:
                return CONTAINER_STOPPED;
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_CREATE:
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_SPAWN: /* it would be created, and the caller would wait for ever */
        case EVENT_START:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_stopping(ContainerEvent event)
{
        switch (event) {
        case EVENT_STOP:
                return CONTAINER_STOPPING; /* possibly with less patience */
        case EVENT_LEADER_EXIT:
                return CONTAINER_STOPPED;
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_CREATE:
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_START:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_stopped(ContainerEvent event)
{
        switch (event) {
        case EVENT_LIMIT: /* for the next start */
        case EVENT_STOP:
        case EVENT_LEADER_EXIT:
                return CONTAINER_STOPPED;
        case EVENT_START:
                return CONTAINER_CREATING;
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_CREATE:
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_SPAWN:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_destroying(ContainerEvent event)
{
        switch (event) {
        case EVENT_WORKER_OK: /* of a set-up that was cancelled too late to be stopped */
        case EVENT_WORKER_FAILED:
        case EVENT_LEADER_EXIT:
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_UNDONE:
                return CONTAINER_GONE;
        case EVENT_UNDO_FAILED:
                return CONTAINER_FAILED;
        case EVENT_CREATE:
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_STOP:
        case EVENT_START:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_gone(ContainerEvent event)
{
        switch (event) {
        case EVENT_CREATE:
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_STOP:
        case EVENT_START:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case EVENT_LEADER_EXIT:
        case EVENT_DESTROY:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

static int next_from_failed(ContainerEvent event)
{
        switch (event) {
        case EVENT_LEADER_EXIT:
                return CONTAINER_FAILED; /* a destroy that failed may have left PID 1 behind */
        case EVENT_DESTROY:
                return CONTAINER_DESTROYING;
        case EVENT_CREATE:
        case EVENT_WORKER_OK:
        case EVENT_WORKER_FAILED:
        case EVENT_SPAWN:
        case EVENT_LIMIT:
        case EVENT_STOP:
        case EVENT_START:
        case EVENT_FREEZE:
        case EVENT_THAW:
        case EVENT_UNDONE:
        case EVENT_UNDO_FAILED:
        case _CONTAINER_EVENT_MAX:
        case _CONTAINER_EVENT_INVALID:
                break;
        }
        return -EPROTO;
}

int container_state_next(ContainerState state, ContainerEvent event, Fault *fault)
{
        static int (*const next_from[_CONTAINER_STATE_MAX])(ContainerEvent) = {
                [CONTAINER_NEW] = next_from_new,
                [CONTAINER_CREATING] = next_from_creating,
                [CONTAINER_ACTIVE] = next_from_active,
                [CONTAINER_FROZEN] = next_from_frozen,
                [CONTAINER_STOPPING] = next_from_stopping,
                [CONTAINER_STOPPED] = next_from_stopped,
                [CONTAINER_DESTROYING] = next_from_destroying,
                [CONTAINER_GONE] = next_from_gone,
                [CONTAINER_FAILED] = next_from_failed,
        };
        int r = -EPROTO;

        if (!container_state_to_string(state) || !container_event_to_string(event))
                return fault_set(fault, FAULT_BAD_STATE, -EPROTO,
                                 "There is no container state %d or no event %d", (int)state,
                                 (int)event);
        r = next_from[state](event);
        if (r < 0)
                return fault_set(fault, FAULT_BAD_STATE, r, "Cannot %s while the container is %s",
                                 event_table[event].phrase, state_table[state]);
        return r;
}
