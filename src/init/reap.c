/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/child.h"
#include "init/clock.h"
#include "init/reap.h"

#define REAP_MAX 64

static void notify_requester(Server *server, Job *job)
{
        if (job->requester != JOB_NO_CLIENT)
                client_notify(&server->clients[job->requester], &server->jobs, job);
}

void reap_read_start(Server *server, Job *job)
{
        ChildError report;
        ssize_t n;

        if (job->state != JOB_STARTING || job->start_fd < 0)
                return;
        n = read(job->start_fd, &report, sizeof(report));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n == 0) {
                job_on_started(job);
                notify_requester(server, job);
        } else if (n == sizeof(report))
                job_on_start_failed(job, report.stage, report.error);
        else
                job_on_start_failed(job, WSHD_STAGE_EXEC, EIO);
}

static void notify_exit(Server *server, Job *job)
{
        for (uint32_t i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (server->clients[i].fd >= 0 && server->clients[i].is_subscribed)
                        job->exited_owed |= (uint16_t)(1U << i);
        notify_requester(server, job);
        for (uint32_t i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (job->exited_owed & 1U << i)
                        client_notify(&server->clients[i], &server->jobs, job);
}

void reap_note(Server *server, pid_t pid, int status)
{
        Job *job;

        /* A job that asks to be traced makes us its tracer, and wait then tells of its stops, too.
         * It stays stopped, which is its own affair. */
        if (!WIFEXITED(status) && !WIFSIGNALED(status))
                return;
        job = job_table_find_pid(&server->jobs, pid);
        if (!job)
                return;
        /* Its pipe may not have had its turn yet, and says whether there was a job at all. Nobody
         * else holds the other end, so nothing can come later than this. */
        reap_read_start(server, job);
        job_on_exit(job, status, clock_realtime_usec());
        if (job->state == JOB_ENDED)
                notify_exit(server, job);
        else if (job->requester != JOB_NO_CLIENT)
                notify_requester(server, job);
        else
                job_table_release(&server->jobs, job);
}

int reap_batch(Server *server)
{
        for (int i = 0; i < REAP_MAX; i++) {
                int status;
                pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

                if (pid <= 0)
                        return pid < 0 && errno == EINTR;
                reap_note(server, pid, status);
        }
        return 1;
}
