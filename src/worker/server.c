/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <poll.h>
#include <sched.h>

#include "basic/fd.h"
#include "rootfs/syscalls.h"
#include "wire/plan-wire.h"
#include "wire/worker-socket.h"
#include "worker/child.h"
#include "worker/create.h"
#include "worker/freeze.h"
#include "worker/herald.h"
#include "worker/interfaces.h"
#include "worker/network.h"
#include "worker/remove.h"
#include "worker/server.h"
#include "worker/storage.h"

/* What a worker tells the server, one byte each. */
#define NOTE_TAKEN 't'       /* a request was received; the child was not needed */
#define NOTE_TAKEN_CHILD 'c' /* and the child is used or spoilt */
#define NOTE_IDLE 'i'        /* from now on it only waits */

/* Workers that end before they received anything, in a row: then something is wrong that another
 * one will not put right. */
#define FAILURES_MAX 8

typedef struct Server {
        const Host *host;
        char *const *directories;
        int socket_fd;
        int note_fd;     /* read end of the notes; non-blocking */
        int note_out_fd; /* write end, for the workers */
        Herald herald;
        Child spare;
        int worker_fd; /* pidfd of the worker that waits for a request; -EBADF: none */
        unsigned n_failures;
} Server;

/* -- in the worker -- */

static void worker_note(const Server *server, char note)
{
        /* The pipe is never full: a worker writes a few bytes. */
        ssize_t n = write(server->note_out_fd, &note, 1);

        (void)n;
}

static void worker_on_idle(void *userdata)
{
        worker_note(userdata, NOTE_IDLE);
}

static int worker_refuse(int client_fd, int error, const char *what)
{
        WorkerMessage failed = { .type = WORKER_FAILED, .fault = FAULT_INIT };

        (void)fault_set(&failed.fault, FAULT_INVALID, error, "cannot read the %s: %m", what);
        (void)worker_send(client_fd, &failed, NULL, 0, 0);
        return error;
}

static int worker_limit(int client_fd, const WorkerPacket *packet)
{
        _drop_(quota_request_done) QuotaRequest request = { NULL };
        WorkerMessage reply = { .type = WORKER_DONE, .fault = FAULT_INIT };
        int r;

        r = quota_request_decode(packet->message.blob, packet->message.blob_size, &request);
        if (r < 0)
                return worker_refuse(client_fd, r, "request");
        r = storage_limit(&request, &reply.fault);
        if (r < 0)
                reply.type = WORKER_FAILED;
        (void)worker_send(client_fd, &reply, NULL, 0, 0);
        return r;
}

static int worker_bandwidth(int client_fd, const WorkerPacket *packet)
{
        WorkerMessage reply = { .type = WORKER_DONE, .fault = FAULT_INIT };
        BandwidthRequest request;
        int r;

        r = bandwidth_request_decode(packet->message.blob, packet->message.blob_size, &request);
        if (r < 0)
                return worker_refuse(client_fd, r, "request");
        r = network_limit(request.interface, &request.limits, &reply.fault);
        if (r < 0)
                reply.type = WORKER_FAILED;
        (void)worker_send(client_fd, &reply, NULL, 0, 0);
        return r;
}

static int worker_settle(const Server *server, int client_fd)
{
        WorkerMessage reply = { .type = WORKER_DONE, .fault = FAULT_INIT };
        int r = 0;

        for (char *const *p = server->directories; *p && r >= 0; p++)
                r = network_settle(*p);
        if (r < 0) {
                reply.type = WORKER_FAILED;
                (void)fault_set(&reply.fault, FAULT_FAILED, r, "%m");
        }
        (void)worker_send(client_fd, &reply, NULL, 0, 0);
        return r;
}

static int worker_return(int client_fd, const WorkerPacket *packet)
{
        _drop_(remove_request_done) RemoveRequest request = { .directories = NULL };
        WorkerMessage reply = { .type = WORKER_DONE, .fault = FAULT_INIT };
        int r;

        r = remove_request_decode(packet->message.blob, packet->message.blob_size, &request);
        if (r < 0 || !request.interfaces)
                return worker_refuse(client_fd, r < 0 ? r : -EBADMSG, "request");
        r = interfaces_return(request.directories[0], request.interfaces, &reply.fault);
        if (r < 0) {
                (void)fault_set(&reply.fault, FAULT_FAILED, r, "cannot give interfaces back: %m");
                reply.type = WORKER_FAILED;
        }
        (void)worker_send(client_fd, &reply, NULL, 0, 0);
        return r;
}

static int worker_create(Server *server, int client_fd, const WorkerPacket *packet)
{
        _drop_(drop_plan) Plan *plan = NULL;
        ChildOptions wanted;
        int r;

        herald_announce(&server->herald);
        r = plan_decode(packet->message.blob, packet->message.blob_size, &plan);
        if (r < 0) {
                worker_note(server, NOTE_TAKEN);
                return worker_refuse(client_fd, r, "plan");
        }
        wanted = create_child_options(plan);
        if (server->spare.pid > 0 && child_options_equal(&server->spare.options, &wanted)) {
                worker_note(server, NOTE_TAKEN_CHILD);
        } else {
                worker_note(server, NOTE_TAKEN);
                child_release(&server->spare);
        }
        return create_run(server->host, client_fd, packet, plan, &server->spare, worker_on_idle,
                          server);
}

static int worker_handle(Server *server, WorkerPacket *packet)
{
        _drop_(drop_fd) int client_fd = -EBADF;

        server->socket_fd = fd_close(server->socket_fd);
        if (packet->n_fds == 1)
                client_fd = take_fd(&packet->fds[0]);
        if (client_fd >= 0 && packet->message.type == WORKER_CREATE)
                return worker_create(server, client_fd, packet);

        worker_note(server, NOTE_TAKEN);
        worker_note(server, NOTE_IDLE);
        child_release(&server->spare);
        if (client_fd >= 0 && packet->message.type == WORKER_REMOVE)
                return remove_run(client_fd, packet);
        if (client_fd >= 0 && packet->message.type == WORKER_QUOTA)
                return worker_limit(client_fd, packet);
        if (client_fd >= 0 && packet->message.type == WORKER_FREEZE)
                return freeze_run(client_fd, packet);
        if (client_fd >= 0 && packet->message.type == WORKER_SETTLE)
                return worker_settle(server, client_fd);
        if (client_fd >= 0 && packet->message.type == WORKER_RETURN)
                return worker_return(client_fd, packet);
        if (client_fd >= 0 && packet->message.type == WORKER_BANDWIDTH)
                return worker_bandwidth(client_fd, packet);
        return client_fd >= 0 ? worker_refuse(client_fd, -EBADMSG, "request") : -EBADMSG;
}

static _noreturn_ void worker_run(Server *server)
{
        WorkerPacket packet = WORKER_PACKET_INIT;
        int r;

        server->note_fd = fd_close(server->note_fd);
        r = worker_receive(server->socket_fd, &packet, 0);
        if (r == 0)
                _exit(0);
        if (r < 0) {
                /* Somebody's rubbish was received; it is gone, and there is nobody to tell. */
                worker_note(server, NOTE_TAKEN);
                _exit(1);
        }
        r = worker_handle(server, &packet);
        /* Again, for one that failed before it had to wait. */
        worker_note(server, NOTE_IDLE);
        _exit(r < 0);
}

/* -- in the server -- */

static void server_make_spare(Server *server)
{
        const ChildOptions options = { .has_user_namespace = 1, .has_network_namespace = 1 };
        const int unwanted[] = { server->socket_fd, server->note_fd, server->note_out_fd,
                                 server->herald.pipe_fd };

        if (server->spare.pid > 0 && child_is_dead(&server->spare))
                child_release(&server->spare);
        /* Without one the worker makes its own, and has somebody to tell what is wrong. */
        if (server->spare.pid == 0)
                (void)child_start(server->host, &options, unwanted, ELEMENTSOF(unwanted),
                                  &server->spare, NULL);
}

static int server_fork(Server *server, Fault *fault)
{
        struct clone_args args = {
                .flags = CLONE_PIDFD,
                .pidfd = (uint64_t)(uintptr_t)&server->worker_fd,
                .exit_signal = SIGCHLD,
        };
        pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

        if (pid < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot fork a worker: %m");
        if (pid == 0)
                worker_run(server);
        return 0;
}

/* Returns the number of notes that were read. */
static int server_read_notes(Server *server, int *ret_is_idle)
{
        char notes[64];
        ssize_t n = read(server->note_fd, notes, sizeof(notes));

        *ret_is_idle = 0;
        for (ssize_t i = 0; i < n; i++) {
                if (notes[i] == NOTE_IDLE) {
                        *ret_is_idle = 1;
                        continue;
                }
                if (notes[i] == NOTE_TAKEN_CHILD)
                        child_release(&server->spare);
                server->worker_fd = fd_close(server->worker_fd);
                server->n_failures = 0;
        }
        return (int)n;
}

/* The worker that should wait has ended: the other end of the socket was closed, or something
 * killed it. Its notes have been read before. */
static int server_on_worker_exit(Server *server, int is_hung_up, Fault *fault)
{
        server->worker_fd = fd_close(server->worker_fd);
        if (is_hung_up)
                return 0;
        if (++server->n_failures >= FAILURES_MAX)
                return fault_set(fault, FAULT_FAILED, -ECHILD, "workers end without a reason");
        return 1;
}

/* Returns 1 to go on, 0 at the end. */
static int server_turn(Server *server, Fault *fault)
{
        enum {
                POLL_NOTE,
                POLL_SOCKET,
                POLL_WORKER,
                _POLL_MAX,
        };
        struct pollfd p[_POLL_MAX] = {
                [POLL_NOTE] = { .fd = server->note_fd, .events = POLLIN },
                /* While a worker waits there, only the end is news. */
                [POLL_SOCKET] = { .fd = server->socket_fd,
                                  .events = server->worker_fd < 0 ? POLLIN : 0 },
                [POLL_WORKER] = { .fd = server->worker_fd, .events = POLLIN },
        };
        int is_idle, r;

        if (poll(p, ELEMENTSOF(p), -1) < 0)
                return errno == EINTR ? 1 : fault_set(fault, FAULT_FAILED, -errno, "poll: %m");
        if (p[POLL_NOTE].revents) {
                (void)server_read_notes(server, &is_idle);
                if (!is_idle || server->worker_fd >= 0)
                        return 1;
                server_make_spare(server);
                r = server_fork(server, fault);
                return r < 0 ? r : 1;
        }
        if (p[POLL_WORKER].revents)
                return server_on_worker_exit(server, p[POLL_SOCKET].revents & POLLHUP, fault);
        if (p[POLL_SOCKET].revents && server->worker_fd < 0) {
                r = server_fork(server, fault);
                return r < 0 ? r : 1;
        }
        return 1;
}

int server_run(const Host *host, char *const *directories, int socket_fd, Fault *fault)
{
        Server server = {
                .host = host,
                .directories = directories,
                .socket_fd = socket_fd,
                .note_fd = -EBADF,
                .note_out_fd = -EBADF,
                .herald = HERALD_INIT,
                .spare = CHILD_INIT,
                .worker_fd = -EBADF,
        };
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make a pipe: %m");
        server.note_fd = ends[0];
        server.note_out_fd = ends[1];
        herald_start(&server.herald);
        server_make_spare(&server);
        r = server_fork(&server, fault);
        if (r >= 0)
                do
                        r = server_turn(&server, fault);
                while (r > 0);
        child_kill(&server.spare);
        herald_done(&server.herald);
        fd_close(server.worker_fd);
        fd_close(server.note_fd);
        fd_close(server.note_out_fd);
        return r;
}
