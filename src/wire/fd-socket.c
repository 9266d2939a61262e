/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "wire/fd-socket.h"

typedef union FdBuffer {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(sizeof(int) * FD_SOCKET_MAX)];
} FdBuffer;

int fd_socket_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds, int flags)
{
        struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        FdBuffer control;

        if (size == 0 || n_fds > FD_SOCKET_MAX)
                return -EINVAL;
        if (n_fds > 0) {
                size_t n_bytes = sizeof(int) * n_fds;
                struct cmsghdr *header;

                msg.msg_control = &control;
                msg.msg_controllen = CMSG_SPACE(n_bytes);
                memset(&control, 0, CMSG_SPACE(n_bytes));
                header = CMSG_FIRSTHDR(&msg);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(n_bytes);
                memcpy(CMSG_DATA(header), fds, n_bytes);
        }
        while (sendmsg(fd, &msg, flags | MSG_NOSIGNAL) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

/* Takes what the kernel has installed. Returns the count, which may be larger than the room; what
 * does not fit is closed. */
static size_t take_descriptors(struct msghdr *msg, int *fds, size_t room)
{
        size_t n_fds = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
                size_t n;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < n; i++, n_fds++) {
                        int received;

                        memcpy(&received, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (n_fds < room)
                                fds[n_fds] = received;
                        else
                                fd_close(received);
                }
        }
        return n_fds;
}

ssize_t fd_socket_receive(int fd, void *buffer, size_t room, int *fds, size_t *n_fds, int flags)
{
        struct iovec iov = { .iov_base = buffer, .iov_len = room };
        FdBuffer control;
        struct msghdr msg = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        size_t n_received, n_kept;
        ssize_t n;

        /* A reset says that the other end was closed before it had read all we sent. It is said
         * once, and before what the other end sent is handed out: its last words are still to come.
         */
        do
                n = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return -errno;

        n_received = take_descriptors(&msg, fds, *n_fds);
        n_kept = MIN2(n_received, *n_fds);
        if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n_received > n_kept ||
            (n == 0 && n_kept > 0)) {
                for (size_t i = 0; i < n_kept; i++)
                        fds[i] = fd_close(fds[i]);
                return -EBADMSG;
        }
        *n_fds = n_kept;
        return n;
}
