/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/api.h"
#include "rootfs/mount.h"
#include "rootfs/pivot.h"
#include "sandbox.h"

static void in_sandbox_empty(void *argument)
{
        Fault fault = FAULT_INIT;
        char *mounts;
        int proc_fd = -EBADF;

        CHECK(proc_new(&proc_fd, &fault) == 0);
        CHECK(pivot_to_empty(&fault) == 0);
        CHECK(access("/proc", F_OK) < 0 && access("/etc", F_OK) < 0);
        CHECK(mkdir("here", 0755) == 0 && access("/here", F_OK) == 0);
        /* What was made before can still be put somewhere, and then tells what else there is. */
        CHECK(mount_attach(proc_fd, AT_FDCWD, "here") == 0);
        CHECK(io_read_file(AT_FDCWD, "/here/self/mountinfo", 4096, &mounts, NULL) == 0);
        CHECK(strchr(strchr(mounts, '\n') + 1, '\n')[1] == 0); /* two lines */
        CHECK(strstr(mounts, " / / ") && strstr(mounts, " /here "));
        /* ".." of the root is the root, and nothing lies on top of it. */
        CHECK(access("/../here", F_OK) == 0 && access("/../etc", F_OK) < 0);
}

static void test_leaves_everything_behind(void **state)
{
        sandbox_run(in_sandbox_empty, NULL);
}

static void in_sandbox_change(void *argument)
{
        const MountOption options[] = { { "mode", "755" }, { NULL, NULL } };
        int fd = -EBADF;

        CHECK(pivot_to_empty(NULL) == 0);
        CHECK(mkdir("/old", 0755) == 0);
        CHECK(mount_new("tmpfs", options, 0, &fd, NULL) == 0);
        CHECK(mkdirat(fd, "new", 0755) == 0);
        CHECK(mount_attach(fd, AT_FDCWD, "/") == 0);
        CHECK(fchdir(fd) == 0);
        CHECK(pivot_to_working_directory(NULL) == 0);
        CHECK(access("/new", F_OK) == 0 && access("/old", F_OK) < 0);
        CHECK(access("/../new", F_OK) == 0 && access("/../old", F_OK) < 0);
        CHECK(access("new", F_OK) == 0);
}

static void test_changes_the_root(void **state)
{
        sandbox_run(in_sandbox_change, NULL);
}

static void in_sandbox_refuse(void *argument)
{
        Fault fault = FAULT_INIT;

        CHECK(pivot_to_empty(NULL) == 0);
        CHECK(mkdir("/directory", 0755) == 0 && chdir("/directory") == 0);
        CHECK(pivot_to_working_directory(&fault) == -EINVAL);
        CHECK(strstr(fault.text, "pivot_root"));
        CHECK(access("/directory", F_OK) == 0);
}

static void test_refuses_what_is_no_mount(void **state)
{
        sandbox_run(in_sandbox_refuse, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "leaves everything behind", test_leaves_everything_behind },
                { "changes the root", test_changes_the_root },
                { "refuses what is no mount", test_refuses_what_is_no_mount },
        };

        return cmocka_run_group_tests_name("rootfs/pivot", tests, NULL, NULL);
}
