/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* How the container ends: TERM to all, KILL to all once the grace is over, then a last while for
 * clients to hear what became of the jobs, then PID 1 exits. Pure: the caller does what the
 * returned action says.
 *
 *     NO ──begin──► TERMINATING ──grace over──► KILLING
 *                        │ nobody left             │ nobody left         over
 *                        └────────────────► LINGERING ◄┘   KILLING ───────────► EXIT
 *                                               └─ all told, or over ─► EXIT */

typedef enum StopState {
        STOP_NO,
        STOP_TERMINATING,
        STOP_KILLING,
        STOP_LINGERING,
        _STOP_STATE_MAX,
} StopState;

typedef enum StopAction {
        STOP_ACT_NONE,
        STOP_ACT_TERM,
        STOP_ACT_KILL,
        STOP_ACT_EXIT,
} StopAction;

typedef struct Stop {
        StopState state;
        uint64_t deadline_usec; /* monotonic; UINT64_MAX: none. Valid unless STOP_NO */
} Stop;

#define STOP_GRACE_USEC UINT64_C(10000000)
#define STOP_KILL_USEC UINT64_C(5000000)   /* a process in the kernel may take this long to die */
#define STOP_LINGER_USEC UINT64_C(1000000) /* a client may take this long to read */

/* Begins, or shortens the grace when it has begun. */
StopAction stop_begin(Stop *stop, uint64_t now_usec, uint64_t grace_usec);

/* To be called when the deadline is over and whenever one of the two may have become true.
 * @is_empty    no process is left but PID 1
 * @is_told     no client is owed anything */
StopAction stop_step(Stop *stop, uint64_t now_usec, int is_empty, int is_told);
