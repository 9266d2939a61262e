/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "init/job.h"

/* All jobs of the container, in slots. The lowest free slot is taken first and nothing above
 * n_slots was ever written, so that the table costs PID 1 memory only for jobs that there are. */
typedef struct JobTable {
        uint32_t n_slots;  /* every slot at or above it is free */
        uint32_t next_own; /* the last number that was given out, from WSHD_OWN_JOBS */
        Job slots[WSHD_JOBS_MAX];
} JobTable;

/* @id          0: one of WSHD_OWN_JOBS that is free
 * Returns 0 with a slot in state STARTING; -EEXIST the number is in use; -ENOSPC. */
int job_table_acquire(JobTable *table, uint32_t id, Job **ret);

/* Closes the job's fds and frees its slot. */
void job_table_release(JobTable *table, Job *job);

/* Of an ended job: its number is free; its slot is, too, once its output is over. */
void job_table_retire(JobTable *table, Job *job);

/* Frees the slot of a retired job whose output is over. */
void job_table_settle(JobTable *table, Job *job);

/* Return NULL when there is none. A released job has no number. By pid only processes that are not
 * reaped yet are found: a pid means nothing after that. */
Job *job_table_find(JobTable *table, uint32_t id);
Job *job_table_find_pid(JobTable *table, pid_t pid);

/* The job that the stream is part of. */
Job *job_table_find_stream(JobTable *table, const Stream *stream);

uint32_t job_table_slot(const JobTable *table, const Job *job);

/* The sizes of all rings together, those of released jobs included. */
uint64_t job_table_get_ring_bytes(const JobTable *table);

/* Whether any job's process has not been reaped. */
int job_table_is_alive(const JobTable *table);
