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
        fd = openat(spawn->devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
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

/* The job's ends of what was made for it, until it has them. */
typedef struct SpawnEnds {
        int fds[3];
} SpawnEnds;

static void spawn_ends_done(SpawnEnds *ends)
{
        for (int i = 0; i < 3; i++)
                fd_close(ends->fds[i]);
}

/* A terminal is one stream, read from its master, and an input into the same. Without a ring it is
 * read all the same, or the job would wait for ever. */
static int spawn_open_tty(const Spawn *spawn, Job *job, uint32_t *ret_stage)
{
        int r;

        *ret_stage = WSHD_STAGE_RING;
        r = stream_open_tty(&job->streams[0], spawn->ring_bytes);
        if (r < 0)
                return r;
        *ret_stage = WSHD_STAGE_TTY;
        r = pty_open(spawn, &job->master_fd);
        if (r < 0)
                return r;
        stream_set_master(&job->streams[0], job->master_fd);
        input_set_master(&job->input, job->master_fd);
        return 0;
}

static int spawn_open_pipes(const Spawn *spawn, Job *job, SpawnEnds *ends)
{
        static const char *const names[] = { "stdout", "stderr" };
        int r;

        if (spawn->has_input) {
                r = input_open(&job->input, &ends->fds[0]);
                if (r < 0)
                        return r;
        }
        for (int i = 0; i < 2 && spawn->ring_bytes > 0; i++) {
                if (spawn->stdio_fds[i + 1] >= 0)
                        continue;
                r = stream_open(&job->streams[i], names[i], spawn->ring_bytes, &ends->fds[i + 1]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int spawn_open_streams(const Spawn *spawn, Job *job, SpawnEnds *ends, uint32_t *ret_stage)
{
        int r;

        *ret_stage = WSHD_STAGE_RING;
        r = spawn->is_tty ? spawn_open_tty(spawn, job, ret_stage)
                          : spawn_open_pipes(spawn, job, ends);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(job->streams); i++)
                job->streams[i].has_backpressure = (uint8_t)spawn->has_backpressure;
        return 0;
}

/* In the new process. */
static _noreturn_ void spawn_run_child(const Spawn *spawn, const Job *job, const SpawnEnds *ends,
                                       int error_fd)
{
        Child child = {
                .master_fd = job->master_fd,
                .spec_fd = spawn->spec_fd,
                .spec = spawn->spec,
                .spec_size = spawn->spec_size,
                .error_fd = error_fd,
                .is_privileged = spawn->is_privileged,
        };

        for (int i = 0; i < 3; i++) {
                child.stdio_fds[i] = ends->fds[i] >= 0 ? ends->fds[i] : spawn->stdio_fds[i];
                child.is_own[i] = ends->fds[i] >= 0;
        }
        child_run(&child);
}

int spawn_start(const Spawn *spawn, Job *job, uint32_t *ret_stage)
{
        _drop_(spawn_ends_done) SpawnEnds ends = { { -EBADF, -EBADF, -EBADF } };
        _drop_(drop_fd) int read_fd = -EBADF, write_fd = -EBADF;
        int pair[2], pidfd, r;
        pid_t pid;

        r = spawn_open_streams(spawn, job, &ends, ret_stage);
        if (r < 0)
                return r;
        *ret_stage = WSHD_STAGE_FORK;
        if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        read_fd = pair[0];
        write_fd = pair[1];
        pid = clone_process(&pidfd);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                spawn_run_child(spawn, job, &ends, write_fd);

        job->pid = pid;
        job->pidfd = pidfd;
        job->start_fd = take_fd(&read_fd);
        job->start_usec = clock_realtime_usec();
        return 0;
}
