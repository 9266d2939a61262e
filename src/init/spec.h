/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/job-wire.h"

/* An encoded JobSpec as the job's own process reads it, between fork and exec: everything points
 * into the buffer, nothing is allocated. */

#define SPEC_RLIMITS 16 /* the kernel's RLIM_NLIMITS */

typedef struct SpecRlimit {
        uint64_t soft, hard; /* UINT64_MAX: infinity */
} SpecRlimit;

typedef struct Spec {
        const uint8_t *data;
        size_t size;
        size_t n_argv; /* at least one */
        size_t n_environment;
        const char *user;      /* NULL: root */
        const char *directory; /* NULL: the user's home */
        SpecRlimit rlimits[SPEC_RLIMITS];
        uint32_t rlimits_set; /* bit i: rlimits[i] was given */
        int umask;            /* -1: not given */
        int nice;             /* SPEC_NO_NICE: not given */
} Spec;

#define SPEC_NO_NICE 127

/* Checks all of it. Returns 0; -EBADMSG malformed, out of range or without a program; -E2BIG above
 * WSHD_JOB_SPEC_MAX. */
int spec_decode(const void *data, size_t size, Spec *ret);

/* Fills @ret with the strings of JOB_TAG_ARGV or JOB_TAG_ENVIRONMENT, as many as n_argv or
 * n_environment says; no NULL is added. They point into the buffer and are not to be written,
 * whatever their type, which is execve()'s. */
void spec_get_strings(const Spec *spec, uint16_t tag, char **ret);
