/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/attach.h"
#include "init/request.h"

#define SIGNAL_MAX 64

#define SPAWN_FLAGS                                                                  \
        (WSHD_TTY | WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD | WSHD_SPEC_FD | \
         WSHD_PRIVILEGED | WSHD_BACKPRESSURE | WSHD_OPEN_STDIN | WSHD_RING_SHRINK)

#define RING_MIN UINT64_C(4096)
#define SHRINK_SHARE 16 /* of what is left, for one ring */

static void reply_failed(Client *client, const WshdMessage *m, uint32_t stage, int error)
{
        client_reply(client,
                     &(WshdMessage){
                             .type = WSHD_FAILED,
                             .sequence = m->sequence,
                             .job = m->job,
                             .stage = stage,
                             .error = (uint32_t)-error,
                     },
                     NULL, 0);
}

static void reply(Client *client, const WshdMessage *m, int r)
{
        WshdMessage ok = { .type = WSHD_OK, .sequence = m->sequence, .job = m->job };

        if (r < 0)
                reply_failed(client, m, WSHD_STAGE_REQUEST, r);
        else
                client_reply(client, &ok, NULL, 0);
}

/* Sorts the descriptors by what the flags say of them. */
static int spawn_take_fds(Spawn *spawn, uint32_t flags, const int *fds, size_t n_fds)
{
        size_t n = 0;

        for (int i = 0; i < 3; i++)
                if (flags & WSHD_STDIN_FD << i)
                        spawn->stdio_fds[i] = n < n_fds ? fds[n++] : -EINVAL;
        if (flags & WSHD_SPEC_FD)
                spawn->spec_fd = n < n_fds ? fds[n++] : -EINVAL;
        for (int i = 0; i < 3; i++)
                if (spawn->stdio_fds[i] == -EINVAL)
                        return -EINVAL;
        return n == n_fds && spawn->spec_fd != -EINVAL ? 0 : -EINVAL;
}

static int spawn_from_message(const Server *server, const WshdMessage *m, const int *fds,
                              size_t n_fds, Spawn *ret)
{
        Spawn spawn = {
                .stdio_fds = { -EBADF, -EBADF, -EBADF },
                .spec_fd = -EBADF,
                .spec = m->spec,
                .spec_size = m->spec_size,
                .devpts_fd = server->devpts_fd,
                .is_tty = !!(m->flags & WSHD_TTY),
                .is_privileged = !!(m->flags & WSHD_PRIVILEGED),
                .has_input = !!(m->flags & WSHD_OPEN_STDIN),
                .has_backpressure = !!(m->flags & WSHD_BACKPRESSURE),
                .ring_bytes = m->ring_bytes,
        };
        int r;

        if (m->flags & ~SPAWN_FLAGS)
                return -EINVAL;
        if (spawn.is_tty && m->flags & (WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD))
                return -EINVAL;
        if (m->flags & WSHD_OPEN_STDIN && m->flags & (WSHD_STDIN_FD | WSHD_TTY))
                return -EINVAL;
        if (m->ring_bytes > WSHD_RING_MAX)
                return -EINVAL;
        if (m->rows > UINT16_MAX || m->columns > UINT16_MAX)
                return -EINVAL;
        spawn.rows = (uint16_t)m->rows;
        spawn.columns = (uint16_t)m->columns;
        r = spawn_take_fds(&spawn, m->flags, fds, n_fds);
        if (r < 0)
                return r;
        if ((spawn.spec_fd >= 0) == (m->spec_size > 0))
                return -EINVAL;
        *ret = spawn;
        return 0;
}

static uint64_t spawn_count_rings(const Spawn *spawn)
{
        if (spawn->is_tty)
                return 1;
        return (uint64_t)(spawn->stdio_fds[1] < 0) + (uint64_t)(spawn->stdio_fds[2] < 0);
}

/* Rings are not freed when the kernel kills a job for want of memory, so that there must be enough
 * beside them. Where that may be, each new ring takes a part of what is left, so that many jobs
 * find room, with ever less history. Returns 0; -EDQUOT. */
static int spawn_fit_rings(const Server *server, const WshdMessage *m, Spawn *spawn)
{
        uint64_t n = spawn->ring_bytes > 0 ? spawn_count_rings(spawn) : 0, taken, left;

        if (m->rings_max == 0 || n == 0)
                return 0;
        taken = job_table_get_ring_bytes(&server->jobs);
        left = m->rings_max > taken ? m->rings_max - taken : 0;
        if (m->flags & WSHD_RING_SHRINK)
                spawn->ring_bytes = MIN2(spawn->ring_bytes, MAX2(left / SHRINK_SHARE, RING_MIN));
        return ring_get_rounded(spawn->ring_bytes) > left / n ? -EDQUOT : 0;
}

/* No reply when all is well: it follows when the job's process has been executed, or has told why
 * not. */
static void handle_spawn(Server *server, Client *client, const WshdMessage *m, const int *fds,
                         size_t n_fds)
{
        uint32_t stage = WSHD_STAGE_REQUEST;
        Spawn spawn;
        Job *job;
        int r;

        r = spawn_from_message(server, m, fds, n_fds, &spawn);
        if (r >= 0 && m->job >= WSHD_OWN_JOBS)
                r = -EINVAL;
        if (r >= 0 && server->stop.state != STOP_NO)
                r = -ESHUTDOWN;
        if (r >= 0) {
                r = spawn_fit_rings(server, m, &spawn);
                stage = r < 0 ? WSHD_STAGE_RING : WSHD_STAGE_REQUEST;
        }
        if (r >= 0)
                r = job_table_acquire(&server->jobs, m->job, &job);
        if (r < 0) {
                reply_failed(client, m, stage, r);
                return;
        }
        r = server->ops->start(&spawn, job, &stage);
        if (r < 0) {
                job_table_release(&server->jobs, job);
                reply_failed(client, m, stage, r);
                return;
        }
        job->sequence = m->sequence;
        job->requester = client->index;
        if (m->job == 0)
                job->owner = client->index;
}

static void handle_kill(Server *server, Client *client, const WshdMessage *m)
{
        const Job *job = job_table_find(&server->jobs, m->job);
        int r;

        if (m->signal == 0 || m->signal > SIGNAL_MAX)
                r = -EINVAL;
        else if (!job)
                r = -ENOENT;
        else if (!job_is_alive(job))
                r = -ESRCH;
        else
                r = server->ops->signal_job(job, (int)m->signal);
        reply(client, m, r);
}

static void handle_kill_all(Server *server, Client *client, const WshdMessage *m)
{
        int r = -EINVAL;

        if (m->signal > 0 && m->signal <= SIGNAL_MAX)
                r = server->ops->signal_all(&server->jobs, (int)m->signal);
        reply(client, m, r);
}

static void handle_resize(Server *server, Client *client, const WshdMessage *m)
{
        const Job *job = job_table_find(&server->jobs, m->job);
        int r;

        if (!job)
                r = -ENOENT;
        else if (job->master_fd < 0)
                r = -ENOTTY;
        else
                r = pty_resize(job->master_fd, m->rows, m->columns);
        reply(client, m, r);
}

static void handle_attach(Server *server, Client *client, const WshdMessage *m)
{
        Job *job = job_table_find(&server->jobs, m->job);
        WshdMessage ok = { .type = WSHD_OK, .sequence = m->sequence, .job = m->job };
        int fds[CLIENT_REPLY_FDS], r = -ENOENT;

        if (job)
                r = attach_job(server, job, m, &ok.flags, fds);
        if (r < 0) {
                reply_failed(client, m, WSHD_STAGE_REQUEST, r);
                return;
        }
        job_put_bytes(job, &ok);
        client_reply(client, &ok, fds, (size_t)r);
}

static void handle_release(Server *server, Client *client, const WshdMessage *m)
{
        Job *job = job_table_find(&server->jobs, m->job);
        int r = 0;

        if (!job)
                r = -ENOENT;
        else if (job->state != JOB_ENDED || job->requester != JOB_NO_CLIENT)
                r = -EBUSY;
        else
                job_table_retire(&server->jobs, job);
        reply(client, m, r);
}

static void handle_stop(Server *server, Client *client, const WshdMessage *m)
{
        server_stop(server, m->usec);
        reply(client, m, 0);
}

static void handle_message(Server *server, Client *client, const WshdMessage *m, const int *fds,
                           size_t n_fds)
{
        if (n_fds > 0 && m->type != WSHD_SPAWN) {
                reply_failed(client, m, WSHD_STAGE_REQUEST, -EINVAL);
                return;
        }
        switch (m->type) {
        case WSHD_HELLO:
                client->is_subscribed = !!(m->flags & WSHD_SUBSCRIBE);
                client_list(client, m->sequence);
                return;
        case WSHD_SPAWN:
                handle_spawn(server, client, m, fds, n_fds);
                return;
        case WSHD_KILL:
                handle_kill(server, client, m);
                return;
        case WSHD_KILL_ALL:
                handle_kill_all(server, client, m);
                return;
        case WSHD_RESIZE:
                handle_resize(server, client, m);
                return;
        case WSHD_ATTACH:
                handle_attach(server, client, m);
                return;
        case WSHD_RELEASE:
                handle_release(server, client, m);
                return;
        case WSHD_STOP:
                handle_stop(server, client, m);
                return;
        default:
                reply_failed(client, m, WSHD_STAGE_REQUEST, -EOPNOTSUPP);
        }
}

void request_refuse(Client *client, const uint8_t *data, int error)
{
        WshdMessage m = { .sequence = (uint32_t)data[4] | (uint32_t)data[5] << 8 |
                                      (uint32_t)data[6] << 16 | (uint32_t)data[7] << 24 };

        reply_failed(client, &m, WSHD_STAGE_REQUEST, error);
}

void request_handle(Server *server, Client *client, const uint8_t *data, size_t size,
                    const int *fds, size_t n_fds)
{
        uint8_t header[WSHD_HEADER] = { 0 };
        WshdMessage m;
        int r;

        r = wshd_message_decode(data, size, &m);
        if (r >= 0) {
                handle_message(server, client, &m, fds, n_fds);
                return;
        }
        memcpy(header, data, MIN2(size, sizeof(header)));
        request_refuse(client, header, r);
}
