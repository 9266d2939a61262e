/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/child.h"
#include "init/clock.h"
#include "init/reap.h"

#define REAP_MAX 64
#define DRAIN_MAX 8 /* turns' worth of output */

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

/* Who asked for a job of its own hears of its end in any case. */
static int is_to_be_told(const Job *job, const Client *client)
{
        if (client->fd < 0 || !job_is_visible(job, client->index))
                return 0;
        return client->is_subscribed || job->owner == client->index;
}

static void notify_exit(Server *server, Job *job)
{
        for (uint32_t i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (is_to_be_told(job, &server->clients[i]))
                        job->exited_owed |= (uint16_t)(1U << i);
        notify_requester(server, job);
        for (uint32_t i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (job->exited_owed & 1U << i)
                        client_notify(&server->clients[i], &server->jobs, job);
}

void reap_note_output(Server *server, Job *job)
{
        if (!job_take_output_end(job))
                return;
        for (uint32_t i = 0; i < WSHD_CLIENTS_MAX; i++) {
                if (!is_to_be_told(job, &server->clients[i]))
                        continue;
                job->output_owed |= (uint16_t)(1U << i);
                client_notify(&server->clients[i], &server->jobs, job);
        }
}

/* What the job wrote before its end is in its pipe: it belongs into the count that goes with the
 * news, and on its way to readers. It may also be without end, when others write, too. */
static void drain_output(Job *job)
{
        for (size_t k = 0; k < ELEMENTSOF(job->streams); k++)
                for (int i = 0; i < DRAIN_MAX && stream_wants_source(&job->streams[k]); i++)
                        if (!stream_on_source(&job->streams[k]))
                                break;
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
        drain_output(job);
        job_on_exit(job, status, clock_realtime_usec());
        if (job->state == JOB_ENDED)
                notify_exit(server, job);
        else if (job->requester != JOB_NO_CLIENT)
                notify_requester(server, job);
        else
                job_table_release(&server->jobs, job);
        if (job_is_abandoned(job))
                job_table_retire(&server->jobs, job);
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
