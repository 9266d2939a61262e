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
#include "rootfs/mask.h"
#include "rootfs/mount.h"
#include "sandbox.h"

static const char *const directories[] = { "root", "root/sys", "victim", NULL };

static int open_root(void)
{
        sandbox_make_tmp(directories);
        (void)umask(0);
        return open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void in_sandbox_proc_and_sys(void *argument)
{
        int root_fd = open_root(), proc_fd = -EBADF, sys_fd = -EBADF;
        char *text;

        CHECK(proc_new(&proc_fd, NULL) == 0 && sys_new(&sys_fd, NULL) == 0);
        CHECK(api_attach(root_fd, "proc", proc_fd, NULL) == 0); /* made */
        CHECK(api_attach(root_fd, "sys", sys_fd, NULL) == 0);   /* there */
        CHECK(access("root/proc/1", F_OK) == 0 && access("root/proc/2", F_OK) < 0);
        CHECK(access("root/sys/class/net/lo", F_OK) == 0);
        CHECK(mkdir("root/sys/x", 0755) < 0 && errno == EROFS);
        CHECK(io_read_file(AT_FDCWD, "/proc/self/mountinfo", 65536, &text, NULL) == 0);
        CHECK(strstr(text, "/root/proc rw,nosuid,nodev,noexec,"));
        CHECK(strstr(text, "/root/sys ro,nosuid,nodev,noexec,"));
}

static void test_attaches_new_instances(void **state)
{
        sandbox_run(in_sandbox_proc_and_sys, NULL);
}

static void in_sandbox_links(void *argument)
{
        int root_fd = open_root(), proc_fd = -EBADF;
        Fault fault = FAULT_INIT;

        CHECK(proc_new(&proc_fd, NULL) == 0);
        CHECK(symlink("/tmp/victim", "root/proc") == 0);
        CHECK(api_attach(root_fd, "proc", proc_fd, &fault) == -ELOOP);
        CHECK(fault.kind == FAULT_INVALID && strstr(fault.text, "symbolic link"));
        CHECK(unlink("root/proc") == 0 && symlink("sys", "root/proc") == 0);
        CHECK(api_attach(root_fd, "proc", proc_fd, NULL) == -ELOOP); /* inside as well */
        CHECK(unlink("root/proc") == 0 && symlink("nowhere", "root/proc") == 0);
        CHECK(api_attach(root_fd, "proc", proc_fd, NULL) == -ELOOP);
        CHECK(unlink("root/proc") == 0 && mknod("root/proc", S_IFREG | 0644, 0) == 0);
        CHECK(api_attach(root_fd, "proc", proc_fd, NULL) == -ENOTDIR);
        CHECK(rmdir("victim") == 0 && rmdir("root/sys") == 0);
}

static void test_refuses_links_in_the_place(void **state)
{
        sandbox_run(in_sandbox_links, NULL);
}

static void in_sandbox_run_directory(void *argument)
{
        int root_fd = open_root();
        Fault fault = FAULT_INIT;
        Run run = RUN_INIT;
        struct stat st;
        char *text;

        CHECK(run_new("01234567-89ab-cdef", &run, &fault) == 0);
        CHECK(run_attach(&run, root_fd, &fault) == 0);
        CHECK(io_read_file(AT_FDCWD, "root/run/host/container-manager", 99, &text, NULL) == 0);
        CHECK(strcmp(text, "warden\n") == 0);
        CHECK(io_read_file(AT_FDCWD, "root/run/host/container-uuid", 99, &text, NULL) == 0);
        CHECK(strcmp(text, "01234567-89ab-cdef\n") == 0);
        CHECK(mkdir("root/run/host/x", 0755) < 0 && errno == EROFS);
        CHECK(mkdir("root/run/x", 0755) == 0);
        CHECK(stat("root/run/host/inaccessible/dir", &st) == 0 && st.st_mode == S_IFDIR);
        CHECK(stat("root/run/host/inaccessible/sock", &st) == 0 && st.st_mode == S_IFSOCK);
        CHECK(stat("root/run", &st) == 0 && st.st_mode == (S_IFDIR | 0755));
        run_done(&run);
}

static void test_tells_containers_of_the_host(void **state)
{
        sandbox_run(in_sandbox_run_directory, NULL);
}

static void in_sandbox_mask(void *argument)
{
        int root_fd = open_root(), proc_fd = -EBADF, sys_fd = -EBADF, null_fd = -EBADF;
        Fault fault = FAULT_INIT;
        Run run = RUN_INIT;
        struct stat st;
        char *text;

        CHECK(proc_new(&proc_fd, NULL) == 0 && sys_new(&sys_fd, NULL) == 0);
        CHECK(run_new("x", &run, NULL) == 0 && run_attach(&run, root_fd, NULL) == 0);
        CHECK(mknod("null", S_IFREG | 0644, 0) == 0);
        CHECK(mount_copy(AT_FDCWD, "/dev/null", 0, &null_fd) == 0);
        CHECK(mount_attach(null_fd, AT_FDCWD, "null") == 0);
        CHECK(api_attach(root_fd, "proc", proc_fd, NULL) == 0);
        CHECK(api_attach(root_fd, "sys", sys_fd, NULL) == 0);
        if (mask_apply(proc_fd, sys_fd, null_fd, run.host_fd, &fault) < 0)
                (void)printf("# %s\n", fault.text);
        CHECK(fault.kind == FAULT_NONE);
        CHECK(io_read_file(AT_FDCWD, "/proc/self/mountinfo", 65536, &text, NULL) == 0);
        CHECK(strstr(text, "/root/proc/sys ro,"));
        if (stat("root/proc/keys", &st) == 0)
                CHECK(S_ISCHR(st.st_mode));
        if (stat("root/sys/firmware", &st) == 0)
                CHECK((st.st_mode & 0777) == 0 && mkdir("root/sys/firmware/x", 0755) < 0);
}

static void test_masks_what_tells_too_much(void **state)
{
        sandbox_run(in_sandbox_mask, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "attaches instances of its namespaces", test_attaches_new_instances },
                { "refuses links in the place of a mount", test_refuses_links_in_the_place },
                { "tells containers of the host in /run/host", test_tells_containers_of_the_host },
                { "masks what tells too much", test_masks_what_tells_too_much },
        };

        return cmocka_run_group_tests_name("rootfs/api", tests, NULL, NULL);
}
