/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

typedef struct Container Container;

typedef enum JobState {
        JOB_RUNNING,
        JOB_EXITED, /* exit_code is valid */
        JOB_KILLED, /* exit_signal is valid */
        JOB_LOST,   /* its container ended, and nobody could tell its status */
        _JOB_STATE_MAX,
        _JOB_STATE_INVALID = -22,
} JobState;

const char *job_state_to_string(JobState state);

/* A command in a container, from SpawnJob until Release or the container's destruction. */
typedef struct Job {
        Container *container;
        uint32_t id;  /* from 1, never used twice in a container */
        char key[12]; /* the id in decimal: the last part of its object path */
        char **argv;
        char *user; /* as asked for; NULL: root */
        char *identifier;
        int is_tty;
        JobState state;
        uint32_t pid; /* on the host; 0 when it has ended */
        int pidfd;
        int exit_code;   /* -1 unless JOB_EXITED */
        int exit_signal; /* 0 unless JOB_KILLED */
        int is_core_dumped;
        int is_listed;                  /* PID 1 named it since the last connect */
        uint64_t start_usec, exit_usec; /* CLOCK_REALTIME; exit 0 while it runs */
} Job;

typedef enum JobChange {
        JOB_CHANGED_STATE = 1 << 0, /* State, PID, ExitCode, ExitSignal, ExitTimestamp */
} JobChange;

/* Signal to its main process, by pidfd. Returns 0; -ESRCH with FAULT_BAD_STATE when it has ended;
 * -EINVAL. */
int job_kill(Job *job, int signal, Fault *fault);

/* Forgets an ended job: the object is freed before this returns. -EBUSY with FAULT_BAD_STATE while
 * it runs. */
int job_release(Job *job, Fault *fault);

/* Window size of a job with a pty, 1 to 65535 each. @func may be called from within (see
 * ReplyFunc). */
int job_resize(Job *job, uint32_t rows, uint32_t columns, void (*func)(void *, int, const Fault *),
               void *userdata, Fault *fault);

/* A new descriptor of the pty's master, given to @func, which owns it (-EBADF on failure).
 * FAULT_BAD_STATE when the job has no pty. */
typedef void (*JobAttachFunc)(void *userdata, int take_master_fd, int error, const Fault *fault);
int job_attach(Job *job, JobAttachFunc func, void *userdata, Fault *fault);

/* For container-*.c and restore.c. */

/* @argv, @user, @identifier   copied. Returns 0; -ENOMEM. Not in the container's map yet. */
int job_new(Container *c, uint32_t id, char *const *argv, const char *user, const char *identifier,
            Job **ret);
Job *job_free(Job *job);
DEFINE_DROP(Job, job, job_free);

/* Puts it into the map and tells the observer. Returns 0; -EEXIST; -ENOMEM. */
int job_link(Job *job);

/* Saves the new state, then tells the observer. */
void job_end(Job *job, JobState state, int code, int signal, uint64_t usec);
