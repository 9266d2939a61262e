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
#include "rootfs/api.h"
#include "rootfs/bind.h"
#include "sandbox.h"

static const char *const directories[] = { "root", "root/etc", "source", "source/inner", NULL };

static BindMount bind_of(const char *source, const char *destination, const char *options)
{
        Fault fault = FAULT_INIT;
        BindMount bind;

        if (bind_mount_parse(source, destination, options, &bind, &fault) < 0)
                sandbox_fail(__FILE__, __LINE__, fault.text);
        return bind;
}

static int bind_whole(const BindMount *bind, int root_fd, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = bind_open(bind, -EBADF, &fd, fault);
        return r < 0 ? r : bind_attach(bind, fd, root_fd, fault);
}

static void in_sandbox_bind(void *argument)
{
        BindMount directory = bind_of("/tmp/source", "/etc/made/here", "");
        BindMount file = bind_of("/tmp/file", "/srv/file", "ro,noexec");
        struct statvfs st;
        int root_fd;

        sandbox_make_tmp(directories);
        CHECK(mknod("file", S_IFREG | 0644, 0) == 0);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(bind_whole(&directory, root_fd, NULL) == 0);
        CHECK(access("root/etc/made/here/inner", F_OK) == 0);
        CHECK(mkdir("root/etc/made/here/new", 0755) == 0 && access("source/new", F_OK) == 0);
        CHECK(bind_whole(&file, root_fd, NULL) == 0);
        CHECK(open("root/srv/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
        CHECK(statvfs("root/srv/file", &st) == 0);
        CHECK((st.f_flag & (ST_RDONLY | ST_NOEXEC | ST_NOSUID)) == (ST_RDONLY | ST_NOEXEC));
}

static void test_binds_directories_and_files(void **state)
{
        sandbox_run(in_sandbox_bind, NULL);
}

static void in_sandbox_sources(void *argument)
{
        BindMount missing = bind_of("/tmp/missing", "/etc", "");
        BindMount link = bind_of("/tmp/link", "/etc", "");
        BindMount magic = bind_of("/proc/self/root", "/etc", "");
        Fault fault = FAULT_INIT;
        int root_fd;

        sandbox_make_tmp(directories);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(symlink("source", "link") == 0);
        CHECK(bind_whole(&missing, root_fd, &fault) == -ENOENT);
        CHECK(fault.kind == FAULT_NOT_FOUND && strstr(fault.text, "/tmp/missing"));
        /* The administrator may use links. */
        CHECK(bind_whole(&link, root_fd, NULL) == 0);
        CHECK(access("root/etc/inner", F_OK) == 0);
        CHECK(bind_whole(&magic, root_fd, NULL) == -ELOOP);
}

static void test_opens_sources_of_the_administrator(void **state)
{
        sandbox_run(in_sandbox_sources, NULL);
}

static void in_sandbox_wrong(void *argument)
{
        BindMount directory = bind_of("/tmp/source", "/file", "");
        BindMount file = bind_of("/tmp/file", "/etc", "");
        BindMount in_proc = bind_of("/tmp/source", "/proc/sys", "");
        int root_fd, proc_fd = -EBADF;
        Fault fault = FAULT_INIT;

        sandbox_make_tmp(directories);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(mknod("file", S_IFREG | 0644, 0) == 0 && mknod("root/file", S_IFREG | 0644, 0) == 0);
        CHECK(bind_whole(&directory, root_fd, NULL) == -ENOTDIR);
        CHECK(bind_whole(&file, root_fd, &fault) < 0);
        CHECK(strstr(fault.text, "/etc"));
        CHECK(proc_new(&proc_fd, NULL) == 0 && api_attach(root_fd, "proc", proc_fd, NULL) == 0);
        fault = FAULT_INIT;
        CHECK(bind_whole(&in_proc, root_fd, &fault) == -EPERM);
        CHECK(fault.kind == FAULT_INVALID);
}

static void test_refuses_what_does_not_fit(void **state)
{
        sandbox_run(in_sandbox_wrong, NULL);
}

static void in_sandbox_tmpfs(void *argument)
{
        struct statvfs vfs;
        TmpfsMount tmpfs;
        struct stat st;
        int root_fd;

        sandbox_make_tmp(directories);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(tmpfs_mount_parse("/srv/memory:size=64K,mode=1750,exec", &tmpfs, NULL) == 0);
        CHECK(tmpfs_attach(&tmpfs, root_fd, NULL) == 0);
        CHECK(stat("root/srv/memory", &st) == 0 && st.st_mode == (S_IFDIR | 01750));
        CHECK(statvfs("root/srv/memory", &vfs) == 0);
        CHECK(vfs.f_blocks * vfs.f_frsize == 65536);
        CHECK((vfs.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) == (ST_NOSUID | ST_NODEV));
        tmpfs_mount_done(&tmpfs);
        CHECK(tmpfs_mount_parse("/srv/memory/ro:ro", &tmpfs, NULL) == 0);
        CHECK(tmpfs_attach(&tmpfs, root_fd, NULL) == 0);
        CHECK(mkdir("root/srv/memory/ro/x", 0755) < 0 && errno == EROFS);
}

static void test_makes_memory_as_asked(void **state)
{
        sandbox_run(in_sandbox_tmpfs, NULL);
}

static void test_sorts_parents_first(void **state)
{
        static const char *const destinations[] = { "/a/b/c", "/b", "/a", "/a-b", "/a/b" };
        static const char *const sorted[] = { "/a", "/a-b", "/a/b", "/a/b/c", "/b" };
        BindMount binds[3] = { 0 };
        TmpfsMount tmpfs[2] = { 0 };
        ExtraMount extras[5];

        for (size_t i = 0; i < 3; i++)
                binds[i].destination = (char *)(uintptr_t)destinations[i];
        for (size_t i = 0; i < 2; i++)
                tmpfs[i].destination = (char *)(uintptr_t)destinations[3 + i];
        extra_mounts_sort(binds, 3, tmpfs, 2, extras);
        for (size_t i = 0; i < 5; i++) {
                assert_string_equal(extras[i].destination, sorted[i]);
                assert_true(!extras[i].bind != !extras[i].tmpfs);
                assert_ptr_equal(extras[i].destination,
                                 extras[i].bind ? binds[extras[i].index].destination
                                                : tmpfs[extras[i].index].destination);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "binds directories and files", test_binds_directories_and_files },
                { "opens sources of the administrator", test_opens_sources_of_the_administrator },
                { "refuses what does not fit", test_refuses_what_does_not_fit },
                { "makes memory as asked", test_makes_memory_as_asked },
                { "sorts parents first", test_sorts_parents_first },
        };

        return cmocka_run_group_tests_name("rootfs/bind", tests, NULL, NULL);
}
