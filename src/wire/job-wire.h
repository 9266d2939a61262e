/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/codec.h"

/* The encoded JobSpec: written by the daemon, decoded by the job's own forked process in the
 * container, before exec, so that PID 1 never looks into it. Tags are the format; a number is never
 * used for another meaning. */

enum {
        JOB_TAG_ARGV = 1,    /* string, repeated, at least one */
        JOB_TAG_ENVIRONMENT, /* string KEY=VALUE, repeated */
        JOB_TAG_USER,        /* string: name or number, optionally ":" and group; absent: root */
        JOB_TAG_DIRECTORY,   /* string, absolute; absent: the user's home */
        JOB_TAG_RLIMIT,      /* nested: JOB_TAG_RLIMIT_* */
        JOB_TAG_UMASK,       /* u64, octal value */
        JOB_TAG_NICE,        /* u64: value + 20 */
        JOB_TAG_RLIMIT_RESOURCE, /* u64: RLIMIT_* of the kernel */
        JOB_TAG_RLIMIT_SOFT,     /* u64, RLIM_INFINITY is UINT64_MAX */
        JOB_TAG_RLIMIT_HARD,
};
