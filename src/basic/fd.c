/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"

int fd_close(int fd)
{
        int saved = errno;

        /* EINTR is not an error on Linux: the descriptor is gone either way. */
        if (fd >= 0)
                (void)close(fd);
        errno = saved;
        return -EBADF;
}

int fd_dup(int fd)
{
        int r = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return r < 0 ? -errno : r;
}

static int fd_toggle(int fd, int get, int set, int bit, int is_on)
{
        int flags = fcntl(fd, get);
        int wanted;

        if (flags < 0)
                return -errno;
        wanted = is_on ? flags | bit : flags & ~bit;
        if (wanted != flags && fcntl(fd, set, wanted) < 0)
                return -errno;
        return 0;
}

int fd_set_nonblock(int fd, int is_on)
{
        return fd_toggle(fd, F_GETFL, F_SETFL, O_NONBLOCK, is_on);
}

int fd_set_cloexec(int fd, int is_on)
{
        return fd_toggle(fd, F_GETFD, F_SETFD, FD_CLOEXEC, is_on);
}
