/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/strv.h"
#include "model/job-spec.h"
#include "wire/codec.h"

/* What the daemon keeps of a job in /run/warden/containers/ID/jobs/N, so that its next start can
 * show it again, also when the job ended in between or its container is gone. */

#define JOB_RECORD_VERSION 1

typedef struct JobRecord {
        uint32_t id;
        char **argv;
        char *user;       /* NULL: root */
        char *identifier; /* NULL: argv[0] */
        int is_tty;
        uint32_t pid; /* in the container's pid namespace; 0: not known yet */
        uint64_t start_usec;
        int is_ended;    /* code, signal, is_core and end_usec are valid */
        uint32_t code;   /* 0 to 255 */
        uint32_t signal; /* 0: it exited */
        int is_core;
        uint64_t end_usec;
        int is_lost;   /* it is gone and nobody saw how; end_usec is valid */
        int has_stdin; /* a client can attach to it; always when is_tty */
        JobLog log;
        uint64_t stdout_bytes, stderr_bytes; /* that it had written when we last heard of it */
        int is_output_open;                  /* then: more could come */
        char *end_reason;                    /* the daemon's own word for it; NULL: it runs */
        int is_released; /* clients have it no more; only the journal is not done with it */
} JobRecord;

JobRecord *job_record_new(void);
JobRecord *job_record_free(JobRecord *record);
DEFINE_DROP(JobRecord, job_record, job_record_free);

/* Returns 0; -ENOMEM. */
int job_record_encode(const JobRecord *record, WireWriter *w);

/* Checks all that a client's spec is checked for, and that the parts do not contradict each other.
 * Returns 0; -EBADMSG; -EPROTONOSUPPORT written by another version; -ENOMEM. */
int job_record_decode(const void *data, size_t size, JobRecord **ret);
