/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "basic/fault.h"

/* The output of jobs as the journal has it (Log=journal, both). */

typedef struct JournalLogs {
        const char *container_id; /* the id, since a name may have been another's before */
        uint32_t job;             /* 0: all of the container's */
        uint64_t since_usec;      /* CLOCK_REALTIME; 0: from the beginning */
        uint64_t n_lines;         /* no more than the last of these; UINT64_MAX: all */
        int is_following;         /* goes on with what comes */
        /* While following, before each wait, and when @wake_fd is readable: returns 1 when nothing
         * more will come, and when to be asked again at the latest (monotonic, USEC_INFINITY). */
        int (*is_over)(void *userdata, uint64_t *ret_wake_usec);
        int wake_fd;
        void *userdata;
        FILE *out, *err; /* for what the job wrote to stdout and to stderr */
} JournalLogs;

/* Prints the lines as the job wrote them. What was sent twice, as a program that carries them died
 * in between, comes once; gaps are told on @err.
 * Returns 0; negative errno with a fault; -EPIPE when @out cannot be written. */
int journal_logs_print(const JournalLogs *logs, Fault *fault);
