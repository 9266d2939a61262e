/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "daemon/process.h"

static pid_t spawn_sleeper(const char *name)
{
        pid_t pid = fork();

        if (pid == 0) {
                (void)prctl(PR_SET_NAME, name);
                for (;;)
                        (void)pause();
        }
        return pid;
}

static void end(pid_t pid)
{
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_ticks(void **state)
{
        uint64_t ours, again, later;
        pid_t pid;

        assert_int_equal(process_get_start_ticks((uint32_t)getpid(), &ours), 0);
        assert_int_equal(process_get_start_ticks((uint32_t)getpid(), &again), 0);
        assert_true(ours > 0);
        assert_int_equal(ours, again);
        pid = spawn_sleeper("plain");
        assert_int_equal(process_get_start_ticks((uint32_t)pid, &later), 0);
        assert_true(later >= ours);
        end(pid);
        assert_int_equal(process_get_start_ticks((uint32_t)pid, &later), -ENOENT);
}

static void test_hostile_name(void **state)
{
        pid_t pid = spawn_sleeper(") S 1 1 (1");
        _drop_(drop_fd) int fd = -EBADF;
        uint64_t ticks, ours;

        /* The name may not have been set yet; either way the field is the right one. */
        for (int i = 0; i < 1000; i++) {
                assert_int_equal(process_get_start_ticks((uint32_t)pid, &ticks), 0);
                assert_int_equal(process_get_start_ticks((uint32_t)getpid(), &ours), 0);
                assert_true(ticks >= ours);
        }
        assert_int_equal(process_open((uint32_t)pid, ticks, &fd), 0);
        end(pid);
}

static void test_open(void **state)
{
        pid_t pid = spawn_sleeper("target");
        _drop_(drop_fd) int fd = -EBADF;
        struct pollfd p;
        uint64_t ticks;
        uint32_t seen;

        assert_int_equal(process_get_start_ticks((uint32_t)pid, &ticks), 0);
        assert_int_equal(process_open((uint32_t)pid, ticks + 1, &fd), -ESRCH);
        assert_int_equal(fd, -EBADF);
        assert_int_equal(process_open(0, 0, &fd), -ESRCH);
        assert_int_equal(process_open((uint32_t)pid, ticks, &fd), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(process_get_pid(fd, &seen), 0);
        assert_int_equal(seen, pid);

        assert_int_equal(process_is_gone(fd), 0);
        assert_int_equal(process_signal(fd, SIGKILL), 0);
        p = (struct pollfd){ .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, 10000), 1);
        assert_int_equal(process_is_gone(fd), 1);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(process_is_gone(fd), 1);
        assert_int_equal(process_signal(fd, SIGKILL), -ESRCH);
        assert_int_equal(process_get_pid(fd, &seen), 0);
        assert_int_equal(seen, 0);
}

static void test_not_a_pidfd(void **state)
{
        _drop_(drop_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        uint32_t pid = 99;

        assert_int_equal(process_get_pid(fd, &pid), -EBADF);
        assert_int_equal(pid, 99);
        assert_int_equal(process_signal(-EBADF, SIGTERM), -ESRCH);
        assert_int_equal(process_is_gone(-EBADF), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads a start time that stays and is gone with the process", test_ticks, NULL,
                  NULL, NULL },
                { "is not misled by brackets in a process's name", test_hostile_name, NULL, NULL,
                  NULL },
                { "opens only the process that had the start time", test_open, NULL, NULL, NULL },
                { "tells a pidfd from another descriptor", test_not_a_pidfd, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
