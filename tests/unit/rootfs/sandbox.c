/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/io.h"
#include "sandbox.h"

#define NO_NAMESPACES 77

void sandbox_fail(const char *file, int line, const char *condition)
{
        (void)printf("# %s:%d: %s (errno: %s)\n", file, line, condition, strerror(errno));
        (void)fflush(stdout);
        _exit(1);
}

static int write_maps(unsigned uid, unsigned gid)
{
        char line[64];

        (void)snprintf(line, sizeof(line), "0 %u 1\n", uid);
        if (io_write_string(AT_FDCWD, "/proc/self/uid_map", line) < 0 ||
            io_write_string(AT_FDCWD, "/proc/self/setgroups", "deny") < 0)
                return -1;
        (void)snprintf(line, sizeof(line), "0 %u 1\n", gid);
        return io_write_string(AT_FDCWD, "/proc/self/gid_map", line);
}

static void enter(void (*fn)(void *argument), void *argument)
{
        unsigned uid = geteuid(), gid = getegid();
        int status;
        pid_t pid;

        if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                    CLONE_NEWUTS) < 0)
                _exit(NO_NAMESPACES);
        if (write_maps(uid, gid) < 0)
                _exit(NO_NAMESPACES);
        pid = fork();
        if (pid < 0)
                _exit(NO_NAMESPACES);
        if (pid == 0) {
                fn(argument);
                (void)fflush(stdout);
                _exit(0);
        }
        _exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void sandbox_run(void (*fn)(void *argument), void *argument)
{
        int status;
        pid_t pid;

        (void)fflush(stdout);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                enter(fn, argument);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == NO_NAMESPACES) {
                print_message("# skipped: no user namespaces here\n");
                skip();
        }
        assert_int_equal(WEXITSTATUS(status), 0);
}

void sandbox_make_tmp(const char *const *directories)
{
        CHECK(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=755") == 0);
        CHECK(chdir("/tmp") == 0);
        for (size_t i = 0; directories[i]; i++)
                CHECK(mkdir(directories[i], 0755) == 0);
}
