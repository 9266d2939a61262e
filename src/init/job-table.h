/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "init/job.h"

/* All jobs of the container, in slots. The lowest free slot is taken first and nothing above
 * n_slots was ever written, so that the table costs PID 1 memory only for jobs that there are. */
typedef struct JobTable {
        uint32_t n_slots; /* every slot at or above it is free */
        Job slots[WSHD_JOBS_MAX];
} JobTable;

/* Returns 0 with a slot in state STARTING; -EEXIST the number is in use; -ENOSPC. */
int job_table_acquire(JobTable *table, uint32_t id, Job **ret);

/* Closes the job's fds and frees its slot. */
void job_table_release(JobTable *table, Job *job);

/* Return NULL when there is none. By pid only processes that are not reaped yet are found: a pid
 * means nothing after that. */
Job *job_table_find(JobTable *table, uint32_t id);
Job *job_table_find_pid(JobTable *table, pid_t pid);

uint32_t job_table_slot(const JobTable *table, const Job *job);

/* Whether any job's process has not been reaped. */
int job_table_is_alive(const JobTable *table);
