/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "init/input.h"
#include "init/stream.h"
#include "wire/wshd-message.h"

/* One job as PID 1 remembers it. The record is all there is: what clients are still to be told is
 * kept as bits in it and never as a queue of messages, so that a client that does not read costs
 * nothing and loses nothing.
 *
 *                started                 exit              release
 *     STARTING ───────────► RUNNING ───────────► ENDED ─────────────► RELEASED ── last byte
 *         │  requester gone    ▲                   ▲
 *         ├────────────────────┘   exit (exec went well, but nobody had seen it yet)
 *         ├────────────────────────────────────────┘
 *         └── exit, after the child said why ──► FAILED ── the requester was told, or is gone
 *
 * RELEASED is for output only: the job has no number any more and nobody hears of it, but readers
 * get what they were attached for, and descendants can go on writing.
 *
 * STARTING lasts from clone until exec, which may take for ever: a program can lie on a file system
 * whose server is a process of the container. */

typedef enum JobState {
        JOB_FREE, /* zero, so that the pages of an unused table are never written */
        JOB_STARTING,
        JOB_RUNNING,
        JOB_ENDED,
        JOB_FAILED,
        JOB_RELEASED,
        _JOB_STATE_MAX,
} JobState;

#define JOB_NO_CLIENT UINT8_MAX

typedef struct Job {
        uint32_t id;
        uint32_t sequence; /* of the SPAWN, for its reply */
        pid_t pid;
        int pidfd;     /* until it ended and nobody waits for SPAWNED any more */
        int master_fd; /* the pty's, for as long as there is output */
        int start_fd;  /* read end: why the start failed, or end of file; STARTING only */
        uint64_t start_usec, end_usec;
        uint16_t error;       /* positive errno of a failed start */
        uint16_t exited_owed; /* bit i: client i is to be sent WSHD_EXITED */
        uint16_t output_owed; /* and then WSHD_OUTPUT */
        Stream streams[2];    /* stdout, stderr; of a job with a terminal only the first */
        Input input;
        uint8_t owner;     /* of a number from WSHD_OWN_JOBS: the client that asked, while it is
                               * connected; JOB_NO_CLIENT */
        uint8_t requester; /* the client that is owed the reply to its SPAWN, or JOB_NO_CLIENT */
        uint8_t state;
        uint8_t stage; /* WshdStage of a failed start */
        uint8_t code, signal;
        uint8_t has_core;
        uint8_t is_output_open; /* when its end was told; WSHD_OUTPUT is still to come */
} Job;

const char *job_state_to_string(JobState state);

/* A new record in state STARTING with empty fds. */
void job_init(Job *job, uint32_t id);

/* Closes what it holds; the record is JOB_FREE then. */
void job_done(Job *job);

/* The events of the table above. @status is waitpid()'s. job_on_exit() leaves FAILED without a
 * requester when nobody is to be told, and so does job_on_client_gone(): the caller frees such a
 * record. */
void job_on_started(Job *job);
void job_on_start_failed(Job *job, uint32_t stage, uint32_t error);
void job_on_exit(Job *job, int status, uint64_t now_usec);
void job_on_client_gone(Job *job, uint8_t client);
void job_on_told(Job *job); /* the requester has its reply */

/* Whether @client is to hear of it: a client's own job is nobody else's. */
int job_is_visible(const Job *job, uint8_t client);

/* Whether it has ended, and nobody is left who could release it. */
int job_is_abandoned(const Job *job);

/* From ENDED to RELEASED. */
void job_on_release(Job *job);

/* Whether the output of an ended job, which was open when its end was told, is not any more: the
 * answer is yes only once, and the caller tells whoever was told the end. */
int job_take_output_end(Job *job);

/* Flags that say which of its streams may have more, and how much there was. */
uint32_t job_get_open_flags(const Job *job);
void job_put_bytes(const Job *job, WshdMessage *m);

/* Whether output could be delivered now. */
int job_is_busy(const Job *job);

/* Whether a released job has nothing left to do. */
int job_is_over(const Job *job);

/* Whether its process still has to be waited for. */
int job_is_alive(const Job *job);

/* Whether the requester can be answered now. */
int job_has_reply(const Job *job);

/* The messages about it. @ret_fd is the job's, to be sent along but not to be closed; -EBADF when
 * none goes with the message. */
void job_to_reply(const Job *job, WshdMessage *ret, int *ret_fd);
void job_to_listed(const Job *job, WshdMessage *ret, int *ret_fd);
void job_to_exited(const Job *job, WshdMessage *ret);
void job_to_output(const Job *job, WshdMessage *ret);
