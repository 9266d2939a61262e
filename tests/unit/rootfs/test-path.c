/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/path.h"
#include "rootfs/syscalls.h"

/* A root directory full of links that mean harm, and beside it what they are after. */
typedef struct Zoo {
        char path[64];
        int fd, root_fd, outside_fd;
} Zoo;

static void zoo_make(Zoo *zoo)
{
        char target[128];

        (void)snprintf(zoo->path, sizeof(zoo->path), "/tmp/warden-path-XXXXXX");
        assert_non_null(mkdtemp(zoo->path));
        zoo->fd = open(zoo->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(mkdirat(zoo->fd, "outside", 0755), 0);
        assert_int_equal(mkdirat(zoo->fd, "root", 0755), 0);
        zoo->outside_fd = openat(zoo->fd, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        zoo->root_fd = openat(zoo->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(zoo->root_fd >= 0 && zoo->outside_fd >= 0);
        assert_int_equal(mkdirat(zoo->root_fd, "etc", 0755), 0);
        assert_int_equal(mkdirat(zoo->root_fd, "etc/inner", 0755), 0);
        assert_int_equal(mknodat(zoo->root_fd, "file", S_IFREG | 0644, 0), 0);
        assert_int_equal(mknodat(zoo->root_fd, "fifo", S_IFIFO | 0644, 0), 0);

        (void)snprintf(target, sizeof(target), "%s/outside", zoo->path);
        assert_int_equal(symlinkat(target, zoo->root_fd, "absolute-outside"), 0);
        assert_int_equal(symlinkat("../outside", zoo->root_fd, "relative-outside"), 0);
        assert_int_equal(symlinkat("../../../../../../etc", zoo->root_fd, "up-to-etc"), 0);
        assert_int_equal(symlinkat("/etc", zoo->root_fd, "absolute-etc"), 0);
        assert_int_equal(symlinkat("loop", zoo->root_fd, "loop"), 0);
        assert_int_equal(symlinkat("/nowhere", zoo->root_fd, "dangling"), 0);
        assert_int_equal(symlinkat("/proc/self/root", zoo->root_fd, "magic"), 0);
        assert_int_equal(symlinkat("absolute-etc/inner", zoo->root_fd, "chain"), 0);
        assert_int_equal(symlinkat("file", zoo->root_fd, "to-file"), 0);
}

/* Whoever made something outside has lost. */
static void zoo_done(Zoo *zoo)
{
        assert_int_equal(unlinkat(zoo->fd, "outside", AT_REMOVEDIR), 0);
        fd_close(zoo->root_fd);
        fd_close(zoo->outside_fd);
        fd_close(zoo->fd);
        assert_int_equal(io_remove_tree(AT_FDCWD, zoo->path), 0);
}

static int is_same(int fd, int dir_fd, const char *path)
{
        struct stat a, b;

        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(fstatat(dir_fd, path, &b, 0), 0);
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void test_resolves_as_the_container_would(void **state)
{
        static const struct {
                const char *path, *is;
        } cases[] = {
                { "/", "." },
                { "/etc", "etc" },
                { "/../../../etc", "etc" },
                { "/up-to-etc", "etc" },
                { "/absolute-etc", "etc" },
                { "/absolute-etc/inner", "etc/inner" },
                { "/chain", "etc/inner" },
                { "/etc/inner/..", "etc" },
        };
        Zoo zoo;

        zoo_make(&zoo);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _drop_(drop_fd) int fd = -EBADF;

                assert_int_equal(
                        in_root_open(zoo.root_fd, cases[i].path, O_PATH | O_DIRECTORY, &fd), 0);
                assert_true(is_same(fd, zoo.root_fd, cases[i].is));
                assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        }
        zoo_done(&zoo);
}

static void test_leads_nowhere_else(void **state)
{
        static const struct {
                const char *path;
                int error;
        } cases[] = {
                { "/absolute-outside", -ENOENT },
                { "/relative-outside", -ENOENT },
                { "/dangling", -ENOENT },
                { "/loop", -ELOOP },
                { "/magic", -ENOENT },
                { "/file/below", -ENOTDIR },
                { "/to-file", -ENOTDIR },
                { "/missing", -ENOENT },
        };
        Zoo zoo;

        zoo_make(&zoo);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int fd = -EBADF;

                assert_int_equal(
                        in_root_open(zoo.root_fd, cases[i].path, O_PATH | O_DIRECTORY, &fd),
                        cases[i].error);
                assert_int_equal(fd, -EBADF);
        }
        zoo_done(&zoo);
}

/* With a real procfs below the root such a link would be one to anywhere. */
static void test_follows_no_magic_link(void **state)
{
        _drop_(drop_fd) int host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd = -EBADF;

        assert_int_equal(in_root_open(host_fd, "/proc/self/root", O_PATH, &fd), -ELOOP);
        assert_int_equal(in_root_open(host_fd, "/proc/self/cwd/etc", O_PATH, &fd), -ELOOP);
        assert_int_equal(fd, -EBADF);
}

static void test_makes_what_is_missing(void **state)
{
        static const struct {
                const char *path, *is;
        } cases[] = {
                { "/new", "new" },
                { "/new", "new" },
                { "/a/b/c/d", "a/b/c/d" },
                { "/a/b/c/e/f", "a/b/c/e/f" },
                { "/absolute-etc/made", "etc/made" },
                { "/up-to-etc/made/deeper", "etc/made/deeper" },
                { "/chain/made", "etc/inner/made" },
                { "/", "." },
        };
        struct stat st;
        Zoo zoo;

        zoo_make(&zoo);
        (void)umask(0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _drop_(drop_fd) int fd = -EBADF;

                assert_int_equal(in_root_make_directory(zoo.root_fd, cases[i].path, &fd, NULL), 0);
                assert_true(is_same(fd, zoo.root_fd, cases[i].is));
                assert_int_equal(fstat(fd, &st), 0);
                assert_int_equal(st.st_mode, S_IFDIR | 0755);
        }
        zoo_done(&zoo);
}

static void test_makes_nothing_through_links_to_nowhere(void **state)
{
        static const struct {
                const char *path;
                int error;
        } cases[] = {
                { "/absolute-outside/x", -ELOOP },
                { "/relative-outside/x", -ELOOP },
                { "/dangling", -ELOOP },
                { "/dangling/x", -ELOOP },
                { "/loop/x", -ELOOP },
                { "/magic/x", -ELOOP },
                { "/file/x", -ENOTDIR },
                { "/file", -ENOTDIR },
        };
        Zoo zoo;

        zoo_make(&zoo);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Fault fault = FAULT_INIT;
                int fd = -EBADF;

                assert_int_equal(in_root_make_directory(zoo.root_fd, cases[i].path, &fd, &fault),
                                 cases[i].error);
                assert_int_equal(fd, -EBADF);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_non_null(strstr(fault.text, cases[i].path));
        }
        assert_int_equal(faccessat(zoo.root_fd, "nowhere", F_OK, AT_SYMLINK_NOFOLLOW), -1);
        zoo_done(&zoo);
}

static void test_makes_files(void **state)
{
        static const struct {
                const char *path, *is;
        } cases[] = {
                { "/file", "file" },
                { "/to-file", "file" },
                { "/fifo", "fifo" }, /* opened without waiting for a writer */
                { "/fresh", "fresh" },
                { "/x/y/fresh", "x/y/fresh" },
                { "/absolute-etc/fresh", "etc/fresh" },
                { "/etc", "etc" },
        };
        Zoo zoo;

        zoo_make(&zoo);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _drop_(drop_fd) int fd = -EBADF;

                assert_int_equal(in_root_make_file(zoo.root_fd, cases[i].path, &fd, NULL), 0);
                assert_true(is_same(fd, zoo.root_fd, cases[i].is));
        }
        zoo_done(&zoo);
}

static void test_makes_no_file_through_links_to_nowhere(void **state)
{
        static const char *const paths[] = { "/dangling", "/absolute-outside/x",
                                             "/relative-outside/x", "/dangling/x", "/loop" };
        Zoo zoo;

        zoo_make(&zoo);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                Fault fault = FAULT_INIT;
                int fd = -EBADF;

                assert_int_equal(in_root_make_file(zoo.root_fd, paths[i], &fd, &fault), -ELOOP);
                assert_int_equal(fd, -EBADF);
        }
        zoo_done(&zoo);
}

/* Somebody exchanges a directory and a link to the outside as fast as he can. */
static void *swap(void *argument)
{
        const Zoo *zoo = argument;

        for (;;) {
                pthread_testcancel();
                (void)syscall(SYS_renameat2, zoo->root_fd, "swap", zoo->root_fd, "relative-outside",
                              2 /* RENAME_EXCHANGE */);
        }
        return NULL;
}

static void test_cannot_be_raced_out(void **state)
{
        pthread_t thread;
        int n_made = 0;
        char path[64];
        Zoo zoo;

        zoo_make(&zoo);
        assert_int_equal(mkdirat(zoo.root_fd, "swap", 0755), 0);
        assert_int_equal(pthread_create(&thread, NULL, swap, &zoo), 0);
        for (int i = 0; i < 3000; i++) {
                _drop_(drop_fd) int fd = -EBADF;

                (void)snprintf(path, sizeof(path), "/swap/%d/x", i);
                if (in_root_make_directory(zoo.root_fd, path, &fd, NULL) >= 0)
                        n_made++;
        }
        assert_int_equal(pthread_cancel(thread), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(n_made > 0);
        zoo_done(&zoo); /* and the outside is empty */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "resolves as the container would", test_resolves_as_the_container_would },
                { "leads nowhere else", test_leads_nowhere_else },
                { "follows no magic link", test_follows_no_magic_link },
                { "makes directories that are missing", test_makes_what_is_missing },
                { "makes nothing through links to nowhere",
                  test_makes_nothing_through_links_to_nowhere },
                { "makes files that are missing", test_makes_files },
                { "makes no file through links to nowhere",
                  test_makes_no_file_through_links_to_nowhere },
                { "cannot be raced to the outside", test_cannot_be_raced_out },
        };

        return cmocka_run_group_tests_name("rootfs/path", tests, NULL, NULL);
}
