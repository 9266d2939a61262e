/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/child.h"
#include "init/clock.h"
#include "init/spawn.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

int pty_resize(int master_fd, uint32_t rows, uint32_t columns)
{
        struct winsize size;

        if (rows == 0 || rows > UINT16_MAX || columns == 0 || columns > UINT16_MAX)
                return -EINVAL;
        size = (struct winsize){ .ws_row = (uint16_t)rows, .ws_col = (uint16_t)columns };
        return ioctl(master_fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* The directory is held since before the first job: /dev/pts is a name that root of the container
 * may give to something else. */
static int pty_open(const Spawn *spawn, int *ret_fd)
{
        _drop_(drop_fd) int fd = -EBADF;
        int unlock = 0, r;

        if (spawn->devpts_fd < 0)
                return spawn->devpts_fd;
        fd = openat(spawn->devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
                return -errno;
        r = pty_resize(fd, spawn->rows ?: 24, spawn->columns ?: 80);
        if (r < 0)
                return r;
        *ret_fd = take_fd(&fd);
        return 0;
}

/* A copy, not CLONE_VM: PID 1's few pages are copied in less time than exec needs, and what the
 * child does with the container's files must not be done in PID 1's memory. Not vfork either, which
 * would wait for exec. The stack argument is NULL, so the arguments' order, which differs between
 * machines, is the same as far as we use it. */
static pid_t clone_process(int *ret_pidfd)
{
        return (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, ret_pidfd, NULL, NULL);
}

int spawn_start(const Spawn *spawn, Job *job, uint32_t *ret_stage)
{
        _drop_(drop_fd) int master_fd = -EBADF, read_fd = -EBADF, write_fd = -EBADF;
        int pair[2], pidfd, r;
        pid_t pid;

        if (spawn->is_tty) {
                *ret_stage = WSHD_STAGE_TTY;
                r = pty_open(spawn, &master_fd);
                if (r < 0)
                        return r;
        }
        *ret_stage = WSHD_STAGE_FORK;
        if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        read_fd = pair[0];
        write_fd = pair[1];
        pid = clone_process(&pidfd);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(&(Child){
                        .stdio_fds = { spawn->stdio_fds[0], spawn->stdio_fds[1],
                                       spawn->stdio_fds[2] },
                        .master_fd = master_fd,
                        .spec_fd = spawn->spec_fd,
                        .spec = spawn->spec,
                        .spec_size = spawn->spec_size,
                        .error_fd = write_fd,
                        .is_privileged = spawn->is_privileged,
                });

        job->pid = pid;
        job->pidfd = pidfd;
        job->start_fd = take_fd(&read_fd);
        job->master_fd = take_fd(&master_fd);
        job->start_usec = clock_realtime_usec();
        return 0;
}
