/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wshd is PID 1 of every container: it reaps, it starts jobs for the daemon, and it keeps how they
 * ended until somebody has asked. It is started by the container's set-up, from a sealed copy, with
 *
 *     fd 0-2   /dev/null
 *     fd 3     a bound SOCK_SEQPACKET socket, whose path is the host's and not the container's.
 *              listen() is called here, so that SO_PEERCRED on the other side names this process
 *
 * in all its namespaces, in its cgroup, under its seccomp filter. doc/protocol-wshd.md has what is
 * said over the socket. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"
#include "init/passwd.h"
#include "init/server.h"

#define LISTEN_FD 3
#define BACKLOG WSHD_CLIENTS_MAX

/* The container's own null device, opened before any job could put something else in its place. It
 * stays at 0 to 2, which is where a job finds it that was given nothing else. */
static int setup_null(void)
{
        _drop_(drop_fd) int fd = -EBADF;
        struct stat st;

        fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return -ENODEV;
        if (fd_set_nonblock(fd, 0) < 0)
                return -errno;
        for (int i = 0; i < 3; i++)
                if (dup2(fd, i) < 0)
                        return -errno;
        return 0;
}

static int setup_devpts(void)
{
        int fd = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* What a job would inherit goes back to the default once, here; the few signals that we take are
 * blocked until the child clears its mask. All others are left alone: PID 1 is not reached by a
 * signal that it has no handler for, and one that is blocked instead would be queued. */
static int setup_signals(void)
{
        static const char by_default[64];
        sigset_t taken, blocked;
        int fd;

        /* Not signal(): the C library keeps some for itself and does not touch them, while glibc's
         * posix_spawn(), by which the daemon starts the worker, leaves two of them ignored. All
         * zeros is SIG_DFL, whatever the kernel's structure looks like. */
        for (int i = 1; i <= 64; i++)
                (void)syscall(SYS_rt_sigaction, i, by_default, NULL, 8);
        (void)sigemptyset(&taken);
        (void)sigaddset(&taken, SIGCHLD);
        (void)sigaddset(&taken, SIGTERM);
        (void)sigaddset(&taken, SIGINT);
        (void)sigaddset(&taken, SERVER_SIGNAL_HALT);
        (void)sigaddset(&taken, SERVER_SIGNAL_POWEROFF);
        /* Readers come and go. PID 1 would not die of it, but beside another PID 1 we would. */
        blocked = taken;
        (void)sigaddset(&blocked, SIGPIPE);
        if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
                return -errno;
        fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

/* A descriptor or two for each job are ours; jobs get the usual limit back. */
static void setup_limits(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int setup_listen(void)
{
        int r;

        r = fd_set_nonblock(LISTEN_FD, 1);
        if (r >= 0)
                r = fd_set_cloexec(LISTEN_FD, 1);
        if (r >= 0 && listen(LISTEN_FD, BACKLOG) < 0)
                r = -errno;
        return r;
}

static int setup(Server *server)
{
        const char *grace = getenv("WSHD_GRACE_USEC");
        uint32_t grace_usec;
        int signal_fd, r;

        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        (void)prctl(PR_SET_NAME, "wshd", 0, 0, 0);
        (void)umask(0077);
        (void)syscall(SYS_close_range, LISTEN_FD + 1, ~0U, 0);
        setup_limits();
        r = setup_null();
        if (r < 0)
                return r;
        signal_fd = setup_signals();
        if (signal_fd < 0)
                return signal_fd;
        server_init(server, LISTEN_FD, signal_fd, setup_devpts(), getpid() == 1);
        if (grace && passwd_parse_id(grace, &grace_usec) >= 0)
                server->grace_usec = grace_usec;
        return setup_listen();
}

int main(void)
{
        static Server server;
        int r;

        r = setup(&server);
        if (r < 0)
                return 1;

        /* From here on PID 1 may not exit, whatever happens, but when it was asked to stop: its end
         * is the end of everything in the container. */
        return server_run(&server);
}
