/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that mean harm, for the tests of wshd. The first argument says which. */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/macro.h"

/* Leaves that many orphans that end at once. */
static int play_storm(char **arguments)
{
        int n = atoi(arguments[0]);

        for (int i = 0; i < n; i++) {
                pid_t pid = fork();

                if (pid == 0)
                        _exit(i & 255);
                if (pid < 0)
                        return 1;
        }
        return 0;
}

/* Leaves one orphan that lives on. */
static int play_orphan(char **arguments)
{
        pid_t pid = fork();

        if (pid == 0) {
                (void)setsid();
                (void)pause();
                _exit(0);
        }
        return pid < 0;
}

/* Every signal there is to PID 1, and TERM with a forged sender, as sigqueue() allows. */
static int play_signals(char **arguments)
{
        siginfo_t info;

        for (int i = 1; i <= 64; i++)
                (void)syscall(SYS_kill, 1, i);
        memset(&info, 0, sizeof(info));
        info.si_signo = SIGTERM;
        info.si_code = SI_QUEUE;
        info.si_pid = 0;
        if (syscall(SYS_rt_sigqueueinfo, 1, SIGTERM, &info) < 0)
                return 1;
        info.si_code = SI_USER;
        return syscall(SYS_rt_sigqueueinfo, 1, SIGTERM, &info) >= 0 || errno != EPERM;
}

/* Makes PID 1 its tracer, stops, and says nothing more. */
static int play_traced(char **arguments)
{
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                return 1;
        (void)raise(SIGUSR1);
        return 0;
}

/* Connects from inside, and expects to be shown the door. */
static int play_client(char **arguments)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        char byte;

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", arguments[0]);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return 1;
        return recv(fd, &byte, 1, 0) == 0 ? 0 : 2;
}

/* Ignores what asks it to end. */
static int play_stubborn(char **arguments)
{
        (void)signal(SIGTERM, SIG_IGN);
        if (write(STDOUT_FILENO, "x", 1) < 0)
                return 1;
        for (;;)
                (void)pause();
}

/* Makes orphans that end at once, for as long as it lives, which is not until TERM. */
static int play_churn(char **arguments)
{
        (void)signal(SIGTERM, SIG_IGN);
        if (write(STDOUT_FILENO, "x", 1) < 0)
                return 1;
        for (;;) {
                pid_t pid = fork();

                if (pid == 0)
                        _exit(fork() < 0);
                if (pid > 0)
                        (void)waitpid(pid, NULL, 0);
        }
}

/* Writes @size bytes, each of which tells its position. */
static int write_numbers(int fd, uint64_t position, size_t size)
{
        static unsigned char data[65536];
        size_t n = MIN2(size, sizeof(data)), done = 0;

        for (size_t i = 0; i < n; i++)
                data[i] = (unsigned char)((position + i) * 2654435761U >> 16);
        while (done < n) {
                ssize_t r = write(fd, data + done, n - done);

                if (r < 0)
                        return -errno;
                done += (size_t)r;
        }
        return (int)n;
}

/* That many to stdout. */
static int play_numbers(char **arguments)
{
        uint64_t size = strtoull(arguments[0], NULL, 10), position = 0;

        while (position < size) {
                int n = write_numbers(STDOUT_FILENO, position, (size_t)(size - position));

                if (n < 0)
                        return 1;
                position += (uint64_t)n;
        }
        return 0;
}

/* That many bytes to stdout, as fast as can be. */
static int play_zeros(char **arguments)
{
        uint64_t left = strtoull(arguments[0], NULL, 10);
        static char data[65536];

        while (left > 0) {
                ssize_t n = write(STDOUT_FILENO, data, MIN2(left, (uint64_t)sizeof(data)));

                if (n < 0)
                        return 1;
                left -= (uint64_t)n;
        }
        return 0;
}

/* That many to both, and gone. */
static int play_flood(char **arguments)
{
        uint64_t size = strtoull(arguments[0], NULL, 10), position = 0;

        while (position < size) {
                int n = write_numbers(STDOUT_FILENO, position, (size_t)(size - position));

                if (n < 0 || write_numbers(STDERR_FILENO, position, (size_t)n) != n)
                        return 1;
                position += (uint64_t)n;
        }
        return 0;
}

static const struct {
        const char *name;
        int n_arguments;
        int (*play)(char **arguments);
} roles[] = {
        { "churn", 0, play_churn },       { "storm", 1, play_storm },
        { "orphan", 0, play_orphan },     { "signals", 0, play_signals },
        { "traced", 0, play_traced },     { "client", 1, play_client },
        { "stubborn", 0, play_stubborn }, { "numbers", 1, play_numbers },
        { "flood", 1, play_flood },       { "zeros", 1, play_zeros },
};

int main(int argc, char **argv)
{
        for (size_t i = 0; argc > 1 && i < ELEMENTSOF(roles); i++)
                if (strcmp(argv[1], roles[i].name) == 0 && argc == 2 + roles[i].n_arguments)
                        return roles[i].play(argv + 2);
        return 99;
}
