/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/mount.h"
#include "sandbox.h"

static const char *const directories[] = { "a", "b", "c", NULL };

static unsigned long flags_of(int fd)
{
        struct statvfs st;

        CHECK(fstatvfs(fd, &st) == 0);
        return st.f_flag;
}

static void in_sandbox_new(void *argument)
{
        const MountOption options[] = { { "mode", "700" }, { "size", "1m" }, { NULL, NULL } };
        Fault fault = FAULT_INIT;
        struct stat st;
        int fd = -EBADF;

        sandbox_make_tmp(directories);
        CHECK(mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY, &fd, &fault) == 0);
        CHECK(fault.kind == FAULT_NONE);
        CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700);
        CHECK((flags_of(fd) & (ST_NOSUID | ST_RDONLY)) == (ST_NOSUID | ST_RDONLY));
        CHECK(mkdirat(fd, "x", 0755) < 0 && errno == EROFS);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK(mount_attach(fd, AT_FDCWD, "a") == 0);
        CHECK(stat("a", &st) == 0 && (st.st_mode & 07777) == 0700);
}

static void test_makes_file_systems(void **state)
{
        sandbox_run(in_sandbox_new, NULL);
}

static void in_sandbox_refused(void *argument)
{
        const MountOption unknown[] = { { "colour", "blue" }, { NULL, NULL } };
        const MountOption wrong[] = { { "size", "blue" }, { NULL, NULL } };
        Fault fault = FAULT_INIT;
        int fd = -EBADF;

        CHECK(mount_new("tmpfs", unknown, 0, &fd, &fault) == -EINVAL);
        CHECK(strstr(fault.text, "Unknown parameter 'colour'"));
        fault = FAULT_INIT;
        CHECK(mount_new("tmpfs", wrong, 0, &fd, &fault) == -EINVAL);
        CHECK(strstr(fault.text, "tmpfs"));
        fault = FAULT_INIT;
        CHECK(mount_new("nonesuch", NULL, 0, &fd, &fault) == -ENODEV);
        CHECK(fault.kind == FAULT_NOT_SUPPORTED);
        CHECK(fd == -EBADF);
}

static void test_tells_what_the_kernel_says(void **state)
{
        sandbox_run(in_sandbox_refused, NULL);
}

static void in_sandbox_copy(void *argument)
{
        int fd = -EBADF;

        sandbox_make_tmp(directories);
        CHECK(mkdir("a/inner", 0755) == 0);
        CHECK(mount_copy(AT_FDCWD, "a", 0, &fd) == 0);
        CHECK(mount_change(fd, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, -EBADF) == 0);
        CHECK(mount_attach(fd, AT_FDCWD, "b") == 0);
        CHECK(access("b/inner", F_OK) == 0);
        CHECK(mkdir("b/x", 0755) < 0 && errno == EROFS);
        /* The original is as it was. */
        CHECK(mkdir("a/x", 0755) == 0);
        CHECK((flags_of(fd) & ST_NOEXEC) && access("b/x", F_OK) == 0);
}

static void test_copies_with_other_attributes(void **state)
{
        sandbox_run(in_sandbox_copy, NULL);
}

static void in_sandbox_recursive(void *argument)
{
        const MountOption options[] = { { NULL, NULL } };
        int fd = -EBADF, copy_fd = -EBADF;

        sandbox_make_tmp(directories);
        CHECK(mkdir("a/inner", 0755) == 0);
        CHECK(mount_new("tmpfs", options, 0, &fd, NULL) == 0);
        CHECK(mount_attach(fd, AT_FDCWD, "a/inner") == 0);
        CHECK(mkdir("a/inner/deep", 0755) == 0);
        CHECK(mount_copy(AT_FDCWD, "a", 0, &copy_fd) == 0);
        CHECK(faccessat(copy_fd, "inner/deep", F_OK, 0) < 0);
        CHECK(mount_copy(AT_FDCWD, "a", 1, &copy_fd) == 0);
        CHECK(mount_change(copy_fd, 1, MOUNT_ATTR_RDONLY, -EBADF) == 0);
        CHECK(faccessat(copy_fd, "inner/deep", F_OK, 0) == 0);
        CHECK(mkdirat(copy_fd, "inner/x", 0755) < 0 && errno == EROFS);
}

static void test_copies_what_is_below_when_asked(void **state)
{
        sandbox_run(in_sandbox_recursive, NULL);
}

static void in_sandbox_links(void *argument)
{
        int fd = -EBADF;

        sandbox_make_tmp(directories);
        CHECK(symlink("b", "link") == 0);
        CHECK(mount_copy(AT_FDCWD, "a", 0, &fd) == 0);
        CHECK(mount_attach(fd, AT_FDCWD, "link") < 0);
        CHECK(mkdir("a/mark", 0755) == 0);
        CHECK(access("b/mark", F_OK) < 0);
        fd = -EBADF;
        CHECK(mount_attach(fd, AT_FDCWD, "b") == -EBADF);
        CHECK(mount_copy(AT_FDCWD, "missing", 0, &fd) == -ENOENT);
}

static void test_follows_no_link_to_a_mount_point(void **state)
{
        sandbox_run(in_sandbox_links, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "makes file systems with options and attributes", test_makes_file_systems },
                { "tells what the kernel says of a refusal", test_tells_what_the_kernel_says },
                { "copies with attributes of its own", test_copies_with_other_attributes },
                { "copies what is below only when asked", test_copies_what_is_below_when_asked },
                { "follows no link to a mount point", test_follows_no_link_to_a_mount_point },
        };

        return cmocka_run_group_tests_name("rootfs/mount", tests, NULL, NULL);
}
