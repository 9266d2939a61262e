/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "rootfs/syscalls.h"
#include "worker/herald.h"

#define GROUPS_MAX_BYTES (64U << 10)

/* Where systemd keeps its own hierarchy; any would do, and this one is always there. */
static const char *const mounts[][2] = {
        { ":name=systemd:", "/sys/fs/cgroup/systemd" },
        { "0::", "/sys/fs/cgroup" },
};

/* Opens cgroup.procs of our own group for writing. @groups is /proc/self/cgroup. */
static int open_own_group(const char *groups)
{
        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                const char *start = strstr(groups, mounts[i][0]);
                char path[PATH_MAX];
                int n, fd;

                if (!start)
                        continue;
                start += strlen(mounts[i][0]);
                n = snprintf(path, sizeof(path), "%s%.*s/cgroup.procs", mounts[i][1],
                             (int)strcspn(start, "\n"), start);
                if (n < 0 || (size_t)n >= sizeof(path))
                        continue;
                fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
                if (fd >= 0)
                        return fd;
        }
        return -ENOENT;
}

/* 0 is the pipe, 1 the group. */
static _noreturn_ void herald_run(int pipe_fd, int group_fd)
{
        char announcements[64];

        if (dup2(pipe_fd, 0) < 0 || dup2(group_fd, 1) < 0 || sys_close_range(2, ~0U, 0) < 0)
                _exit(1);
        (void)prctl(PR_SET_NAME, "warden-herald");
        /* Many at once are one. */
        while (read(0, announcements, sizeof(announcements)) > 0)
                if (pwrite(1, "0", 1, 0) < 0)
                        break;
        _exit(0);
}

void herald_start(Herald *ret)
{
        _drop_(drop_fd) int group_fd = -EBADF, read_fd = -EBADF, write_fd = -EBADF;
        _drop_(drop_free) char *groups = NULL;
        int ends[2];
        pid_t pid;

        *ret = HERALD_INIT;
        if (io_read_file(AT_FDCWD, "/proc/self/cgroup", GROUPS_MAX_BYTES, &groups, NULL) < 0)
                return;
        group_fd = open_own_group(groups);
        if (group_fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
                return;
        read_fd = ends[0];
        write_fd = ends[1];
        if (fcntl(write_fd, F_SETFL, O_NONBLOCK) < 0)
                return;
        pid = fork();
        if (pid == 0)
                herald_run(read_fd, group_fd);
        if (pid > 0)
                ret->pipe_fd = take_fd(&write_fd);
}

void herald_done(Herald *herald)
{
        fd_close(herald->pipe_fd);
        *herald = HERALD_INIT;
}

void herald_announce(const Herald *herald)
{
        ssize_t n;

        if (herald->pipe_fd < 0)
                return;
        /* A full pipe says the same, and without a reader there is nobody who waits for it. */
        n = write(herald->pipe_fd, "", 1);
        (void)n;
}
