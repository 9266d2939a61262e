/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the resident program dies, operations that it had forked go on without it, since each has a
 * socket of its own; requests that it had not read yet come back as end of file on theirs. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "daemon/resident.h"
#include "daemon/worker-pool.h"
#include "wire/worker-socket.h"

struct WorkerPool {
        sd_event *event;
        const char *what; /* for messages */
        Resident *program;
        unsigned n_max, n_running;
        WorkerOperation *queue; /* in order of arrival */
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
        int is_queued, is_running, is_finished;
};

static void pool_run(WorkerPool *pool);

static void on_program_ended(void *userdata)
{
}

static void on_program_started(void *userdata)
{
        pool_run(userdata);
}

int worker_pool_new_program(sd_event *event, const char *what, const char *const *argv,
                            unsigned n_max, WorkerPool **ret, Fault *fault)
{
        static const ResidentHandler handler = { .ended = on_program_ended,
                                                 .started = on_program_started };
        _drop_(drop_worker_pool) WorkerPool *pool = calloc(1, sizeof(*pool));
        int r;

        if (!pool)
                return -ENOMEM;
        pool->what = what;
        pool->n_max = n_max;
        pool->event = sd_event_ref(event);
        r = resident_new(event, what, argv, &handler, pool, &pool->program);
        if (r >= 0)
                r = resident_start(pool->program, fault);
        if (r < 0)
                return r;
        *ret = take_ptr(pool);
        return 0;
}

int worker_pool_new(sd_event *event, const char *program, const char *wshd,
                    const char *state_directory, const char *runtime_directory, unsigned n_max,
                    WorkerPool **ret, Fault *fault)
{
        const char *argv[] = { program, wshd, state_directory, runtime_directory, NULL };

        return worker_pool_new_program(event, "worker", argv, n_max, ret, fault);
}

WorkerPool *worker_pool_free(WorkerPool *pool)
{
        if (!pool)
                return NULL;
        resident_free(pool->program);
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
        op->is_finished = 1;
        if (error < 0 || !op->handler.closed) {
                op->source = sd_event_source_disable_unref(op->source);
                op->fd = fd_close(op->fd);
        }
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
                if (op->handler.answered)
                        op->handler.answered(op->userdata, m->blob, m->blob_size);
                operation_finish(op, 0, NULL);
                return;
        }
        if (m->type == WORKER_FAILED) {
                operation_finish(op, m->fault.error, &m->fault);
                return;
        }
        r = fault_set(&fault, FAULT_FAILED, -EBADMSG, "%s: sent a message that makes no sense",
                      op->pool->what);
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
        if (op->is_finished) {
                op->source = sd_event_source_disable_unref(op->source);
                op->fd = fd_close(op->fd);
                op->handler.closed(op->userdata);
                return 0;
        }
        if (r <= 0) {
                r = r < 0 ? r : -ECONNRESET;
                (void)fault_set(&fault, FAULT_FAILED, r, "%s: ended without an answer",
                                op->pool->what);
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

        if (resident_fd(pool->program) < 0)
                return fault_set(fault, FAULT_FAILED, -ENOTCONN, "%s: the program is not running",
                                 pool->what);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "worker: socketpair: %m");
        op->fd = pair[0];
        op->source = sd_event_source_disable_unref(op->source);
        r = sd_event_add_io(pool->event, &op->source, op->fd, EPOLLIN, on_operation_io, op);
        if (r >= 0)
                r = worker_send(resident_fd(pool->program), &request, &pair[1], 1, MSG_DONTWAIT);
        fd_close(pair[1]);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "%s: cannot send the request: %m",
                                 pool->what);
        op->is_running = 1;
        pool->n_running++;
        wire_writer_done(&op->blob);
        return 0;
}

static void pool_run(WorkerPool *pool)
{
        while (pool->queue && pool->n_running < pool->n_max &&
               !resident_is_restarting(pool->program)) {
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

void worker_operation_follow(WorkerOperation *op, void *userdata)
{
        op->userdata = userdata;
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
