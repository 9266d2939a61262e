/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "basic/strv.h"
#include "model/environment.h"

/* What a client asks for when it spawns a job. File descriptors travel beside it, not in it. */

#define JOB_RLIMITS 16                /* the kernel's RLIM_NLIMITS */
#define JOB_SPEC_MAX_BYTES (1U << 20) /* argv and environment together, in STRING_COST */

#define JOB_RING_MIN_BYTES 4096U /* a page */

/* Where what a job writes goes, as far as it was given no descriptors of its own. */
typedef enum JobLog {
        JOB_LOG_RING,    /* kept in its rings, for those who attach */
        JOB_LOG_JOURNAL, /* to the journal; the rings are the buffer on the way, and small */
        JOB_LOG_BOTH,
        JOB_LOG_NONE, /* nowhere: /dev/null */
        _JOB_LOG_MAX,
        _JOB_LOG_INVALID = -22,
} JobLog;

const char *job_log_to_string(JobLog log);
JobLog job_log_from_string(const char *s);

typedef struct JobRlimit {
        uint64_t soft, hard; /* UINT64_MAX: infinity */
} JobRlimit;

typedef struct JobSpec {
        char **argv;
        char **environment;      /* over the container's */
        char *user;              /* NULL: root. NAME, UID, and either with :GROUP or :GID */
        char *working_directory; /* NULL: the user's home */
        char *identifier;        /* for people and the journal; NULL: argv[0] */
        JobRlimit rlimits[JOB_RLIMITS];
        uint32_t rlimits_set;   /* bit i: rlimits[i] was given */
        uint32_t rows, columns; /* of the pty; 0: 24 by 80 */
        int umask;              /* -1: 0022 */
        int nice;               /* -20 to 19; INT32_MAX: leave */
        int is_tty;
        int is_privileged;       /* without no_new_privs: set-id programs work */
        int is_output_discarded; /* the same as JOB_LOG_NONE, said aloud */
        int is_stdin_open;       /* without a descriptor for it, a pipe that clients can write */
        int has_backpressure;    /* it waits for its slowest reader instead of outrunning it */
        uint64_t ring_bytes;     /* of each ring; 0: the configured default */
        JobLog log;
} JobSpec;

JobSpec *job_spec_new(void);
JobSpec *job_spec_free(JobSpec *spec);
DEFINE_DROP(JobSpec, job_spec, job_spec_free);

/* systemd's and prlimit's names: "NOFILE" or "LimitNOFILE" or "RLIMIT_NOFILE". Returns the number;
 * -EINVAL. */
int rlimit_from_string(const char *s);
const char *rlimit_to_string(int resource); /* "NOFILE" */

/* NAME, UID, NAME:GROUP and so on, as text only: whether they exist is seen in the container.
 * Returns 0; -EINVAL with a fault. */
int job_user_validate(const char *user, Fault *fault);

/* argv: at least the program, no empty program, bounds. Adds to *total_bytes as
 * environment_validate() does. Returns 0; -EINVAL, -E2BIG with a fault. */
int job_argv_validate(char *const *argv, size_t *total_bytes, Fault *fault);

#define JOB_IDENTIFIER_MAX 255

/* Whether it has rings at all, as far as the spec tells: descriptors take them away one by one. */
int job_spec_has_rings(const JobSpec *spec);

/* Returns 0; -EINVAL, -E2BIG with a fault that names the field. */
int job_spec_validate(const JobSpec *spec, Fault *fault);
