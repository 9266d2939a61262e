/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* poll() and not epoll: what is watched is a few descriptors, made up anew from the state each
 * time, so there is no second copy of it in the kernel that could be stale. And the kernel bounds
 * epoll's watches for each user: root of the container, who is the same user as PID 1, could use
 * them up and so make us deaf. With poll() there is nothing to be denied but memory.
 *
 * An idle PID 1 sleeps without a time limit. */

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "init/clock.h"
#include "init/reap.h"
#include "init/request.h"
#include "init/server.h"

#define ACCEPT_RETRY_USEC USEC_PER_SEC
#define READ_MAX 8   /* requests of one client in one turn */
#define ACCEPT_MAX 4 /* connections in one turn */

void server_init(Server *server, int listen_fd, int signal_fd, int devpts_fd, int is_init)
{
        server->listen_fd = listen_fd;
        server->signal_fd = signal_fd;
        server->devpts_fd = devpts_fd;
        server->is_init = is_init;
        server->ops = is_init ? &process_ops_namespace : &process_ops_jobs;
        server->grace_usec = STOP_GRACE_USEC;
        for (uint8_t i = 0; i < WSHD_CLIENTS_MAX; i++)
                client_init(&server->clients[i], i, -EBADF);
}

void server_drop_client(Server *server, Client *client)
{
        for (uint32_t i = 0; i < server->jobs.n_slots; i++) {
                Job *job = &server->jobs.slots[i];

                if (job->state == JOB_FREE)
                        continue;
                job_on_client_gone(job, client->index);
                if (job_is_abandoned(job))
                        job_table_retire(&server->jobs, job);
                else if (job->state == JOB_FAILED && job->requester == JOB_NO_CLIENT)
                        job_table_release(&server->jobs, job);
        }
        client_done(client);
}

/* A connection from inside has a pid in our namespace; the daemon's has none there. The socket's
 * path is not visible in the container, so this is the second lock on the door. */
static int peer_is_welcome(const Server *server, int fd)
{
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return 0;
        return server->is_init ? peer.pid == 0 : peer.uid == getuid();
}

static void server_add_client(Server *server, int take_fd)
{
        Client full;

        if (!peer_is_welcome(server, take_fd)) {
                fd_close(take_fd);
                return;
        }
        for (uint8_t i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (server->clients[i].fd < 0) {
                        client_init(&server->clients[i], i, take_fd);
                        return;
                }
        client_init(&full, 0, take_fd);
        client_reply(
                &full,
                &(WshdMessage){ .type = WSHD_FAILED, .stage = WSHD_STAGE_REQUEST, .error = EUSERS },
                NULL, 0);
        client_done(&full);
}

/* When accepting fails for want of descriptors or memory the connection stays in the backlog and
 * the socket stays readable: without a pause that would be a busy loop. */
static void on_listen(Server *server)
{
        for (int i = 0; i < ACCEPT_MAX; i++) {
                int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd >= 0)
                        server_add_client(server, fd);
                else if (errno == EAGAIN)
                        return;
                else if (errno != EINTR && errno != ECONNABORTED) {
                        server->accept_retry_usec = clock_monotonic_usec() + ACCEPT_RETRY_USEC;
                        return;
                }
        }
}

/* One request. Returns whether there may be another. */
static int client_read(Server *server, Client *client)
{
        uint8_t buffer[WSHD_MESSAGE_MAX] = { 0 };
        int fds[WSHD_FDS_MAX];
        size_t n_fds = WSHD_FDS_MAX;
        int r;

        r = wshd_receive(client->fd, buffer, sizeof(buffer), fds, &n_fds);
        if (r == -EAGAIN)
                return 0;
        if (r == -EBADMSG) {
                request_refuse(client, buffer, r);
                return 1;
        }
        if (r <= 0) {
                client->is_broken = 1;
                return 0;
        }
        request_handle(server, client, buffer, (size_t)r, fds, n_fds);
        for (size_t i = 0; i < n_fds; i++)
                fd_close(fds[i]);
        return 1;
}

static void on_client(Server *server, Client *client, short revents)
{
        if (client_has_more(client) && revents & (POLLOUT | POLLHUP | POLLERR))
                client_flush(client, &server->jobs);
        for (int i = 0; i < READ_MAX && client_may_read(client); i++) {
                if (!client_read(server, client))
                        break;
                if (client_has_more(client) && !client->is_blocked)
                        client_flush(client, &server->jobs);
        }
        if (client->is_broken)
                server_drop_client(server, client);
}

static int is_stop_signal(uint32_t signal)
{
        return signal == SIGTERM || signal == SIGINT || signal == SERVER_SIGNAL_HALT ||
               signal == SERVER_SIGNAL_POWEROFF;
}

/* Whether a signal comes from outside the container. kill() leaves it to the kernel to fill in the
 * sender, which is 0 for one that our namespace does not see; with sigqueue() a sender inside may
 * write there what it likes, but cannot claim to be SI_USER. */
static int is_from_outside(const Server *server, const struct signalfd_siginfo *info)
{
        return !server->is_init || (info->ssi_code == SI_USER && info->ssi_pid == 0);
}

static void on_signal(Server *server)
{
        struct signalfd_siginfo infos[8];
        ssize_t n = read(server->signal_fd, infos, sizeof(infos));

        for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(infos[0]); i++)
                if (infos[i].ssi_signo == SIGCHLD)
                        server->is_reap_pending = 1;
                else if (is_stop_signal(infos[i].ssi_signo) && is_from_outside(server, &infos[i]))
                        server_stop(server, server->grace_usec);
}

static int server_is_told(const Server *server)
{
        for (int i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (server->clients[i].fd >= 0 && client_has_more(&server->clients[i]))
                        return 0;
        for (uint32_t i = 0; i < server->jobs.n_slots; i++)
                if (job_is_busy(&server->jobs.slots[i]))
                        return 0;
        return 1;
}

/* A stopped process must run to notice that it is asked to end. */
static void server_terminate(Server *server)
{
        (void)server->ops->signal_all(&server->jobs, SIGTERM);
        (void)server->ops->signal_all(&server->jobs, SIGCONT);
}

void server_stop(Server *server, uint64_t grace_usec)
{
        if (stop_begin(&server->stop, clock_monotonic_usec(), grace_usec) == STOP_ACT_TERM)
                server_terminate(server);
}

/* Returns whether it is time to exit. */
static int server_step_stop(Server *server)
{
        int is_empty;

        if (server->stop.state == STOP_NO)
                return 0;
        is_empty = server->ops->is_alone(&server->jobs);
        switch (stop_step(&server->stop, clock_monotonic_usec(), is_empty,
                          server_is_told(server))) {
        case STOP_ACT_KILL:
                (void)server->ops->signal_all(&server->jobs, SIGKILL);
                return 0;
        case STOP_ACT_EXIT:
                return 1;
        case STOP_ACT_NONE:
        case STOP_ACT_TERM:
                break;
        }
        return 0;
}

static void server_watch(Server *server, uint32_t source, int fd, short events)
{
        server->sources[server->n_polls] = (uint16_t)source;
        server->polls[server->n_polls++] = (struct pollfd){ .fd = fd, .events = events };
}

/* A reader that has everything is watched all the same: that it goes away, poll() tells unasked. */
static void server_watch_stream(Server *server, uint32_t source, const Stream *stream)
{
        if (stream_wants_source(stream))
                server_watch(server, source, stream->source_fd, POLLIN);
        for (const Reader *reader = stream->readers; reader; reader = reader->next)
                server_watch(server, SOURCE_READER + (uint32_t)(reader - server->readers.slots),
                             reader->fd, stream_get_reader_events(reader));
}

static void server_watch_input(Server *server, uint32_t source, const Input *input)
{
        int events = input_get_events(input);

        if (events >= 0)
                server_watch(server, source, input->fd, (short)events);
        if (!input_wants_feeders(input))
                return;
        for (const Feeder *feeder = input->feeders; feeder; feeder = feeder->next)
                server_watch(server, SOURCE_FEEDER + (uint32_t)(feeder - server->feeders.slots),
                             feeder->fd, POLLIN);
}

static void server_watch_job(Server *server, uint32_t slot)
{
        const Job *job = &server->jobs.slots[slot];

        if (job->state == JOB_FREE)
                return;
        if (job->state == JOB_STARTING && job->start_fd >= 0)
                server_watch(server, SOURCE_START + slot, job->start_fd, POLLIN);
        for (uint32_t i = 0; i < ELEMENTSOF(job->streams); i++)
                server_watch_stream(server, SOURCE_STREAM + 2 * slot + i, &job->streams[i]);
        server_watch_input(server, SOURCE_INPUT + slot, &job->input);
}

/* The descriptors of this turn, in the order in which they will be served: jobs before clients, so
 * that what a request takes away or puts in its place is not mistaken for what poll() has told of;
 * new connections come last, when the places of those that went away are free. */
static void server_collect(Server *server)
{
        server->n_polls = 0;
        server_watch(server, SOURCE_SIGNAL, server->signal_fd, POLLIN);
        for (uint32_t i = 0; i < server->jobs.n_slots; i++)
                server_watch_job(server, i);
        for (uint32_t i = 0; i < WSHD_CLIENTS_MAX; i++) {
                const Client *client = &server->clients[i];
                short events = 0;

                if (client->fd < 0)
                        continue;
                if (client_may_read(client))
                        events |= POLLIN;
                if (client_has_more(client))
                        events |= POLLOUT;
                server_watch(server, SOURCE_CLIENT + i, client->fd, events);
        }
        if (server->accept_retry_usec == 0)
                server_watch(server, SOURCE_LISTEN, server->listen_fd, POLLIN);
}

/* Returns NULL when there is no limit. */
static const struct timespec *server_timeout(const Server *server, struct timespec *ret)
{
        uint64_t deadline_usec = USEC_INFINITY, now_usec, left_usec;

        *ret = (struct timespec){ 0 };
        if (server->is_reap_pending)
                return ret;
        if (server->accept_retry_usec > 0)
                deadline_usec = server->accept_retry_usec;
        if (server->stop.state != STOP_NO)
                deadline_usec = MIN2(deadline_usec, server->stop.deadline_usec);
        if (deadline_usec == USEC_INFINITY)
                return NULL;
        now_usec = clock_monotonic_usec();
        left_usec = deadline_usec > now_usec ? deadline_usec - now_usec : 0;
        ret->tv_sec = (time_t)MIN2(left_usec / USEC_PER_SEC, (uint64_t)INT32_MAX);
        ret->tv_nsec = (long)(left_usec % USEC_PER_SEC * 1000);
        return ret;
}

static void on_stream(Server *server, uint32_t index)
{
        Job *job = &server->jobs.slots[index / 2];

        if (job->state == JOB_FREE)
                return;
        (void)stream_on_source(&job->streams[index % 2]);
        reap_note_output(server, job);
        job_table_settle(&server->jobs, job);
}

static void on_input(Server *server, uint32_t slot, short revents)
{
        Job *job = &server->jobs.slots[slot];

        if (job->state != JOB_FREE)
                input_on_job(&job->input, revents);
}

static void on_reader(Server *server, Reader *reader, short revents)
{
        Job *job = reader->stream ? job_table_find_stream(&server->jobs, reader->stream) : NULL;

        if (!job)
                return;
        stream_on_reader(reader, revents);
        job_table_settle(&server->jobs, job);
}

static void server_dispatch_job(Server *server, uint32_t source, short revents)
{
        if (source >= SOURCE_FEEDER)
                input_on_feeder(&server->feeders.slots[source - SOURCE_FEEDER]);
        else if (source >= SOURCE_INPUT)
                on_input(server, source - SOURCE_INPUT, revents);
        else if (source >= SOURCE_READER)
                on_reader(server, &server->readers.slots[source - SOURCE_READER], revents);
        else if (source >= SOURCE_STREAM)
                on_stream(server, source - SOURCE_STREAM);
        else
                reap_read_start(server, &server->jobs.slots[source - SOURCE_START]);
}

static void server_dispatch(Server *server)
{
        for (uint32_t i = 0; i < server->n_polls; i++) {
                uint32_t source = server->sources[i];
                short revents = server->polls[i].revents;

                if (revents == 0)
                        continue;
                if (source >= SOURCE_START)
                        server_dispatch_job(server, source, revents);
                else if (source >= SOURCE_CLIENT)
                        on_client(server, &server->clients[source - SOURCE_CLIENT], revents);
                else if (source == SOURCE_LISTEN)
                        on_listen(server);
                else
                        on_signal(server);
        }
}

/* Clients that a message could not reach any more. */
static void server_drop_broken(Server *server)
{
        for (int i = 0; i < WSHD_CLIENTS_MAX; i++)
                if (server->clients[i].fd >= 0 && server->clients[i].is_broken)
                        server_drop_client(server, &server->clients[i]);
}

int server_run(Server *server)
{
        for (;;) {
                struct timespec timeout;

                server_collect(server);
                if (ppoll(server->polls, server->n_polls, server_timeout(server, &timeout), NULL) >=
                    0)
                        server_dispatch(server);
                else if (errno != EINTR)
                        /* No memory, most likely. What is due is done below all the same. */
                        (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
                if (server->accept_retry_usec > 0 &&
                    clock_monotonic_usec() >= server->accept_retry_usec)
                        server->accept_retry_usec = 0;
                if (server->is_reap_pending)
                        server->is_reap_pending = reap_batch(server);
                server_drop_broken(server);
                if (server_step_stop(server))
                        return 0;
        }
}
