/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/wait.h>

#include "basic/fd.h"
#include "init/job.h"

const char *job_state_to_string(JobState state)
{
        switch (state) {
        case JOB_FREE:
                return "free";
        case JOB_STARTING:
                return "starting";
        case JOB_RUNNING:
                return "running";
        case JOB_ENDED:
                return "ended";
        case JOB_FAILED:
                return "failed";
        case JOB_RELEASED:
                return "released";
        case _JOB_STATE_MAX:
                break;
        }
        return "unknown";
}

void job_init(Job *job, uint32_t id)
{
        *job = (Job){
                .id = id,
                .pidfd = -EBADF,
                .master_fd = -EBADF,
                .start_fd = -EBADF,
                .streams = { STREAM_INIT, STREAM_INIT },
                .input = INPUT_INIT,
                .owner = JOB_NO_CLIENT,
                .requester = JOB_NO_CLIENT,
                .state = JOB_STARTING,
        };
}

void job_done(Job *job)
{
        if (job->state != JOB_FREE) {
                stream_done(&job->streams[0]);
                stream_done(&job->streams[1]);
                input_done(&job->input);
                fd_close(job->pidfd);
                fd_close(job->master_fd);
                fd_close(job->start_fd);
        }
        memset(job, 0, sizeof(*job));
}

void job_on_started(Job *job)
{
        if (job->state != JOB_STARTING)
                return;
        job->start_fd = fd_close(job->start_fd);
        job->state = JOB_RUNNING;
}

/* The record stays STARTING until the process is reaped: a client that hears of the failure may use
 * the job's number again at once, so the number must be free by then. */
void job_on_start_failed(Job *job, uint32_t stage, uint32_t error)
{
        if (job->state != JOB_STARTING)
                return;
        job->start_fd = fd_close(job->start_fd);
        job->stage = stage > WSHD_STAGE_NONE && stage < _WSHD_STAGE_MAX ? (uint8_t)stage
                                                                        : WSHD_STAGE_EXEC;
        job->error = error > 0 && error < 4096 ? (uint16_t)error : EIO;
}

void job_on_exit(Job *job, int status, uint64_t now_usec)
{
        if (!job_is_alive(job))
                return;
        job->start_fd = fd_close(job->start_fd);
        job->end_usec = now_usec;
        job->code = WIFEXITED(status) ? (uint8_t)WEXITSTATUS(status) : 0;
        job->signal = WIFSIGNALED(status) ? (uint8_t)WTERMSIG(status) : 0;
        job->has_core = WIFSIGNALED(status) && WCOREDUMP(status);
        job->state = job->stage != WSHD_STAGE_NONE ? JOB_FAILED : JOB_ENDED;
        job->is_output_open = job->state == JOB_ENDED && job_get_open_flags(job);
        if (job->requester == JOB_NO_CLIENT)
                job->pidfd = fd_close(job->pidfd);
}

/* A job whose requester went away before its start was certain counts as running from then on, so
 * that the requester's next life finds it in the list; a start that fails after that is seen as an
 * exit with the shell's codes, which the child uses for the purpose. */
void job_on_client_gone(Job *job, uint8_t client)
{
        job->exited_owed &= (uint16_t) ~(1U << client);
        job->output_owed &= (uint16_t) ~(1U << client);
        if (job->owner == client)
                job->owner = JOB_NO_CLIENT;
        if (job->requester != client)
                return;
        job_on_told(job);
        if (job->state == JOB_STARTING) {
                job->stage = WSHD_STAGE_NONE;
                job_on_started(job);
        }
}

void job_on_told(Job *job)
{
        job->requester = JOB_NO_CLIENT;
        if (job->state == JOB_ENDED)
                job->pidfd = fd_close(job->pidfd);
}

void job_on_release(Job *job)
{
        job->state = JOB_RELEASED;
        job->exited_owed = 0;
        job->output_owed = 0;
        job->is_output_open = 0;
        input_done(&job->input);
        stream_forget(&job->streams[0]);
        stream_forget(&job->streams[1]);
}

int job_is_visible(const Job *job, uint8_t client)
{
        return job->id < WSHD_OWN_JOBS || job->owner == client;
}

int job_is_abandoned(const Job *job)
{
        return job->id >= WSHD_OWN_JOBS && job->state == JOB_ENDED && job->owner == JOB_NO_CLIENT &&
               job->requester == JOB_NO_CLIENT;
}

int job_is_busy(const Job *job)
{
        return job->state != JOB_FREE &&
               (stream_is_busy(&job->streams[0]) || stream_is_busy(&job->streams[1]));
}

int job_is_over(const Job *job)
{
        return job->state == JOB_RELEASED && !stream_is_live(&job->streams[0]) &&
               !stream_is_live(&job->streams[1]);
}

int job_is_alive(const Job *job)
{
        return job->state == JOB_STARTING || job->state == JOB_RUNNING;
}

int job_has_reply(const Job *job)
{
        return job->requester != JOB_NO_CLIENT && job->state != JOB_STARTING &&
               job->state != JOB_FREE && job->state != JOB_RELEASED;
}

void job_to_reply(const Job *job, WshdMessage *ret, int *ret_fd)
{
        *ret = (WshdMessage){ .sequence = job->sequence, .job = job->id };
        *ret_fd = -EBADF;
        if (job->state == JOB_FAILED) {
                ret->type = WSHD_FAILED;
                ret->stage = job->stage;
                ret->error = job->error;
                return;
        }
        ret->type = WSHD_SPAWNED;
        ret->pid = (uint32_t)job->pid;
        ret->start_usec = job->start_usec;
        ret->flags |= job_get_open_flags(job);
        *ret_fd = job->pidfd;
}

uint32_t job_get_open_flags(const Job *job)
{
        return (stream_is_open(&job->streams[0]) ? WSHD_STDOUT_OPEN : 0) |
               (stream_is_open(&job->streams[1]) ? WSHD_STDERR_OPEN : 0);
}

void job_put_bytes(const Job *job, WshdMessage *m)
{
        m->stdout_bytes = stream_get_bytes(&job->streams[0]);
        m->stderr_bytes = stream_get_bytes(&job->streams[1]);
        m->flags |= job_get_open_flags(job);
}

int job_take_output_end(Job *job)
{
        if (!job->is_output_open || job_get_open_flags(job))
                return 0;
        job->is_output_open = 0;
        return 1;
}

static void job_put_end(const Job *job, WshdMessage *m)
{
        m->code = job->code;
        m->signal = job->signal;
        m->end_usec = job->end_usec;
        if (job->has_core)
                m->flags |= WSHD_CORE;
}

void job_to_listed(const Job *job, WshdMessage *ret, int *ret_fd)
{
        *ret = (WshdMessage){
                .type = WSHD_JOB,
                .job = job->id,
                .pid = (uint32_t)job->pid,
                .start_usec = job->start_usec,
        };
        *ret_fd = -EBADF;
        job_put_bytes(job, ret);
        if (job->state == JOB_ENDED) {
                ret->flags |= WSHD_JOB_ENDED;
                job_put_end(job, ret);
        } else
                *ret_fd = job->pidfd;
}

void job_to_exited(const Job *job, WshdMessage *ret)
{
        *ret = (WshdMessage){ .type = WSHD_EXITED, .job = job->id };
        job_put_bytes(job, ret);
        job_put_end(job, ret);
}

void job_to_output(const Job *job, WshdMessage *ret)
{
        *ret = (WshdMessage){ .type = WSHD_OUTPUT, .job = job->id };
        job_put_bytes(job, ret);
}
