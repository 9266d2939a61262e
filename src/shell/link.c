/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No hello: it would have PID 1 list all its jobs, and the answer to the first request tells as
 * well whether it speaks our version. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "shell/link.h"

int link_open(Link *link, int dir_fd, Fault *fault)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _drop_(drop_fd) int fd = -EBADF;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "Cannot make a socket: %m");
        /* The directory's path may be too long for sun_path, its descriptor is not. */
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/wshd.sock",
                       dir_fd);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return fault_set(fault, FAULT_BAD_STATE, -errno,
                                 "PID 1 of the container does not answer: %m");
        link->fd = take_fd(&fd);
        return 0;
}

void link_close(Link *link)
{
        link->fd = fd_close(link->fd);
}

static int wait_for(int fd, short events)
{
        struct pollfd pollfd = { .fd = fd, .events = events };

        while (poll(&pollfd, 1, -1) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int link_send(Link *link, WshdMessage *m, const int *fds, size_t n_fds)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int size, r;

        m->sequence = ++link->sequence;
        size = wshd_message_encode(m, buffer, sizeof(buffer));
        if (size < 0)
                return size;
        for (;;) {
                r = wshd_send(link->fd, buffer, (size_t)size, fds, n_fds);
                if (r != -EAGAIN)
                        return r < 0 ? r : 0;
                r = wait_for(link->fd, POLLOUT);
                if (r < 0)
                        return r;
        }
}

static void close_all(int *fds, size_t n_fds)
{
        for (size_t i = 0; i < n_fds; i++)
                fds[i] = fd_close(fds[i]);
}

/* One datagram. Returns 1; -EAGAIN; -ECONNRESET at the end; -EBADMSG. */
static int receive(Link *link, WshdMessage *ret, int *ret_fds, size_t *ret_n_fds)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        size_t n_fds = WSHD_FDS_MAX;
        int r;

        r = wshd_receive(link->fd, buffer, sizeof(buffer), ret_fds, &n_fds);
        if (r <= 0)
                return r < 0 ? r : -ECONNRESET;
        r = wshd_message_decode(buffer, (size_t)r, ret);
        if (r < 0) {
                close_all(ret_fds, n_fds);
                return r;
        }
        ret->spec = NULL;
        ret->spec_size = 0;
        if (ret->type == WSHD_EXITED && (link->job == 0 || ret->job == link->job)) {
                link->end = *ret;
                link->is_ended = 1;
        }
        *ret_n_fds = n_fds;
        return 1;
}

int link_call(Link *link, WshdMessage *m, const int *fds, size_t n_fds, int *ret_fds)
{
        int received[WSHD_FDS_MAX];
        size_t n_received;
        int r;

        r = link_send(link, m, fds, n_fds);
        if (r < 0)
                return r;
        for (;;) {
                WshdMessage reply;

                r = receive(link, &reply, received, &n_received);
                if (r == -EAGAIN) {
                        r = wait_for(link->fd, POLLIN);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (r < 0)
                        return r;
                if (reply.type == WSHD_EXITED || reply.sequence != link->sequence) {
                        close_all(received, n_received);
                        continue;
                }
                *m = reply;
                break;
        }
        if (!ret_fds)
                close_all(received, n_received);
        for (size_t i = 0; ret_fds && i < WSHD_FDS_MAX; i++)
                ret_fds[i] = i < n_received ? received[i] : -EBADF;
        return 0;
}

int link_dispatch(Link *link)
{
        for (;;) {
                int fds[WSHD_FDS_MAX];
                size_t n_fds;
                WshdMessage m;
                int r;

                r = receive(link, &m, fds, &n_fds);
                if (r == -EAGAIN)
                        return 0;
                if (r < 0)
                        return r;
                close_all(fds, n_fds);
        }
}
