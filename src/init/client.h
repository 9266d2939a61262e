/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "init/job-table.h"
#include "wire/wshd-message.h"

/* One connection. PID 1 never waits for a client and queues nothing for it: there is room for one
 * direct reply, and until that is sent no further request is read; the list of jobs is a cursor;
 * everything else is a bit in the job that it is about. Whatever does not fit into the socket is
 * made again from the state once the client has read. */

typedef enum ClientList {
        CLIENT_LIST_NONE,
        CLIENT_LIST_READY, /* WSHD_READY is next */
        CLIENT_LIST_JOBS,  /* the job at the cursor is next, or WSHD_JOBS_END */
} ClientList;

#define CLIENT_REPLY_FDS 3

typedef struct Client {
        int fd; /* -EBADF: this place is free */
        uint8_t index;
        uint8_t is_subscribed;
        uint8_t is_blocked; /* the socket is full */
        uint8_t is_owed;    /* a job has something for it */
        uint8_t is_broken;  /* to be closed: its fate is sealed, but not in the middle of a walk */
        ClientList list;
        uint32_t list_sequence, list_cursor;
        WshdMessage reply;               /* type 0: none */
        int reply_fds[CLIENT_REPLY_FDS]; /* go with it; ours */
        uint8_t n_reply_fds;
} Client;

/* Takes @take_fd; -EBADF makes a free place. */
void client_init(Client *client, uint8_t index, int take_fd);
void client_done(Client *client);

/* Sends or keeps the reply. There must be none yet: client_may_read(). Takes the first @n_fds, at
 * most CLIENT_REPLY_FDS, of @take_fds. */
void client_reply(Client *client, const WshdMessage *m, const int *take_fds, size_t n_fds);

/* Begins the list again from its start. Nothing is sent before the next client_flush(). */
void client_list(Client *client, uint32_t sequence);

/* Sends what @job has for this client, or remembers that there is something. A failed start that
 * its requester has been told of leaves the table. */
void client_notify(Client *client, JobTable *jobs, Job *job);

/* Sends as much as fits, in the order: reply, list, jobs. No more than some hundred messages at a
 * time, so that one client's list keeps nobody waiting. */
void client_flush(Client *client, JobTable *jobs);

/* Whether another request may be read, and whether something is still to be sent. */
int client_may_read(const Client *client);
int client_has_more(const Client *client);
