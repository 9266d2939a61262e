/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "socket-pair.h"

#define FD_MAX 512 /* more than any case opens */

int socket_pair_count_open(void)
{
        int n = 0;

        for (int fd = 0; fd < FD_MAX; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

int socket_pair_setup(void **state)
{
        SocketPair *pair = calloc(1, sizeof(*pair));
        int fds[2];

        if (!pair || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return -1;
        pair->a = fds[0];
        pair->b = fds[1];
        pair->n_open = socket_pair_count_open();
        *state = pair;
        return 0;
}

int socket_pair_teardown(void **state)
{
        SocketPair *pair = *state;

        fd_close(pair->a);
        fd_close(pair->b);
        free(pair);
        return 0;
}
