/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "model/plan.h"
#include "wire/worker-socket.h"

/* The real warden-worker with directories to play in: what the daemon does, in a straight line. */

#define HARNESS_UID_BASE 1000000U
#define HARNESS_UID_COUNT 65536U

typedef struct Harness {
        char directory[64]; /* all below is in it, and it goes with it */
        char state[96], runtime[96], root[96];
        pid_t pid;
        int fd;
        unsigned n_created;
} Harness;

/* Why such tests cannot run here; NULL when they can. Environment: WARDEN_TEST_WORKER,
 * WARDEN_TEST_INIT. */
const char *harness_obstacle(void);

/* @worker, @init   programs; @init becomes PID 1 of the containers. Returns 0; negative errno. */
int harness_start(Harness *h, const char *worker, const char *init);

/* The same with the programs of the environment, as a group's set-up of cmocka. */
int harness_setup(void **state);
int harness_teardown(void **state);

/* Both halves of harness_start(), for a test that puts something there before the program comes. */
int harness_make(Harness *h);
int harness_launch(Harness *h, const char *worker, const char *init);

/* Ends the program and removes the directory. Returns what is left of it: 0 is good. */
int harness_stop(Harness *h);

/* A plan with everything as the daemon would have it, with a new id, for h->root. */
Plan *harness_plan(Harness *h);

/* A container, being made or made. */
typedef struct Made {
        int fd; /* the operation */
        pid_t pid;
        int pid_fd;
        char runtime[160], layer[160];
        WorkerMessage last; /* DONE or FAILED */
} Made;

#define MADE_INIT ((Made){ .fd = -EBADF, .pid_fd = -EBADF })

/* Sends the request. The plan stays the caller's. Returns 0; negative errno. */
int harness_begin(Harness *h, const Plan *plan, Made *ret);

/* Receives the next message into *ret, its type; 0 at the end; negative errno. Waits 10 s. CLONED
 * is kept in made->pid and pid_fd. */
int harness_next(Made *made);
int harness_open_gate(Made *made);

/* All of it: returns the type of the last message. */
int harness_create(Harness *h, const Plan *plan, Made *ret);

/* Kills the container, waits for its end, closes. */
void harness_end(Made *made);

/* Sends WORKER_REMOVE for both directories. Returns WORKER_DONE or WORKER_FAILED; negative errno.
 */
int harness_remove(Harness *h, const Made *made);

/* Connects to PID 1's socket; sends a command, receives its reply. */
int harness_connect(const Made *made);
int harness_ask(int fd, const char *command, char *reply, size_t size);

/* A file of /proc/PID, at most 64 KiB; the caller's. NULL when it cannot be read. */
char *harness_proc(const Made *made, const char *name);

/* Waits up to 5 s for a pidfd. Returns 1 when the process has ended. */
int harness_has_ended(int pid_fd);
