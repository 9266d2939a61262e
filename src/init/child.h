/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

/* The process between fork and exec: everything that looks into a job's spec or at the container's
 * files, in straight lines and with waiting allowed, so that PID 1 need do neither. */

typedef struct Child {
        int stdio_fds[3];  /* -EBADF: /dev/null, which is at 0 to 2 already */
        uint8_t is_own[3]; /* a pipe that was made for the job */
        int master_fd;     /* of the pty that becomes stdin, stdout and stderr; or -EBADF */
        int spec_fd;       /* a sealed memfd, or -EBADF: inline */
        const uint8_t *spec;
        size_t spec_size;
        int error_fd; /* where a failure is told; closed by exec */
        int is_privileged;
} Child;

/* What comes through error_fd when a stage fails. */
typedef struct ChildError {
        uint32_t stage; /* WshdStage */
        uint32_t error; /* positive errno */
} ChildError;

/* Becomes the job, or tells why not and exits with the shell's codes: 127 not found, 126 not
 * executable, 125 for what is our side. */
_noreturn_ void child_run(const Child *child);
