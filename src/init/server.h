/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <poll.h>
#include <stdint.h>

#include "init/client.h"
#include "init/input.h"
#include "init/job-table.h"
#include "init/process.h"
#include "init/reader.h"
#include "init/stop.h"

/* All of PID 1's state, and its loop. */

/* SIGRTMIN+3 and +4, by which container managers ask an init to end, as their libc counts: ours has
 * another SIGRTMIN. */
#define SERVER_SIGNAL_HALT 37
#define SERVER_SIGNAL_POWEROFF 38

/* Whom an entry of the poll array is for. */
enum {
        SOURCE_SIGNAL,
        SOURCE_LISTEN,
        SOURCE_CLIENT,                                   /* and its index */
        SOURCE_START = SOURCE_CLIENT + WSHD_CLIENTS_MAX, /* and the job's slot */
        SOURCE_STREAM = SOURCE_START + WSHD_JOBS_MAX,    /* and twice the slot, stderr one more */
        SOURCE_READER = SOURCE_STREAM + 2 * WSHD_JOBS_MAX,
        SOURCE_INPUT = SOURCE_READER + WSHD_READERS_MAX, /* and the job's slot */
        SOURCE_FEEDER = SOURCE_INPUT + WSHD_JOBS_MAX,
        _SOURCE_MAX = SOURCE_FEEDER + WSHD_FEEDERS_MAX,
};

typedef struct Server {
        int listen_fd, signal_fd;
        int devpts_fd; /* negative errno: the container has none */
        int is_init;   /* PID 1 of a pid namespace */
        const ProcessOps *ops;
        Stop stop;
        uint64_t grace_usec;        /* when a signal asks us to stop */
        uint64_t accept_retry_usec; /* monotonic; no accepting before it. 0: no reason not to */
        int is_reap_pending;
        Client clients[WSHD_CLIENTS_MAX];
        JobTable jobs;
        ReaderPool readers;
        FeederPool feeders;
        /* what poll() is asked, made anew each time: open descriptors only, since the kernel takes
         * no more entries than there may be descriptors */
        uint32_t n_polls;
        struct pollfd polls[_SOURCE_MAX];
        uint16_t sources[_SOURCE_MAX];
} Server;

/* @server must be zero: its pages are not written before they are needed. The fds are the caller's
 * for as long as the server lives, which is as long as the process does. */
void server_init(Server *server, int listen_fd, int signal_fd, int devpts_fd, int is_init);

/* Begins to stop: TERM to all, KILL after the grace. */
void server_stop(Server *server, uint64_t grace_usec);

/* Closes a connection; what was owed to it is forgotten, its jobs go on. */
void server_drop_client(Server *server, Client *client);

/* Serves until it was asked to stop and everything has ended. Returns PID 1's exit code. */
int server_run(Server *server);
