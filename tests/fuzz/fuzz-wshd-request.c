/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a PID 1 in short: clients say anything and read or do not, processes start, fail and
 * end, connections come and go, in any order that the input says. After each step its books are
 * right: what is owed is owed to somebody who is there, and what was said can be read.
 *
 * The input is a sequence of steps: a byte that says what and to whom, and, for a datagram, a byte
 * for its size, a byte for its descriptors, and the datagram. */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "fuzz.h"
#include "init/reap.h"
#include "init/request.h"

#define N_CLIENTS 3
#define N_STEPS_MAX 512

typedef struct World {
        Server *server;
        int peers[N_CLIENTS];
} World;

static int fake_start(const Spawn *spawn, Job *job, uint32_t *ret_stage)
{
        static int next_pid = 1000;

        for (int i = 0; i < 3; i++)
                PROMISE(spawn->stdio_fds[i] == -EBADF || spawn->stdio_fds[i] >= 60);
        PROMISE((spawn->spec_fd >= 60) != (spawn->spec_size > 0));
        if (spawn->rows == 13) {
                *ret_stage = WSHD_STAGE_FORK;
                return -EAGAIN;
        }
        job->pid = next_pid++;
        return 0;
}

static int fake_signal_job(const Job *job, int signal)
{
        PROMISE(job_is_alive(job) && signal > 0 && signal <= 64);
        return 0;
}

static int fake_signal_all(const JobTable *jobs, int signal)
{
        PROMISE(signal > 0 && signal <= 64);
        return 0;
}

static int fake_is_alone(const JobTable *jobs)
{
        return !job_table_is_alive(jobs);
}

static const ProcessOps fake_ops = {
        .start = fake_start,
        .signal_job = fake_signal_job,
        .signal_all = fake_signal_all,
        .is_alone = fake_is_alone,
};

static void connect_client(World *world, uint8_t i)
{
        int pair[2], size = 4608; /* the kernel's least: full soon */

        PROMISE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        client_init(&world->server->clients[i], i, pair[0]);
        world->peers[i] = pair[1];
}

static void drop_client(World *world, uint8_t i)
{
        server_drop_client(world->server, &world->server->clients[i]);
        world->peers[i] = fd_close(world->peers[i]);
}

/* Reads all that there is for a client, and lets wshd go on. */
static void drain(World *world, uint8_t i)
{
        Client *client = &world->server->clients[i];
        uint8_t buffer[WSHD_MESSAGE_MAX];
        WshdMessage m;
        ssize_t n;

        do {
                while ((n = recv(world->peers[i], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
                        PROMISE(wshd_message_decode(buffer, (size_t)n, &m) == 0);
                        PROMISE(m.type >= WSHD_READY && m.type < _WSHD_TYPE_MAX);
                        PROMISE(m.type != WSHD_FAILED || (m.error > 0 && m.stage > 0));
                        PROMISE(m.type != WSHD_EXITED || m.sequence == 0);
                }
                if (client_has_more(client))
                        client_flush(client, &world->server->jobs);
        } while (client_has_more(client));
}

static void say(World *world, uint8_t i, const uint8_t *data, size_t size, size_t n_fds)
{
        static const int fds[WSHD_FDS_MAX] = { 60, 61, 62, 63 };
        Client *client = &world->server->clients[i];

        if (!client_may_read(client) || size == 0)
                return;
        request_handle(world->server, client, data, size, fds, n_fds % (WSHD_FDS_MAX + 1));
        if (client_has_more(client) && !client->is_blocked)
                client_flush(client, &world->server->jobs);
}

/* The slot's process starts well or badly, or ends; or it does nothing of the kind. */
static void happen(World *world, uint8_t what, uint8_t slot)
{
        Server *server = world->server;
        Job *job = &server->jobs.slots[slot];
        int pair[2];

        if (!job_is_alive(job))
                return;
        if (job->state == JOB_STARTING && job->stage == 0) {
                uint32_t report[2] = { what >> 4, slot };

                PROMISE(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
                job->start_fd = pair[0];
                if (what & 8)
                        PROMISE(write(pair[1], report, sizeof(report) - (what >> 7)) > 0);
                fd_close(pair[1]);
        }
        if (what & 16)
                reap_note(server, job->pid, what & 32 ? slot : slot << 8);
        else
                reap_read_start(server, job);
}

static void check_books(const World *world)
{
        const Server *server = world->server;

        PROMISE(server->jobs.n_slots <= WSHD_JOBS_MAX);
        for (uint32_t i = 0; i < server->jobs.n_slots; i++) {
                const Job *job = &server->jobs.slots[i];
                uint8_t requester = job->requester;

                PROMISE(job->state < _JOB_STATE_MAX);
                if (job->state == JOB_FREE)
                        continue;
                PROMISE(requester == JOB_NO_CLIENT || server->clients[requester].fd >= 0);
                PROMISE(job->state != JOB_FAILED || requester != JOB_NO_CLIENT);
                PROMISE(job->state != JOB_STARTING || requester != JOB_NO_CLIENT);
                PROMISE(job->exited_owed == 0 || job->state == JOB_ENDED);
                PROMISE(job->exited_owed < 1 << N_CLIENTS);
                for (uint32_t k = 0; k < i; k++)
                        PROMISE(server->jobs.slots[k].state == JOB_FREE ||
                                server->jobs.slots[k].id != job->id);
                for (int k = 0; k < N_CLIENTS; k++)
                        if (job->exited_owed & 1 << k || (requester == k && job_has_reply(job)))
                                PROMISE(client_has_more(&server->clients[k]));
        }
        PROMISE(server->jobs.n_slots == 0 ||
                server->jobs.slots[server->jobs.n_slots - 1].state != JOB_FREE);
}

/* Returns how many bytes the step took. */
static size_t step(World *world, const uint8_t *data, size_t size)
{
        uint8_t what = data[0] & 7, client = (data[0] >> 3) % N_CLIENTS;
        size_t n;

        if (what == 0) {
                drop_client(world, client);
                connect_client(world, client);
                return 1;
        }
        if (what == 1) {
                drain(world, client);
                return 1;
        }
        if (what == 2) {
                if (size >= 3)
                        happen(world, data[1], data[2] % 16);
                return 3;
        }
        if (size < 3)
                return size;
        n = MIN2((size_t)data[1], size - 3);
        say(world, client, data + 3, n, data[2]);
        return n + 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static Server server; /* large, and empty again at the end */
        World world = { .server = &server };

        server.stop = (Stop){ STOP_NO, 0 };
        server_init(world.server, -EBADF, -EBADF, -ENOENT, 1);
        world.server->ops = &fake_ops;
        for (uint8_t i = 0; i < N_CLIENTS; i++)
                connect_client(&world, i);
        for (int i = 0; size > 0 && i < N_STEPS_MAX; i++) {
                size_t n = MIN2(step(&world, data, size), size);

                data += n;
                size -= n;
                check_books(&world);
        }
        for (uint8_t i = 0; i < N_CLIENTS; i++)
                drain(&world, i);
        check_books(&world);
        for (uint8_t i = 0; i < N_CLIENTS; i++)
                drop_client(&world, i);
        check_books(&world);
        while (server.jobs.n_slots > 0)
                job_table_release(&server.jobs, &server.jobs.slots[server.jobs.n_slots - 1]);
        return 0;
}
