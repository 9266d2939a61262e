/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "init/job.h"

/* What a job is made from, PID 1's side: nothing in here has been looked into but the counts. */
typedef struct Spawn {
        int stdio_fds[3]; /* -EBADF: /dev/null. The request's, closed by who received them */
        int spec_fd;      /* or -EBADF: inline */
        const uint8_t *spec;
        size_t spec_size;
        int devpts_fd; /* the container's devpts, O_PATH; or a negative errno when it has none */
        uint16_t rows, columns; /* 0: 24 by 80 */
        int is_tty;
        int is_privileged;
        int has_input;        /* stdin is a pipe that clients attach to */
        int has_backpressure; /* the job waits for its readers */
        uint64_t ring_bytes;  /* of each output that was not given; 0: those are /dev/null */
} Spawn;

/* Forks the process that becomes the job. What it came to, its start_fd tells: a ChildError, or end
 * of file once it was executed. Does not wait for that.
 * @job         gets pid, pidfd, start_fd, start_usec, its streams and its input and, with a tty,
 *              master_fd
 * @ret_stage   on failure: WSHD_STAGE_TTY, WSHD_STAGE_RING or WSHD_STAGE_FORK
 * Returns      0; negative errno: job_done() frees what the job has got. */
int spawn_start(const Spawn *spawn, Job *job, uint32_t *ret_stage);

/* Sets a pty's size. Returns 0; -EINVAL not 1 to 65535; errors of ioctl. */
int pty_resize(int master_fd, uint32_t rows, uint32_t columns);
