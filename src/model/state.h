/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* The life of a container. One function per state in state.c lists every event; doc/states.md is
 * printed from it.
 *
 *   new ──create──► creating ──worker-ok──► active ◄──thaw/freeze──► frozen
 *                      │                    │   ▲
 *                worker-failed            stop  └─start── stopped ◄─leader-exit─ stopping
 *                      ▼                                     │
 *                    failed ──destroy──► destroying ◄─destroy┘      destroying ──undone──► gone
 */

typedef enum ContainerState {
        CONTAINER_NEW,      /* an object that holds leases, nothing in the kernel */
        CONTAINER_CREATING, /* a worker is at it, first time or by Start */
        CONTAINER_ACTIVE,   /* PID 1 runs and answers: jobs may be spawned */
        CONTAINER_FROZEN,
        CONTAINER_STOPPING,   /* PID 1 was asked to end, or its scope is being stopped */
        CONTAINER_STOPPED,    /* no process; root and object are kept; may be started again */
        CONTAINER_DESTROYING, /* everything is being undone */
        CONTAINER_GONE,       /* nothing is left; the object is about to be freed */
        CONTAINER_FAILED,     /* set-up or tear-down failed half-way; only destroy is possible */
        _CONTAINER_STATE_MAX,
        _CONTAINER_STATE_INVALID = -22,
} ContainerState;

typedef enum ContainerEvent {
        EVENT_CREATE,        /* begin the set-up */
        EVENT_WORKER_OK,     /* PID 1 said ready, the scope is there */
        EVENT_WORKER_FAILED, /* set-up failed and was undone */
        EVENT_SPAWN,         /* may a job be spawned? does not change the state */
        EVENT_LIMIT,         /* may its limits be changed? does not change the state */
        EVENT_STOP,
        EVENT_START,
        EVENT_FREEZE,
        EVENT_THAW,
        EVENT_LEADER_EXIT, /* the pidfd of PID 1 became readable */
        EVENT_DESTROY,
        EVENT_UNDONE,      /* the destroy is complete */
        EVENT_UNDO_FAILED, /* the destroy could not be completed; it may be asked for again */
        _CONTAINER_EVENT_MAX,
        _CONTAINER_EVENT_INVALID = -22,
} ContainerEvent;

const char *container_state_to_string(ContainerState state);
ContainerState container_state_from_string(const char *s);
const char *container_event_to_string(ContainerEvent event);

/* Returns the next state (which may be the same), or -EPROTO with a fault FAULT_BAD_STATE naming
 * both. */
int container_state_next(ContainerState state, ContainerEvent event, Fault *fault);
