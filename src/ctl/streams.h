/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "ctl/detach-keys.h"
#include "ctl/frames.h"
#include "ctl/job-options.h"
#include "ctl/relay.h"

/* The three ways of a job's bytes, each decided on its own:
 *
 *   ours is a file, pipe or socket   given to the job as it is; the bytes never pass through us
 *   ours is a terminal               a pipe and a relay: who holds a terminal can push input to
 *                                    others (TIOCSTI), so a container never gets ours
 *   the job has a terminal (-t),     pipes of PID 1's come from Job.Attach, with a relay each way;
 *   or was started by somebody else  its output is framed, so that we know what we missed
 *
 * A job's stdin is /dev/null when ours is a terminal and -i was not given, and always with -d. */

typedef struct Streams {
        int job_fds[3];   /* what SpawnJob is given; -EBADF: none. Ours, or borrowed 0, 1, 2 */
        Relay relays[3];  /* our stdin to the job, its stdout and stderr to ours */
        Frames frames[3]; /* of an attached job's stdout and stderr */
        DetachKeys detach_keys;
        int is_detach_typed;
        int is_tty;
        int is_raw;            /* our terminal belongs to the job now */
        int is_escape_typed;   /* ^] three times: the user wants to leave */
        unsigned escape_count; /* of them so far, the first at: */
        uint64_t escape_usec;
        int was_line_open; /* the last byte that went to the job did not end a line */
} Streams;

/* Before SpawnJob. Returns 0; negative errno with a fault. */
int streams_init(Streams *streams, const JobOptions *options, Fault *fault);

/* After SpawnJob: lets go of what the job has now, so that it alone keeps its pipes open. */
void streams_close_job_fds(Streams *streams);

/* After Job.Attach with Framed.
 * @fds          stdin, stdout and stderr, duplicated
 * @has_input    what we read goes to the job. When our stdin is a terminal and the job has one, it
 *               is made raw
 * Returns 0; negative errno with a fault. */
int streams_attach(Streams *streams, const int fds[3], int has_input, Fault *fault);

/* The job has ended: no more input, and only what is left of the output. */
void streams_finish(Streams *streams);

/* Has all output come to its end? */
int streams_is_drained(const Streams *streams);

/* Is there output below these positions that has not come yet? For an attached job. */
int streams_is_behind(const Streams *streams, uint64_t stdout_bytes, uint64_t stderr_bytes);

/* How much of an attached job's output came too late for us to see. */
uint64_t streams_missed_bytes(const Streams *streams);

/* How much output there was so far, and whether all of that is written. */
uint64_t streams_moved_bytes(const Streams *streams);
int streams_is_flushed(const Streams *streams);

/* Closes everything and gives the terminal back. Idempotent, and fine when only zeroed by
 * STREAMS_INIT. */
void streams_done(Streams *streams);

#define STREAMS_INIT                                       \
        ((Streams){ .job_fds = { -EBADF, -EBADF, -EBADF }, \
                    .relays = { RELAY_INIT, RELAY_INIT, RELAY_INIT } })
