/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lookups walk the slots. With the handful of jobs that a container has this is one cache line or
 * two, and with the full table some microseconds, far less than the fork that goes with it; a hash
 * would touch more pages of every idle container than it could ever win back. */

#include <errno.h>

#include "basic/macro.h"
#include "init/job-table.h"

/* Numbers are not used again soon: one who remembers an old one should find nothing. There are far
 * fewer slots than numbers, so there is one. */
static uint32_t job_table_choose(JobTable *table)
{
        do
                table->next_own = (table->next_own + 1) | WSHD_OWN_JOBS;
        while (job_table_find(table, table->next_own));
        return table->next_own;
}

int job_table_acquire(JobTable *table, uint32_t id, Job **ret)
{
        uint32_t slot = table->n_slots;

        if (id == 0)
                id = job_table_choose(table);
        for (uint32_t i = 0; i < table->n_slots; i++) {
                const Job *job = &table->slots[i];

                if (job->state == JOB_FREE)
                        slot = MIN2(slot, i);
                else if (job->id == id && job->state != JOB_RELEASED)
                        return -EEXIST;
        }
        if (slot >= WSHD_JOBS_MAX)
                return -ENOSPC;
        if (slot == table->n_slots)
                table->n_slots++;
        *ret = &table->slots[slot];
        job_init(*ret, id);
        return 0;
}

void job_table_release(JobTable *table, Job *job)
{
        job_done(job);
        while (table->n_slots > 0 && table->slots[table->n_slots - 1].state == JOB_FREE)
                table->n_slots--;
}

void job_table_retire(JobTable *table, Job *job)
{
        job_on_release(job);
        job_table_settle(table, job);
}

void job_table_settle(JobTable *table, Job *job)
{
        if (job_is_over(job))
                job_table_release(table, job);
}

Job *job_table_find(JobTable *table, uint32_t id)
{
        for (uint32_t i = 0; i < table->n_slots; i++) {
                Job *job = &table->slots[i];

                if (job->state != JOB_FREE && job->state != JOB_RELEASED && job->id == id)
                        return job;
        }
        return NULL;
}

Job *job_table_find_pid(JobTable *table, pid_t pid)
{
        for (uint32_t i = 0; i < table->n_slots; i++) {
                Job *job = &table->slots[i];

                if (job->pid == pid && job_is_alive(job))
                        return job;
        }
        return NULL;
}

/* Streams live in their jobs. */
Job *job_table_find_stream(JobTable *table, const Stream *stream)
{
        size_t offset = (size_t)((const char *)stream - (const char *)table->slots);

        return &table->slots[offset / sizeof(Job)];
}

uint32_t job_table_slot(const JobTable *table, const Job *job)
{
        return (uint32_t)(job - table->slots);
}

uint64_t job_table_get_ring_bytes(const JobTable *table)
{
        uint64_t sum = 0;

        for (uint32_t i = 0; i < table->n_slots; i++) {
                const Job *job = &table->slots[i];

                for (size_t k = 0; job->state != JOB_FREE && k < ELEMENTSOF(job->streams); k++)
                        sum += job->streams[k].ring.n_mapped;
        }
        return sum;
}

int job_table_is_alive(const JobTable *table)
{
        for (uint32_t i = 0; i < table->n_slots; i++)
                if (job_is_alive(&table->slots[i]))
                        return 1;
        return 0;
}
