/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "basic/macro.h"
#include "init/stop.h"

static uint64_t deadline_after(uint64_t now_usec, uint64_t usec)
{
        return usec > UINT64_MAX - now_usec ? UINT64_MAX : now_usec + usec;
}

StopAction stop_begin(Stop *stop, uint64_t now_usec, uint64_t grace_usec)
{
        uint64_t deadline_usec = deadline_after(now_usec, grace_usec);

        switch (stop->state) {
        case STOP_NO:
                *stop = (Stop){ STOP_TERMINATING, deadline_usec };
                return STOP_ACT_TERM;
        case STOP_TERMINATING:
                stop->deadline_usec = MIN2(stop->deadline_usec, deadline_usec);
                return STOP_ACT_NONE;
        case STOP_KILLING:
        case STOP_LINGERING:
        case _STOP_STATE_MAX:
                break;
        }
        return STOP_ACT_NONE;
}

static void stop_enter(Stop *stop, StopState state, uint64_t deadline_usec)
{
        *stop = (Stop){ state, deadline_usec };
}

StopAction stop_step(Stop *stop, uint64_t now_usec, int is_empty, int is_told)
{
        int is_over = now_usec >= stop->deadline_usec;

        switch (stop->state) {
        case STOP_NO:
                return STOP_ACT_NONE;
        case STOP_TERMINATING:
                if (is_empty)
                        break;
                if (!is_over)
                        return STOP_ACT_NONE;
                stop_enter(stop, STOP_KILLING, deadline_after(now_usec, STOP_KILL_USEC));
                return STOP_ACT_KILL;
        case STOP_KILLING:
                if (is_empty)
                        break;
                /* PID 1's end kills what is left, and waits for it in the kernel. */
                return is_over ? STOP_ACT_EXIT : STOP_ACT_NONE;
        case STOP_LINGERING:
                return is_told || is_over ? STOP_ACT_EXIT : STOP_ACT_NONE;
        case _STOP_STATE_MAX:
                return STOP_ACT_NONE;
        }
        stop_enter(stop, STOP_LINGERING, deadline_after(now_usec, STOP_LINGER_USEC));
        return is_told ? STOP_ACT_EXIT : STOP_ACT_NONE;
}
