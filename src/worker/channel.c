/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "wire/fd-socket.h"
#include "worker/channel.h"

typedef struct ChannelFault {
        uint32_t type;
        Fault fault;
} ChannelFault;

typedef struct ChannelTrees {
        uint32_t type;
        uint32_t mask; /* bit i: tree i is there */
} ChannelTrees;

int channel_send(int fd, ChannelType type, const int *fds, size_t n_fds)
{
        uint32_t word = type;

        return fd_socket_send(fd, &word, sizeof(word), fds, n_fds, 0);
}

static int expect(int fd, ChannelType type, int *fds, size_t *n_fds, int flags)
{
        uint32_t word;
        ssize_t n;

        n = fd_socket_receive(fd, &word, sizeof(word), fds, n_fds, flags);
        if (n == 0)
                return -EPIPE;
        if (n < 0)
                return (int)n;
        if (n != sizeof(word) || word != type) {
                for (size_t i = 0; i < *n_fds; i++)
                        fds[i] = fd_close(fds[i]);
                return -EBADMSG;
        }
        return 0;
}

int channel_expect(int fd, ChannelType type, int *fds, size_t *n_fds)
{
        return expect(fd, type, fds, n_fds, 0);
}

int channel_send_trees(int fd, const int trees[_CHANNEL_TREE_MAX])
{
        ChannelTrees message = { .type = CHANNEL_TREES };
        int fds[_CHANNEL_TREE_MAX];
        size_t n_fds = 0;

        for (int i = 0; i < _CHANNEL_TREE_MAX; i++)
                if (trees[i] >= 0) {
                        message.mask |= UINT32_C(1) << i;
                        fds[n_fds++] = trees[i];
                }
        return fd_socket_send(fd, &message, sizeof(message), fds, n_fds, 0);
}

int channel_expect_trees(int fd, int trees[_CHANNEL_TREE_MAX])
{
        ChannelTrees message;
        int fds[_CHANNEL_TREE_MAX];
        size_t n_fds = ELEMENTSOF(fds), n_taken = 0;
        ssize_t n;

        n = fd_socket_receive(fd, &message, sizeof(message), fds, &n_fds, 0);
        if (n == 0)
                return -EPIPE;
        if (n < 0)
                return (int)n;
        if (n != sizeof(message) || message.type != CHANNEL_TREES ||
            message.mask >> _CHANNEL_TREE_MAX ||
            (size_t)__builtin_popcount(message.mask) != n_fds) {
                for (size_t i = 0; i < n_fds; i++)
                        fd_close(fds[i]);
                return -EBADMSG;
        }
        for (int i = 0; i < _CHANNEL_TREE_MAX; i++)
                trees[i] = message.mask >> i & 1 ? fds[n_taken++] : -EBADF;
        return 0;
}

int channel_wait_gate(int fd)
{
        size_t n_fds = 0;
        int r;

        r = expect(fd, CHANNEL_GATE, NULL, &n_fds, MSG_DONTWAIT);
        if (r != -EAGAIN)
                return r;
        r = channel_send(fd, CHANNEL_READY, NULL, 0);
        if (r < 0)
                return r;
        n_fds = 0;
        return expect(fd, CHANNEL_GATE, NULL, &n_fds, 0);
}

void channel_send_fault(int fd, const Fault *fault)
{
        ChannelFault message = { .type = CHANNEL_FAULT, .fault = *fault };

        (void)fd_socket_send(fd, &message, sizeof(message), NULL, 0, MSG_DONTWAIT);
}

static int take_fault(ChannelFault *message, ssize_t size, Fault *fault)
{
        if (size != sizeof(*message) || message->type != CHANNEL_FAULT ||
            message->fault.kind <= FAULT_NONE || message->fault.kind >= _FAULT_MAX ||
            message->fault.error >= 0)
                return -EBADMSG;
        message->fault.text[sizeof(message->fault.text) - 1] = 0;
        (void)fault_set(fault, message->fault.kind, message->fault.error, "%s",
                        message->fault.text);
        return CHANNEL_FAULT;
}

int channel_receive_network(int fd, int *ret_fd, Fault *fault)
{
        ChannelFault message;
        int netns_fd = -EBADF, r;
        size_t n_fds = 1;
        ssize_t n;

        n = fd_socket_receive(fd, &message, sizeof(message), &netns_fd, &n_fds, 0);
        if (n <= 0)
                return n < 0 ? (int)n : -EPIPE;
        if (n == sizeof(message.type) && message.type == CHANNEL_NETWORK && n_fds == 1) {
                *ret_fd = netns_fd;
                return CHANNEL_NETWORK;
        }
        r = take_fault(&message, n, fault);
        if (n_fds == 1)
                fd_close(netns_fd);
        return r;
}

int channel_receive(int fd, Fault *fault)
{
        ChannelFault message;
        size_t n_fds = 0;
        ssize_t n;

        n = fd_socket_receive(fd, &message, sizeof(message), NULL, &n_fds, MSG_DONTWAIT);
        if (n <= 0)
                return (int)n;
        if (n == sizeof(message.type) && message.type == CHANNEL_READY)
                return CHANNEL_READY;
        return take_fault(&message, n, fault);
}
