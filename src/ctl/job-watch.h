/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/fault.h"

/* How a job ended, never missed:
 *
 *   begin ── Exited of any job of the container is listened to, before the job exists
 *     │
 *   set_path ── now it is known which one; had any job ended in between, its properties are read
 *     │
 *   Exited ──────────────────────────────────────────────► ended
 *     │
 *   the daemon leaves the bus: the job does not notice ── comes back ── its properties are read,
 *     │                                                    again and again while they cannot be
 *     └── the time for that is over, or the container is gone ► lost
 */

typedef enum JobEnd {
        JOB_END_NONE, /* it runs, as far as we know */
        JOB_END_KNOWN,
        JOB_END_LOST,    /* nobody will ever tell */
        JOB_END_MISSING, /* the daemon knows no such job */
} JobEnd;

typedef struct JobWatch {
        sd_bus *bus; /* not owned */
        char *container;
        char *path; /* of the job; NULL: not known yet */
        sd_bus_slot *exited_slot, *owner_slot, *removed_slot, *query_slot;
        int has_missed;  /* something ended while the path was not known */
        int is_settling; /* the daemon is back, and may not have asked its containers yet */
        JobEnd end;
        int code, signal;    /* as in Job.Exited */
        uint64_t away_usec;  /* monotonic: when we give up; USEC_INFINITY: the daemon is there */
        uint64_t retry_usec; /* when to ask again; USEC_INFINITY: not */
} JobWatch;

#define JOB_WATCH_INIT \
        ((JobWatch){ .code = -1, .away_usec = USEC_INFINITY, .retry_usec = USEC_INFINITY })

/* Returns 0; negative errno with a fault. */
int job_watch_begin(JobWatch *watch, sd_bus *bus, const char *container, Fault *fault);

/* @is_new   it was made after job_watch_begin(); else it is asked whether it has ended already */
int job_watch_set_path(JobWatch *watch, const char *path, int is_new, Fault *fault);

void job_watch_done(JobWatch *watch);

/* For the loop: when it wants to be woken, and what it does then. */
uint64_t job_watch_wake_usec(const JobWatch *watch);
void job_watch_on_wake(JobWatch *watch, uint64_t now_usec);
