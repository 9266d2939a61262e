/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "daemon/retention.h"
#include "model/job-spec.h"

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

/* Why it ended, as far as it can be told; more than its status says. */
typedef enum JobEndReason {
        JOB_END_NONE,      /* it runs */
        JOB_END_EXITED,    /* by itself */
        JOB_END_SIGNAL,    /* somebody, or its own mistake, sent it one */
        JOB_END_OOM,       /* the kernel, for want of memory */
        JOB_END_CONTAINER, /* with its container, which was stopped or has died */
        JOB_END_LOST,      /* PID 1 does not know it any more */
        _JOB_END_MAX,
        _JOB_END_INVALID = -22,
} JobEndReason;

const char *job_end_reason_to_string(JobEndReason reason); /* "" while it runs */
JobEndReason job_end_reason_from_string(const char *s);

/* A command in a container, from SpawnJob until Release or the container's destruction. */
typedef struct Job {
        Container *container;
        uint32_t id;  /* from 1, never used twice in a container */
        char key[12]; /* the id in decimal: the last part of its object path */
        char **argv;
        char *user; /* as asked for; NULL: root */
        char *identifier;
        int is_tty;
        int has_stdin; /* somebody can attach to its stdin, a terminal or an open pipe */
        JobLog log;
        JobState state;
        JobEndReason end_reason;
        uint32_t pid; /* on the host; 0 when it has ended */
        int pidfd;
        int exit_code;   /* -1 unless JOB_EXITED */
        int exit_signal; /* 0 unless JOB_KILLED */
        int is_core_dumped;
        int is_kill_asked; /* a client sent it SIGKILL, or its container */
        int is_oom_victim; /* killed by OOMPolicy=kill */
        int is_listed;     /* PID 1 named it since the last connect */
        int is_released;   /* in released_jobs: clients have it no more, the journal is not done */
        uint64_t stdout_bytes, stderr_bytes; /* that it has written, when we last heard of it */
        int is_output_open;                  /* more may come, of descendants when it has ended */
        RetentionEntry retention;            /* while it has ended */
        uint64_t start_usec, exit_usec;      /* CLOCK_REALTIME; exit 0 while it runs */
} Job;

typedef enum JobChange {
        JOB_CHANGED_STATE = 1 << 0,  /* State, PID, ExitCode, ExitSignal, ExitTimestamp */
        JOB_CHANGED_OUTPUT = 1 << 1, /* OutputOpen */
} JobChange;

/* Signal to its main process, by pidfd. Returns 0; -ESRCH with FAULT_BAD_STATE when it has ended;
 * -EINVAL. */
int job_kill(Job *job, int signal, Fault *fault);

/* Forgets an ended job: for clients it is gone before this returns, and nobody may use the pointer
 * any more. Where warden-journal has not read all of its output yet, it and the rings that PID 1
 * has of it stay until then. -EBUSY with FAULT_BAD_STATE while it runs. */
int job_release(Job *job, Fault *fault);

/* The end of a released job: also its file, its place in the journal and PID 1's memory of it. */
void job_forget(Job *job);

/* Window size of a job with a pty, 1 to 65535 each. @func may be called from within (see
 * ReplyFunc). */
int job_resize(Job *job, uint32_t rows, uint32_t columns, void (*func)(void *, int, const Fault *),
               void *userdata, Fault *fault);

/* What a client wants of a job's streams. The rest is as WSHD_ATTACH has it. */
typedef struct JobAttach {
        int wants_stdin; /* 1: or fail; -1: when it has one that nobody is attached to; 0 */
        int wants_stdout, wants_stderr;
        int is_framed, is_stdin_kept, is_from_now, is_until_now;
        uint64_t stdout_position, stderr_position;
} JobAttach;

#define JOB_ATTACH_INIT ((JobAttach){ .wants_stdin = -1, .wants_stdout = 1, .wants_stderr = 1 })

/* @fds are stdin, stdout and stderr: pipes to and from PID 1, or /dev/null where there is nothing
 * to attach to, all three -EBADF on failure. What the function does not take out of there (take_fd)
 * is closed. Works for ended jobs until they are released.
 * Returns 0; negative errno with FAULT_INVALID, FAULT_BAD_STATE (ended or without stdin, and stdin
 * was wanted), FAULT_LIMIT. @func gets FAULT_BAD_STATE with -EBUSY when stdin is taken. */
typedef void (*JobAttachFunc)(void *userdata, int *fds, int error, const Fault *fault);
int job_attach(Job *job, const JobAttach *options, JobAttachFunc func, void *userdata,
               Fault *fault);

/* For container-*.c and restore.c. */

/* @argv, @user, @identifier   copied. Returns 0; -ENOMEM. Not in the container's map yet. */
int job_new(Container *c, uint32_t id, char *const *argv, const char *user, const char *identifier,
            Job **ret);
Job *job_free(Job *job);
DEFINE_DROP(Job, job, job_free);

/* Puts it into the map and tells the observer. Returns 0; -EEXIST; -ENOMEM. */
int job_link(Job *job);

/* A job that has ended is kept for a while; for restore.c, which does not call job_end(). */
void job_retain(Job *job);

struct WshdMessage;

/* What PID 1 says of the job's output in @m. Returns whether its being open has changed. */
int job_take_output(Job *job, const struct WshdMessage *m);

typedef struct JobEnd {
        JobState state;
        JobEndReason reason;
        int code, signal;
        uint64_t usec; /* CLOCK_REALTIME */
} JobEnd;

/* Saves the new state, then tells the observer. */
void job_end(Job *job, JobEnd end);
