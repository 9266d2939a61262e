/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/job-options.h"
#include "ctl/job-watch.h"
#include "ctl/loop.h"
#include "ctl/streams.h"

/* One command in a container, as if it ran here: its bytes are ours, our signals are its, and its
 * end is our exit code.
 *
 *   without a terminal   HUP INT QUIT TERM USR1 USR2 go to the job. When `patience` of INT and TERM
 *                        have come, we leave, whatever it does.
 *   with a terminal      keys are bytes, so a signal comes from outside and means that our terminal
 *                        goes away: the job is told so (HUP) and has a moment to end; a second
 *                        signal, and we leave at once. ^] three times in a second is the same.
 *   as a guest           the job was there before: signals are ours alone, and mean that we leave.
 *
 * Keys to detach with end the session and nothing else, in a terminal. */

typedef struct Session {
        Loop loop;
        const JobOptions *options; /* NULL: a guest */
        char *container;
        Streams streams;
        JobWatch watch;
        uint64_t early_signals; /* bit N: N came before there was a job to tell */
        int patience;           /* how many signals that end a program it takes to leave */
        int n_ending_signals;   /* so far */
        int last_signal;
        int is_detached;      /* left by the keys for that: the job shall go on */
        int is_leaving;       /* the job's end is no longer waited for */
        uint64_t leave_usec;  /* monotonic: when that begins; USEC_INFINITY */
        uint64_t quiet_usec;  /* the same for the rest of the output */
        uint64_t moved_bytes; /* of the output, when quiet_usec was set */
} Session;

/* From here until session_done() signals do what is said above; those that
 * come before there is a job are kept for it. Returns 0; negative errno with a fault. */
int session_init(Session *session, sd_bus *bus, const JobOptions *options, Fault *fault);
void session_done(Session *session);

/* Starts the command that options->spec has. Returns 0; negative errno with a fault. A program that
 * is not there leaves the session as it was: another one may be tried. */
int session_spawn(Session *session, const char *container, Fault *fault);

typedef struct SessionAttach {
        int has_input;    /* what we read goes to the job */
        int is_tty;       /* the job has a terminal */
        int is_from_now;  /* nothing of what it has written before */
        int is_until_now; /* nothing else: its output ends where it is now */
} SessionAttach;

/* Becomes a guest of a job that is there. @path is its object. Returns 0; negative errno with a
 * fault. */
int session_attach(Session *session, const char *container, const char *path,
                   const SessionAttach *how, Fault *fault);

/* Until the output ends, whatever the job does; for a guest who attached until now. */
int session_show(Session *session, Fault *fault);

/* Until the job's end and the end of its output; then the daemon may forget the job, unless we are
 * a guest. Also over when the user has detached; the exit code is 0 then.
 * Returns 0 with the exit code; negative errno with a fault. */
int session_wait(Session *session, int *ret_exit_code, Fault *fault);

/* Tells the job to end, for a session that was left. Does not wait. */
void session_kill(Session *session, int signal);
