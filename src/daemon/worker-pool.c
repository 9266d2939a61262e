/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The resident program is started again when it dies: operations that it had forked go on without
 * it, since each has a socket of its own; requests that it had not read yet come back as end of
 * file on theirs. A program that keeps dying is left alone for a while, so that a broken
 * installation does not spin. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "daemon/worker-pool.h"
#include "wire/worker-socket.h"

#define SEND_BUFFER (2 << 20)
#define SERVER_EXIT_MSEC 1000
#define RESTART_USEC (1 * USEC_PER_SEC)

struct WorkerPool {
        sd_event *event;
        char *argv[6];
        unsigned n_max, n_running;
        WorkerOperation *queue; /* in order of arrival */
        int server_fd;
        pid_t server_pid;
        sd_event_source *server_source;
        sd_event_source *restart_source;
        uint64_t started_usec;
};

struct WorkerOperation {
        WorkerPool *pool;
        WorkerOperation *next; /* in the queue */
        WorkerType type;
        WireWriter blob;
        WorkerHandler handler;
        void *userdata;
        int fd;
        sd_event_source *source;
        int is_queued, is_running;
};

static int server_start(WorkerPool *pool, Fault *fault);
static void pool_run(WorkerPool *pool);

static int on_restart(sd_event_source *s, uint64_t usec, void *userdata)
{
        WorkerPool *pool = userdata;
        Fault fault = FAULT_INIT;

        pool->restart_source = sd_event_source_unref(pool->restart_source);
        if (server_start(pool, &fault) < 0)
                log_error(fault.error, "Failed to start the worker program: %s", fault.text);
        pool_run(pool);
        return 0;
}

static int on_server_exit(sd_event_source *s, const siginfo_t *si, void *userdata)
{
        WorkerPool *pool = userdata;
        uint64_t now = io_now_monotonic_usec();
        uint64_t when = MAX2(now, pool->started_usec + RESTART_USEC);

        log_at(LOG_ERR, 0, NULL, "The worker program ended (%s %d); starting it again",
               si->si_code == CLD_EXITED ? "status" : "signal", si->si_status);
        pool->server_source = sd_event_source_unref(pool->server_source);
        pool->server_fd = fd_close(pool->server_fd);
        pool->server_pid = 0;
        (void)sd_event_add_time(pool->event, &pool->restart_source, CLOCK_MONOTONIC, when, 0,
                                on_restart, pool);
        return 0;
}

/* posix_spawn: the daemon is not copied. Signals are reset, since the daemon blocks those that it
 * watches. */
static int server_spawn(WorkerPool *pool, int child_fd)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        sigset_t none, all;
        int r;

        (void)sigemptyset(&none);
        (void)sigfillset(&all);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attr);
        /* dup2 onto itself would keep O_CLOEXEC; posix_spawn clears it in that case. */
        posix_spawn_file_actions_adddup2(&actions, child_fd, WORKER_FD);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        r = -posix_spawn(&pool->server_pid, pool->argv[0], &actions, &attr, pool->argv, environ);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        return r;
}

static int server_start(WorkerPool *pool, Fault *fault)
{
        int pair[2], size = SEND_BUFFER, r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "worker: socketpair: %m");
        (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
        (void)fd_set_nonblock(pair[0], 1);

        r = server_spawn(pool, pair[1]);
        fd_close(pair[1]);
        if (r < 0) {
                fd_close(pair[0]);
                return fault_set(fault, FAULT_FAILED, r, "worker: cannot execute %s: %m",
                                 pool->argv[0]);
        }
        pool->server_fd = pair[0];
        pool->started_usec = io_now_monotonic_usec();
        r = sd_event_add_child(pool->event, &pool->server_source, pool->server_pid, WEXITED,
                               on_server_exit, pool);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "worker: cannot watch the program: %m");
        return 0;
}

int worker_pool_new(sd_event *event, const char *program, const char *wshd,
                    const char *state_directory, const char *runtime_directory, unsigned n_max,
                    WorkerPool **ret, Fault *fault)
{
        _drop_(drop_worker_pool) WorkerPool *pool = calloc(1, sizeof(*pool));
        const char *argv[] = { program, wshd, state_directory, runtime_directory };
        int r;

        if (!pool)
                return -ENOMEM;
        pool->server_fd = -EBADF;
        pool->n_max = n_max;
        pool->event = sd_event_ref(event);
        for (size_t i = 0; i < ELEMENTSOF(argv); i++) {
                pool->argv[i] = strdup(argv[i]);
                if (!pool->argv[i])
                        return -ENOMEM;
        }
        r = server_start(pool, fault);
        if (r < 0)
                return r;
        *ret = take_ptr(pool);
        return 0;
}

/* It exits when its socket closes. This is the daemon's end, so it may wait, a little: what is left
 * in its control group when it has gone systemd kills, and on cgroup v1 it does not always hear that
 * the group is empty then and calls the service failed after 90 seconds. */
static void server_wait(pid_t pid)
{
        _drop_(drop_fd) int fd = pid > 0 ? pidfd_open(pid, 0) : -EBADF;
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (fd >= 0 && poll(&p, 1, SERVER_EXIT_MSEC) > 0)
                (void)waitpid(pid, NULL, WNOHANG);
}

WorkerPool *worker_pool_free(WorkerPool *pool)
{
        if (!pool)
                return NULL;
        sd_event_source_disable_unref(pool->server_source);
        sd_event_source_disable_unref(pool->restart_source);
        fd_close(pool->server_fd);
        server_wait(pool->server_pid);
        for (char **p = pool->argv; *p; p++)
                free(*p);
        sd_event_unref(pool->event);
        free(pool);
        return NULL;
}

static void operation_unqueue(WorkerOperation *op)
{
        for (WorkerOperation **p = &op->pool->queue; *p; p = &(*p)->next)
                if (*p == op) {
                        *p = op->next;
                        break;
                }
        op->is_queued = 0;
}

/* The worker is through or out of reach. Calls the handler, which may free the operation. */
static void operation_finish(WorkerOperation *op, int error, const Fault *fault)
{
        WorkerPool *pool = op->pool;

        if (op->is_running) {
                op->is_running = 0;
                pool->n_running--;
        }
        op->source = sd_event_source_disable_unref(op->source);
        op->fd = fd_close(op->fd);
        op->handler.finished(op->userdata, error, fault);
        pool_run(pool);
}

static void operation_take_packet(WorkerOperation *op, WorkerPacket *packet)
{
        const WorkerMessage *m = &packet->message;
        Fault fault = FAULT_INIT;
        int r;

        if (m->type == WORKER_CLONED && op->handler.cloned && packet->n_fds == 1) {
                op->handler.cloned(op->userdata, m->pid, take_fd(&packet->fds[0]));
                return;
        }
        if (m->type == WORKER_DONE) {
                operation_finish(op, 0, NULL);
                return;
        }
        if (m->type == WORKER_FAILED) {
                operation_finish(op, m->fault.error, &m->fault);
                return;
        }
        r = fault_set(&fault, FAULT_FAILED, -EBADMSG, "worker: sent a message that makes no sense");
        operation_finish(op, r, &fault);
}

static int on_operation_io(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;
        WorkerOperation *op = userdata;
        Fault fault = FAULT_INIT;
        int r;

        r = worker_receive(fd, &packet, MSG_DONTWAIT);
        if (r == -EAGAIN)
                return 0;
        if (r <= 0) {
                r = r < 0 ? r : -ECONNRESET;
                (void)fault_set(&fault, FAULT_FAILED, r, "worker: ended without an answer");
                operation_finish(op, r, &fault);
                return 0;
        }
        operation_take_packet(op, &packet);
        return 0;
}

static int operation_run(WorkerOperation *op, Fault *fault)
{
        WorkerPool *pool = op->pool;
        WorkerMessage request = { .type = op->type,
                                  .blob = op->blob.data,
                                  .blob_size = op->blob.size };
        int pair[2], r;

        if (pool->server_fd < 0)
                return fault_set(fault, FAULT_FAILED, -ENOTCONN,
                                 "worker: the program is not running");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "worker: socketpair: %m");
        op->fd = pair[0];
        op->source = sd_event_source_disable_unref(op->source);
        r = sd_event_add_io(pool->event, &op->source, op->fd, EPOLLIN, on_operation_io, op);
        if (r >= 0)
                r = worker_send(pool->server_fd, &request, &pair[1], 1, MSG_DONTWAIT);
        fd_close(pair[1]);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "worker: cannot send the request: %m");
        op->is_running = 1;
        pool->n_running++;
        wire_writer_done(&op->blob);
        return 0;
}

static void pool_run(WorkerPool *pool)
{
        while (pool->queue && pool->n_running < pool->n_max && !pool->restart_source) {
                WorkerOperation *op = pool->queue;
                Fault fault = FAULT_INIT;
                int r;

                operation_unqueue(op);
                r = operation_run(op, &fault);
                if (r < 0)
                        operation_finish(op, r, &fault);
        }
}

/* Run from the loop, so that the handler is never called from within worker_begin(). */
static int on_begin(sd_event_source *s, void *userdata)
{
        WorkerOperation *op = userdata;

        op->source = sd_event_source_disable_unref(op->source);
        pool_run(op->pool);
        return 0;
}

int worker_begin(WorkerPool *pool, WorkerType type, WireWriter *blob, const WorkerHandler *handler,
                 void *userdata, WorkerOperation **ret, Fault *fault)
{
        _drop_(drop_worker_operation) WorkerOperation *op = calloc(1, sizeof(*op));
        WorkerOperation **tail = &pool->queue;
        int r;

        if (!op)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "worker: out of memory");
        op->pool = pool;
        op->fd = -EBADF;
        r = sd_event_add_defer(pool->event, &op->source, on_begin, op);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "worker: cannot queue the operation: %m");
        op->type = type;
        op->handler = *handler;
        op->userdata = userdata;
        op->blob = *blob;
        *blob = WIRE_WRITER_INIT;
        op->is_queued = 1;
        while (*tail)
                tail = &(*tail)->next;
        *tail = op;
        *ret = take_ptr(op);
        return 0;
}

int worker_open_gate(WorkerOperation *op)
{
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_GATE }, NULL, 0, MSG_DONTWAIT);
}

WorkerOperation *worker_operation_free(WorkerOperation *op)
{
        WorkerOperation *head;

        if (!op)
                return NULL;
        if (op->is_queued)
                operation_unqueue(op);
        sd_event_source_disable_unref(op->source);
        head = op->pool->queue;
        if (op->is_running) {
                op->pool->n_running--;
                /* Its place is free now; the next one is begun from the loop, not from within this.
                 */
                if (head && !head->source)
                        (void)sd_event_add_defer(op->pool->event, &head->source, on_begin, head);
        }
        fd_close(op->fd);
        wire_writer_done(&op->blob);
        free(op);
        return NULL;
}
