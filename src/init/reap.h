/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "init/server.h"

/* What the kernel tells of processes, and to whom that is passed on. None of it blocks. */

/* Reads a starting job's pipe: a report of failure is noted, end of file means that the job runs
 * and its requester is told. */
void reap_read_start(Server *server, Job *job);

/* To be called when a stream of @job may have ended: whoever heard of the job's end is told. */
void reap_note_output(Server *server, Job *job);

/* What follows from one process that was waited for; most are nobody's job. */
void reap_note(Server *server, pid_t pid, int status);

/* Waits for what has ended, orphans included, up to a bound, so that a storm of zombies does not
 * keep clients waiting. Returns whether there may be more. */
int reap_batch(Server *server);
