/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/fault.h"

/* Between a worker and the child that becomes PID 1: a socketpair of SOCK_SEQPACKET. After the
 * plan, which goes as it came, the messages below, in this order; the child says only that it has
 * to wait for the gate, or what went wrong. The end of the connection is the child's exec or its
 * death; for the child it is the death of the worker, and then its own. Both ends are the same
 * program, so that structures travel as they are. */

typedef enum ChannelType {
        CHANNEL_TREES = 1, /* fds: CHANNEL_TREE_* */
        CHANNEL_BINDS,     /* fds: as many bind mounts, in the plan's order; repeated */
        CHANNEL_GATE,
        CHANNEL_READY,   /* from the child: it waits for the gate */
        CHANNEL_FAULT,   /* from the child */
        CHANNEL_NETWORK, /* only with addresses or interfaces; from the child, fd: its network
                          * namespace; then, after the binds and without one, to it: its
                          * interfaces are there */
        _CHANNEL_TYPE_MAX,
} ChannelType;

typedef enum ChannelTree {
        CHANNEL_TREE_LAYER, /* not with Storage=tmpfs, which only the child can make */
        CHANNEL_TREE_LOWER,
        CHANNEL_TREE_SOCKET, /* bound, not listening yet: fd 3 of wshd */
        CHANNEL_TREE_SYS,    /* only with the host's network */
        _CHANNEL_TREE_MAX,
} ChannelTree;

#define CHANNEL_BINDS_MAX 250 /* descriptors in one message */

/* Returns 0; -EPIPE: the other end is gone; negative errno. */
int channel_send(int fd, ChannelType type, const int *fds, size_t n_fds);

/* The trees that there are: the others are -EBADF here and there. Return 0; -EPIPE; -EBADMSG;
 * negative errno. Received ones are the caller's. */
int channel_send_trees(int fd, const int trees[_CHANNEL_TREE_MAX]);
int channel_expect_trees(int fd, int trees[_CHANNEL_TREE_MAX]);

/* Receives a message that must be of this type. *n_fds: in: room, out: count; the caller's.
 * Returns 0; -EPIPE: the other end is gone; -EBADMSG; negative errno. */
int channel_expect(int fd, ChannelType type, int *fds, size_t *n_fds);

/* Never blocks: the reason why nobody listens is the worker's problem. */
void channel_send_fault(int fd, const Fault *fault);

/* Like channel_expect() of the gate, and tells the other end when it is not there yet. */
int channel_wait_gate(int fd);

/* Waits for CHANNEL_NETWORK. Returns CHANNEL_NETWORK with the descriptor, the caller's;
 * CHANNEL_FAULT, and sets it; -EPIPE; -EBADMSG; negative errno. */
int channel_receive_network(int fd, int *ret_fd, Fault *fault);

/* Takes what the child has to say, without waiting. Returns CHANNEL_READY; CHANNEL_FAULT, and sets
 * it; 0: the child's end is closed; -EAGAIN; negative errno. */
int channel_receive(int fd, Fault *fault);
