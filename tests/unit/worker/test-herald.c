/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/herald.h"

static void read_group(char *buffer, size_t size)
{
        FILE *f = fopen("/proc/self/cgroup", "re");
        size_t n;

        assert_non_null(f);
        n = fread(buffer, 1, size - 1, f);
        buffer[n] = 0;
        (void)fclose(f);
}

static void test_moves_nobody(void **state)
{
        char before[4096], after[4096];
        Herald herald;
        int status;
        pid_t pid;

        read_group(before, sizeof(before));
        herald_start(&herald);
        for (int i = 0; i < 100; i++)
                herald_announce(&herald);
        herald_done(&herald);
        assert_int_equal(herald.pipe_fd, -EBADF);
        pid = waitpid(-1, &status, 0);
        /* No process where this one may not write to its own group. */
        if (pid < 0)
                assert_int_equal(errno, ECHILD);
        else
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        read_group(after, sizeof(after));
        assert_string_equal(before, after);
}

static void test_is_silent_without_process(void **state)
{
        Herald herald = HERALD_INIT;

        herald_announce(&herald);
        herald_done(&herald);
        assert_int_equal(herald.pipe_fd, -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "moves nobody, and ends with its pipe", test_moves_nobody },
                { "says nothing where there is no process", test_is_silent_without_process },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
