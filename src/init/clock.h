/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <time.h>

#include "basic/macro.h"

static inline uint64_t clock_usec(clockid_t id)
{
        struct timespec ts = { 0 };

        (void)clock_gettime(id, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* For people: when a job started and ended. */
static inline uint64_t clock_realtime_usec(void)
{
        return clock_usec(CLOCK_REALTIME);
}

/* For deadlines. */
static inline uint64_t clock_monotonic_usec(void)
{
        return clock_usec(CLOCK_MONOTONIC);
}
