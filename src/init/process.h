/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "init/job-table.h"
#include "init/spawn.h"

/* Everything that reaches for processes, in one table, so that what PID 1 decides can be driven
 * without any. */
typedef struct ProcessOps {
        /* See spawn_start(). */
        int (*start)(const Spawn *spawn, Job *job, uint32_t *ret_stage);
        /* To the job's main process. Returns 0; negative errno. */
        int (*signal_job)(const Job *job, int signal);
        /* To all but us. Returns 0, also when there is nobody; negative errno. */
        int (*signal_all)(const JobTable *jobs, int signal);
        /* Whether there is nobody but us. */
        int (*is_alone)(const JobTable *jobs);
} ProcessOps;

/* PID 1 of a pid namespace: "all" is the namespace. */
extern const ProcessOps process_ops_namespace;

/* Beside another PID 1, or under test: "all" is the jobs' main processes, never kill(-1). */
extern const ProcessOps process_ops_jobs;
