/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "wire/codec.h"
#include "wire/worker-message.h"

/* The daemon's side of wire/worker-message.h: keeps the resident worker program running, queues
 * operations and follows each by its own socket. */

struct sd_event;

typedef struct WorkerPool WorkerPool;
typedef struct WorkerOperation WorkerOperation;

typedef struct WorkerHandler {
        /* The new container's PID 1 exists. The pidfd is the handler's. NULL for operations without
         * one. */
        void (*cloned)(void *userdata, uint32_t pid, int take_pidfd);
        /* What was asked for, just before finished without an error. The blob is the caller's. May
         * be NULL. */
        void (*answered)(void *userdata, const uint8_t *blob, size_t size);
        /* Once: error 0, or negative with a fault; the worker has undone what it did. The operation
         * may be freed from within. */
        void (*finished)(void *userdata, int error, const Fault *fault);
        /* Once, after finished without an error, of an operation that is followed: the worker is
         * through with what it does behind its answer. May be NULL. */
        void (*closed)(void *userdata);
} WorkerHandler;

/* @program          the worker; @wshd, @state_directory and @runtime_directory are its arguments
 * @n_max            operations at once; more are queued in order
 * Returns 0 with the program started. */
int worker_pool_new(struct sd_event *event, const char *program, const char *wshd,
                    const char *state_directory, const char *runtime_directory, unsigned n_max,
                    WorkerPool **ret, Fault *fault);

/* The same of another program that takes such requests.
 * @what   for messages; must live as long as the pool */
int worker_pool_new_program(struct sd_event *event, const char *what, const char *const *argv,
                            unsigned n_max, WorkerPool **ret, Fault *fault);
WorkerPool *worker_pool_free(WorkerPool *pool);
DEFINE_DROP(WorkerPool, worker_pool, worker_pool_free);

/* @blob   the encoded Plan or RemoveRequest; taken (left empty) on success
 * @ret    owned by the caller */
int worker_begin(WorkerPool *pool, WorkerType type, WireWriter *blob, const WorkerHandler *handler,
                 void *userdata, WorkerOperation **ret, Fault *fault);

/* Lets the container's PID 1 go on into its program. */
int worker_open_gate(WorkerOperation *op);

/* For closed, from within finished or later; then @userdata is the handler's. */
void worker_operation_follow(WorkerOperation *op, void *userdata);

/* Forgets it: a worker that is not done sees the socket close and undoes everything. */
WorkerOperation *worker_operation_free(WorkerOperation *op);
DEFINE_DROP(WorkerOperation, worker_operation, worker_operation_free);
