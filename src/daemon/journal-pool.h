/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/job.h"

/* Jobs whose output goes to the journal (Log=journal, both): keeps the resident warden-journal
 * running and hands it a reader of each, by wire/journal-message.h. No byte of a job comes by here.
 * How far a job has come is in the container's journal/N, so that the next life of either program
 * goes on there. */

typedef struct Manager Manager;
typedef struct JournalPool JournalPool;

/* @program  is started when the first job needs it. Returns 0; -ENOMEM. */
int journal_pool_new(Manager *manager, const char *program, JournalPool **ret);
JournalPool *journal_pool_free(JournalPool *pool);
DEFINE_DROP(JournalPool, journal_pool, journal_pool_free);

/* After a job was spawned, when a container's PID 1 has been found again, and when it has ended:
 * follows it unless that is done, or not asked for. What fails is logged and tried again. A
 * released job of which nothing more can be had is forgotten, and its pointer invalid then. */
void journal_pool_follow(JournalPool *pool, Job *job);

/* Whether nothing more will be read of the job for the journal. */
int journal_pool_is_done(const JournalPool *pool, const Job *job);

/* The job is about to be freed; what is being read of it is read to its end. */
void journal_pool_forget(JournalPool *pool, Job *job);

/* It is forgotten: its place is of no use any more. */
void journal_pool_remove_place(const Job *job);
