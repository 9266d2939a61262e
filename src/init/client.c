/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "init/client.h"

#define FLUSH_MAX 256 /* messages in one go */

void client_init(Client *client, uint8_t index, int take_fd)
{
        *client = (Client){ .fd = take_fd, .index = index };
}

static void client_clear_reply(Client *client)
{
        for (size_t i = 0; i < client->n_reply_fds; i++)
                fd_close(client->reply_fds[i]);
        client->reply = (WshdMessage){ 0 };
        client->n_reply_fds = 0;
}

/* A child between fork and exec may hold a copy of the socket for a moment, or for long when
 * somebody stops it there; only shutdown makes sure that the other side sees the end. */
void client_done(Client *client)
{
        if (client->fd >= 0)
                (void)shutdown(client->fd, SHUT_RDWR);
        fd_close(client->fd);
        client_clear_reply(client);
        client_init(client, client->index, -EBADF);
}

/* Returns 0; negative errno. */
static int client_send_once(const Client *client, const WshdMessage *m, const int *fds,
                            size_t n_fds)
{
        uint8_t buffer[256];
        int size = wshd_message_encode(m, buffer, sizeof(buffer));

        return size < 0 ? size : wshd_send(client->fd, buffer, (size_t)size, fds, n_fds);
}

/* The kernel bounds the descriptors that a user has in flight, and jobs of the container's root
 * count against the same bound: they must not be able to silence us. A pidfd is a convenience, but
 * who is attached to something must have it in hand. */
static int client_send_without(const Client *client, const WshdMessage *m)
{
        WshdMessage failed = {
                .type = WSHD_FAILED,
                .sequence = m->sequence,
                .job = m->job,
                .stage = WSHD_STAGE_REQUEST,
                .error = ETOOMANYREFS,
        };

        return client_send_once(client, m->type == WSHD_OK ? &failed : m, NULL, 0);
}

/* Returns 1 sent; 0 the socket is full, or the connection is no more. */
static int client_send(Client *client, const WshdMessage *m, const int *fds, size_t n_fds)
{
        int r;

        if (client->is_blocked || client->is_broken)
                return 0;
        r = client_send_once(client, m, fds, n_fds);
        if (r == -ETOOMANYREFS)
                r = client_send_without(client, m);
        if (r == -EAGAIN)
                client->is_blocked = 1;
        else if (r < 0)
                client->is_broken = 1;
        return r >= 0;
}

void client_reply(Client *client, const WshdMessage *m, const int *take_fds, size_t n_fds)
{
        client->reply = *m;
        client->n_reply_fds = (uint8_t)n_fds;
        for (size_t i = 0; i < n_fds; i++)
                client->reply_fds[i] = take_fds[i];
        if (client_send(client, m, client->reply_fds, n_fds))
                client_clear_reply(client);
}

static int client_flush_reply(Client *client)
{
        if (client->reply.type == 0)
                return 1;
        if (!client_send(client, &client->reply, client->reply_fds, client->n_reply_fds))
                return 0;
        client_clear_reply(client);
        return 1;
}

void client_list(Client *client, uint32_t sequence)
{
        client->list = CLIENT_LIST_READY;
        client->list_sequence = sequence;
        client->list_cursor = 0;
}

static void client_forget_owed(const Client *client, Job *job)
{
        job->exited_owed &= (uint16_t) ~(1U << client->index);
        job->output_owed &= (uint16_t) ~(1U << client->index);
}

/* A job that is starting is not listed: whether there will be one, its requester is told first. */
static int client_list_job(Client *client, Job *job)
{
        WshdMessage m;
        int fd;

        if (job->state != JOB_RUNNING && job->state != JOB_ENDED)
                return 1;
        if (!job_is_visible(job, client->index))
                return 1;
        job_to_listed(job, &m, &fd);
        m.sequence = client->list_sequence;
        if (!client_send(client, &m, &fd, fd >= 0))
                return 0;
        if (job->state == JOB_ENDED)
                client_forget_owed(client, job);
        return 1;
}

static int client_list_mark(Client *client, uint32_t type)
{
        return client_send(
                client, &(WshdMessage){ .type = type, .sequence = client->list_sequence }, NULL, 0);
}

/* Returns 1 when the list is complete. */
static int client_flush_list(Client *client, JobTable *jobs)
{
        if (client->list == CLIENT_LIST_NONE)
                return 1;
        if (client->list == CLIENT_LIST_READY) {
                if (!client_list_mark(client, WSHD_READY))
                        return 0;
                client->list = CLIENT_LIST_JOBS;
        }
        for (int i = 0; client->list_cursor < jobs->n_slots; client->list_cursor++, i++)
                if (i >= FLUSH_MAX || !client_list_job(client, &jobs->slots[client->list_cursor]))
                        return 0;
        if (!client_list_mark(client, WSHD_JOBS_END))
                return 0;
        client->list = CLIENT_LIST_NONE;
        return 1;
}

/* The reply to its spawn always comes before its end. Returns 1 when nothing is left to say. */
static int client_tell(Client *client, JobTable *jobs, Job *job)
{
        WshdMessage m;
        int fd;

        if (job->requester == client->index && job_has_reply(job)) {
                job_to_reply(job, &m, &fd);
                if (!client_send(client, &m, &fd, fd >= 0))
                        return 0;
                if (job->state == JOB_FAILED) {
                        job_table_release(jobs, job);
                        return 1;
                }
                job_on_told(job);
        }
        if (job->exited_owed & 1U << client->index) {
                job_to_exited(job, &m);
                if (!client_send(client, &m, NULL, 0))
                        return 0;
                job->exited_owed &= (uint16_t) ~(1U << client->index);
        }
        if (job->output_owed & 1U << client->index) {
                job_to_output(job, &m);
                if (!client_send(client, &m, NULL, 0))
                        return 0;
                job->output_owed &= (uint16_t) ~(1U << client->index);
        }
        return 1;
}

void client_notify(Client *client, JobTable *jobs, Job *job)
{
        if (!client_may_read(client) || !client_tell(client, jobs, job))
                client->is_owed = 1;
}

static void client_flush_jobs(Client *client, JobTable *jobs)
{
        if (!client->is_owed)
                return;
        for (uint32_t i = 0; i < jobs->n_slots; i++)
                if (!client_tell(client, jobs, &jobs->slots[i]))
                        return;
        client->is_owed = 0;
}

void client_flush(Client *client, JobTable *jobs)
{
        client->is_blocked = 0;
        if (client_flush_reply(client) && client_flush_list(client, jobs))
                client_flush_jobs(client, jobs);
}

int client_may_read(const Client *client)
{
        return client->reply.type == 0 && client->list == CLIENT_LIST_NONE && !client->is_broken;
}

int client_has_more(const Client *client)
{
        return !client_may_read(client) || client->is_owed;
}
