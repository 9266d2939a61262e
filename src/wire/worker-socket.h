/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/worker-message.h"

/* Messages of worker-message.h on their sockets. One that is longer than WORKER_DATAGRAM_MAX is
 * written to a sealed memfd, which travels as the last descriptor of a datagram of one zero byte;
 * both sides need not know. */

#define WORKER_DATAGRAM_MAX (64U << 10)
#define WORKER_FDS_MAX 2 /* beside the memfd */

typedef struct WorkerPacket {
        WorkerMessage message; /* its blob points into data */
        int fds[WORKER_FDS_MAX];
        size_t n_fds;
        uint8_t *data;
        size_t size;
        int memory_fd; /* data is a mapping of it; negative: data is on the heap */
} WorkerPacket;

#define WORKER_PACKET_INIT ((WorkerPacket){ .fds = { -EBADF, -EBADF }, .memory_fd = -EBADF })

/* Frees it and closes the descriptors that nobody took (by take_fd()). */
void worker_packet_done(WorkerPacket *packet);

/* @fds      stay the caller's
 * @flags    of sendmsg(): MSG_DONTWAIT
 * Returns   0; -EMSGSIZE more than WORKER_MESSAGE_MAX; -EAGAIN; -EPIPE; -ENOMEM ... */
int worker_send(int fd, const WorkerMessage *message, const int *fds, size_t n_fds, int flags);

/* Sends a received message on, without its descriptors. */
int worker_forward(int fd, const WorkerPacket *packet);

/* Returns 1 with a packet, the caller's; 0 at the end of the connection; -EBADMSG not a message;
 * -EAGAIN; -ENOMEM ... */
int worker_receive(int fd, WorkerPacket *ret, int flags);
