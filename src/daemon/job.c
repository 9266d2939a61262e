/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "daemon/container-freeze.h"
#include "daemon/journal-pool.h"
#include "daemon/manager.h"
#include "daemon/process.h"
#include "daemon/store.h"
#include "daemon/wshd-client.h"
#include "daemon/wshd-request.h"

static const char *const state_table[_JOB_STATE_MAX] = {
        [JOB_RUNNING] = "running",
        [JOB_EXITED] = "exited",
        [JOB_KILLED] = "killed",
        [JOB_LOST] = "lost",
};

const char *job_state_to_string(JobState state)
{
        return state >= 0 && state < _JOB_STATE_MAX ? state_table[state] : NULL;
}

static const char *const end_reason_table[_JOB_END_MAX] = {
        [JOB_END_NONE] = "",   [JOB_END_EXITED] = "exited",       [JOB_END_SIGNAL] = "signal",
        [JOB_END_OOM] = "oom", [JOB_END_CONTAINER] = "container", [JOB_END_LOST] = "lost",
};

const char *job_end_reason_to_string(JobEndReason reason)
{
        return (int)reason >= 0 && reason < _JOB_END_MAX ? end_reason_table[reason] : NULL;
}

JobEndReason job_end_reason_from_string(const char *s)
{
        for (int i = 0; i < _JOB_END_MAX; i++)
                if (strcmp(end_reason_table[i], s) == 0)
                        return (JobEndReason)i;
        return _JOB_END_INVALID;
}

int job_new(Container *c, uint32_t id, char *const *argv, const char *user, const char *identifier,
            Job **ret)
{
        _drop_(drop_job) Job *job = calloc(1, sizeof(*job));
        int r;

        if (!job)
                return -ENOMEM;
        *job = (Job){
                .container = c, .id = id, .pidfd = -EBADF, .state = JOB_RUNNING, .exit_code = -1
        };
        job->start_usec = io_now_realtime_usec();
        (void)snprintf(job->key, sizeof(job->key), "%u", id);
        r = strv_copy(argv, &job->argv);
        if (r < 0)
                return r;
        if (user && !(job->user = strdup(user)))
                return -ENOMEM;
        job->identifier = strdup(identifier ? identifier : argv[0]);
        if (!job->identifier)
                return -ENOMEM;
        *ret = take_ptr(job);
        return 0;
}

Job *job_free(Job *job)
{
        if (!job)
                return NULL;
        if (map_get(job->container->jobs, job->key) == job)
                map_remove(job->container->jobs, job->key);
        if (map_get(job->container->released_jobs, job->key) == job)
                map_remove(job->container->released_jobs, job->key);
        if (job->container->manager->journal)
                journal_pool_forget(job->container->manager->journal, job);
        if (job->container->manager->retention)
                retention_remove(job->container->manager->retention, &job->retention);
        fd_close(job->pidfd);
        strv_free(job->argv);
        free(job->user);
        free(job->identifier);
        free(job);
        return NULL;
}

int job_link(Job *job)
{
        Container *c = job->container;
        const ManagerObserver *observer = &c->manager->observer;
        int r;

        r = map_put(c->jobs, job->key, job);
        if (r < 0)
                return r;
        if (c->is_announced && observer->job_added)
                observer->job_added(observer->userdata, job);
        container_changed(c, CONTAINER_CHANGED_JOBS);
        return 0;
}

/* The retention's clock does not jump; the time of the end, which may be of an earlier life of the
 * daemon, is of the one that does. */
void job_retain(Job *job)
{
        Container *c = job->container;
        uint64_t now_usec = io_now_realtime_usec(), monotonic_usec = io_now_monotonic_usec();
        uint64_t age_usec = now_usec > job->exit_usec ? now_usec - job->exit_usec : 0;

        retention_add(c->manager->retention, &c->ended_jobs, &job->retention,
                      monotonic_usec > age_usec ? monotonic_usec - age_usec : 0);
}

int job_take_output(Job *job, const WshdMessage *m)
{
        int was_open = job->is_output_open;

        job->stdout_bytes = MAX2(job->stdout_bytes, m->stdout_bytes);
        job->stderr_bytes = MAX2(job->stderr_bytes, m->stderr_bytes);
        job->is_output_open = !!(m->flags & (WSHD_STDOUT_OPEN | WSHD_STDERR_OPEN));
        return job->is_output_open != was_open;
}

void job_end(Job *job, JobEnd end)
{
        Container *c = job->container;
        const ManagerObserver *observer = &c->manager->observer;
        int r;

        job->state = end.state;
        job->end_reason = end.reason;
        job->exit_code = end.state == JOB_EXITED ? end.code : -1;
        job->exit_signal = end.state == JOB_KILLED ? end.signal : 0;
        job->exit_usec = end.usec;
        job->pid = 0;
        job->pidfd = fd_close(job->pidfd);
        r = store_save_job(job);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Failed to save the end of a job");
        job_retain(job);
        if (!c->is_announced)
                return;
        if (observer->job_changed)
                observer->job_changed(observer->userdata, job, JOB_CHANGED_STATE);
        if (observer->job_exited)
                observer->job_exited(observer->userdata, job);
}

int job_kill(Job *job, int signal, Fault *fault)
{
        int r;

        if (signal < 1 || signal > SIGRTMAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "signal: %d is not between 1 and %d", signal, SIGRTMAX);
        if (job->state != JOB_RUNNING)
                return fault_set(fault, FAULT_BAD_STATE, -ESRCH, "Job %u has ended", job->id);
        r = process_signal(job->pidfd, signal);
        if (r == -ESRCH) /* it ended a moment ago; its status is on the way */
                return fault_set(fault, FAULT_BAD_STATE, r, "Job %u has ended", job->id);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot signal job %u: %m", job->id);
        if (signal == SIGKILL)
                job->is_kill_asked = 1;
        return 0;
}

void job_forget(Job *job)
{
        WshdMessage m = { .type = WSHD_RELEASE, .job = job->id };
        Container *c = job->container;
        int r;

        r = store_forget_job(job);
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL, "Failed to forget a job");
        journal_pool_remove_place(job);
        /* A PID 1 that cannot be reached now is told when it lists the job again. */
        if (c->wshd)
                (void)wshd_client_call(c->wshd, &m, NULL, 0, NULL, NULL);
        job_free(job);
}

/* Saved as what it is from now on: no client sees it again, whatever happens to us. */
static int set_released(Job *job)
{
        Container *c = job->container;
        int r;

        job->is_released = 1;
        r = map_put(c->released_jobs, job->key, job);
        if (r >= 0)
                r = journal_pool_is_done(c->manager->journal, job) ? store_forget_job(job)
                                                                   : store_save_job(job);
        if (r < 0) {
                map_remove(c->released_jobs, job->key);
                job->is_released = 0;
        }
        return r;
}

int job_release(Job *job, Fault *fault)
{
        Container *c = job->container;
        const ManagerObserver *observer = &c->manager->observer;
        int r;

        if (job->state == JOB_RUNNING)
                return fault_set(fault, FAULT_BAD_STATE, -EBUSY,
                                 "Job %u is still running; kill it first", job->id);
        r = set_released(job);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot forget job %u: %m", job->id);
        map_remove(c->jobs, job->key);
        retention_remove(c->manager->retention, &job->retention);
        if (c->is_announced && observer->job_removed)
                observer->job_removed(observer->userdata, job);
        if (journal_pool_is_done(c->manager->journal, job))
                job_forget(job);
        container_changed(c, CONTAINER_CHANGED_JOBS);
        return 0;
}

static int job_check_tty(const Job *job, Fault *fault)
{
        if (!job->is_tty)
                return fault_set(fault, FAULT_BAD_STATE, -ENOTTY, "Job %u has no terminal",
                                 job->id);
        if (job->state != JOB_RUNNING)
                return fault_set(fault, FAULT_BAD_STATE, -ESRCH, "Job %u has ended", job->id);
        return 0;
}

int job_resize(Job *job, uint32_t rows, uint32_t columns, ReplyFunc func, void *userdata,
               Fault *fault)
{
        WshdMessage m = { .type = WSHD_RESIZE, .job = job->id, .rows = rows, .columns = columns };
        WshdRequest request = { .func = func,
                                .userdata = userdata,
                                .what = "Cannot resize the terminal" };
        int r;

        if (rows < 1 || rows > UINT16_MAX || columns < 1 || columns > UINT16_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "TTYSize: %u rows by %u columns is not between 1 and 65535", rows,
                                 columns);
        r = job_check_tty(job, fault);
        if (r >= 0)
                r = container_check_awake(job->container, "resize the terminal", fault);
        return r < 0 ? r : wshd_request(job->container, &m, request, fault);
}
