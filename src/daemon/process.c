/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "basic/parse.h"
#include "daemon/process.h"

int process_get_start_ticks(uint32_t pid, uint64_t *ret)
{
        _drop_(drop_free) char *text = NULL;
        char path[40], *p;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
        r = io_read_file(AT_FDCWD, path, 4096, &text, NULL);
        if (r < 0)
                return r;
        /* The second field is a name in brackets and may hold anything, brackets too. */
        p = strrchr(text, ')');
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        if (!p)
                return -EBADMSG;
        p[strcspn(p + 1, " ") + 1] = 0;
        return parse_u64(p + 1, ret);
}

int process_open(uint32_t pid, uint64_t start_ticks, int *ret_pidfd)
{
        _drop_(drop_fd) int fd = -EBADF;
        uint64_t ticks;
        int r;

        if (pid == 0)
                return -ESRCH;
        fd = pidfd_open((pid_t)pid, 0);
        if (fd < 0)
                return -errno;
        /* After the open: from here on the pid cannot become another process's unnoticed. */
        r = process_get_start_ticks(pid, &ticks);
        if (r == -ENOENT || (r >= 0 && ticks != start_ticks))
                return -ESRCH;
        if (r < 0)
                return r;
        *ret_pidfd = take_fd(&fd);
        return 0;
}

int process_get_pid(int pidfd, uint32_t *ret)
{
        _drop_(drop_free) char *text = NULL;
        const char *p;
        char path[40];
        int r, pid;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
        r = io_read_file(AT_FDCWD, path, 4096, &text, NULL);
        if (r < 0)
                return r;
        p = strstr(text, "\nPid:");
        if (!p || sscanf(p + 5, "%d", &pid) != 1)
                return -EBADF;
        *ret = pid > 0 ? (uint32_t)pid : 0;
        return 0;
}

int process_signal(int pidfd, int signal)
{
        if (pidfd < 0)
                return -ESRCH;
        return pidfd_send_signal(pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int process_is_gone(int pidfd)
{
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        return poll(&p, 1, 0) > 0 && (p.revents & POLLIN) != 0;
}
