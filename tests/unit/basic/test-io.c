/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"

/* Each case gets an own directory. */
typedef struct Fixture {
        char path[64];
        int fd;
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        if (!f)
                return -1;
        (void)snprintf(f->path, sizeof(f->path), "/tmp/test-io-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = f;
        return f->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;
        int r = io_remove_tree(AT_FDCWD, f->path);

        fd_close(f->fd);
        free(f);
        return r;
}

static void make_file(int dir_fd, const char *name, const char *content)
{
        _drop_(drop_fd) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                        0644);

        assert_true(fd >= 0);
        assert_int_equal(io_write_full(fd, content, strlen(content)), 0);
}

static void expect_content(int dir_fd, const char *name, const char *content)
{
        _drop_(drop_free) char *data = NULL;
        size_t size;

        assert_int_equal(io_read_file(dir_fd, name, 1 << 20, &data, &size), 0);
        assert_int_equal(size, strlen(content));
        assert_string_equal(data, content);
}

static int exists(int dir_fd, const char *name)
{
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0;
}

static void test_read_full(void **state)
{
        char buffer[8] = "";
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(io_write_full(fds[1], "abc", 3), 0);
        assert_int_equal(io_write_full(fds[1], "defgh", 5), 0);
        assert_int_equal(io_read_full(fds[0], buffer, 6), 6);
        assert_memory_equal(buffer, "abcdef", 6);
        fd_close(fds[1]);
        assert_int_equal(io_read_full(fds[0], buffer, 6), 2);
        assert_int_equal(io_read_full(fds[0], buffer, 6), 0);
        fd_close(fds[0]);
        assert_int_equal(io_read_full(-EBADF, buffer, 1), -EBADF);
        assert_int_equal(io_write_full(-EBADF, buffer, 1), -EBADF);
}

static void test_read_file(void **state)
{
        Fixture *f = *state;
        _drop_(drop_free) char *data = NULL;

        make_file(f->fd, "empty", "");
        expect_content(f->fd, "empty", "");
        assert_int_equal(io_read_file(f->fd, "absent", 10, &data, NULL), -ENOENT);
        assert_null(data);
}

static void test_read_file_bound(void **state)
{
        Fixture *f = *state;
        _drop_(drop_free) char *data = NULL, *text = calloc(1, 5001);

        assert_non_null(text);
        memset(text, 'x', 5000);
        make_file(f->fd, "big", text);
        assert_int_equal(io_read_file(f->fd, "big", 4999, &data, NULL), -EFBIG);
        assert_null(data);
        assert_int_equal(io_read_file(f->fd, "big", 5000, &data, NULL), 0);
        assert_string_equal(data, text);
}

static void test_read_proc(void **state)
{
        _drop_(drop_free) char *data = NULL;
        size_t size;

        assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/stat", 4096, &data, &size), 0);
        assert_true(size > 10);
        assert_int_equal(data[size], 0);
        assert_int_equal(atoi(data), getpid());
}

static void test_read_fifo(void **state)
{
        Fixture *f = *state;
        _drop_(drop_free) char *data = NULL;

        assert_int_equal(mkfifoat(f->fd, "fifo", 0600), 0);
        assert_int_equal(io_read_file(f->fd, "fifo", 10, &data, NULL), 0);
        assert_string_equal(data, "");
}

static void test_write_string(void **state)
{
        Fixture *f = *state;

        assert_int_equal(io_write_string(f->fd, "file", "x"), -ENOENT);
        make_file(f->fd, "file", "");
        assert_int_equal(io_write_string(f->fd, "file", "max"), 0);
        expect_content(f->fd, "file", "max");
}

static void test_write_atomic(void **state)
{
        Fixture *f = *state;
        struct stat st;

        assert_int_equal(io_write_file_atomic(f->fd, "state", "one", 3), 0);
        expect_content(f->fd, "state", "one");
        assert_int_equal(fstatat(f->fd, "state", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(io_write_file_atomic(f->fd, "state", "two two", 7), 0);
        expect_content(f->fd, "state", "two two");
        assert_false(exists(f->fd, ".#state"));
}

static void test_write_atomic_old_reader(void **state)
{
        Fixture *f = *state;
        _drop_(drop_fd) int fd = -EBADF;
        char buffer[8] = "";

        assert_int_equal(io_write_file_atomic(f->fd, "state", "old", 3), 0);
        fd = openat(f->fd, "state", O_RDONLY | O_CLOEXEC);
        assert_int_equal(io_write_file_atomic(f->fd, "state", "newer", 5), 0);
        assert_int_equal(io_read_full(fd, buffer, sizeof(buffer)), 3);
        assert_string_equal(buffer, "old");
}

static void test_write_atomic_leftover(void **state)
{
        Fixture *f = *state;

        make_file(f->fd, ".#state", "rubbish of a crash, longer than what comes");
        assert_int_equal(io_write_file_atomic(f->fd, "state", "ok", 2), 0);
        expect_content(f->fd, "state", "ok");
        make_file(f->fd, "victim", "untouched");
        assert_int_equal(symlinkat("victim", f->fd, ".#state"), 0);
        assert_int_equal(io_write_file_atomic(f->fd, "state", "evil", 4), -ELOOP);
        expect_content(f->fd, "victim", "untouched");
        expect_content(f->fd, "state", "ok");
}

static void test_write_atomic_failure(void **state)
{
        Fixture *f = *state;
        char name[300];

        assert_int_equal(mkdirat(f->fd, "dir", 0700), 0);
        assert_true(io_write_file_atomic(f->fd, "dir", "x", 1) < 0);
        assert_false(exists(f->fd, ".#dir"));
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        assert_int_equal(io_write_file_atomic(f->fd, name, "x", 1), -ENAMETOOLONG);
}

/* As on a full disk: a part can be written, the rest cannot. */
static void test_write_atomic_no_room(void **state)
{
        Fixture *f = *state;
        struct rlimit limit, old;
        void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
        int r;

        assert_int_equal(io_write_file_atomic(f->fd, "state", "old", 3), 0);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        limit = old;
        limit.rlim_cur = 4;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        r = io_write_file_atomic(f->fd, "state", "new and long", 12);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        (void)signal(SIGXFSZ, handler);
        assert_int_equal(r, -EFBIG);
        expect_content(f->fd, "state", "old");
        assert_false(exists(f->fd, ".#state"));
}

static void test_mkdir_open(void **state)
{
        Fixture *f = *state;
        int fd;

        fd = io_mkdir_open(f->fd, "a", 0700);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        fd_close(fd);
        fd = io_mkdir_open(f->fd, "a", 0700);
        assert_true(fd >= 0);
        fd_close(fd);
        assert_int_equal(symlinkat("a", f->fd, "link"), 0);
        assert_true(io_mkdir_open(f->fd, "link", 0700) < 0);
        make_file(f->fd, "file", "");
        assert_int_equal(io_mkdir_open(f->fd, "file", 0700), -ENOTDIR);
}

static void test_mkdir_parents(void **state)
{
        Fixture *f = *state;
        char path[128];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/a/b/c", f->path);
        assert_int_equal(io_mkdir_parents(path, 0700), 0);
        assert_int_equal(io_mkdir_parents(path, 0700), 0);
        assert_int_equal(fstatat(f->fd, "a/b/c", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fstatat(f->fd, "a/b", &st, 0), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_int_equal(io_mkdir_parents("relative/path", 0700), -EINVAL);
}

static void test_remove_tree(void **state)
{
        Fixture *f = *state;

        assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
        assert_int_equal(mkdirat(f->fd, "t/u", 0700), 0);
        assert_int_equal(mkdirat(f->fd, "t/u/empty", 0700), 0);
        make_file(f->fd, "t/file", "x");
        make_file(f->fd, "t/u/.hidden", "x");
        assert_int_equal(io_remove_tree(f->fd, "t"), 0);
        assert_false(exists(f->fd, "t"));
        assert_int_equal(io_remove_tree(f->fd, "t"), 0);
        make_file(f->fd, "single", "x");
        assert_int_equal(io_remove_tree(f->fd, "single"), 0);
        assert_false(exists(f->fd, "single"));
}

static void test_remove_tree_links(void **state)
{
        Fixture *f = *state;

        assert_int_equal(mkdirat(f->fd, "kept", 0700), 0);
        make_file(f->fd, "kept/file", "precious");
        assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
        assert_int_equal(symlinkat("../kept", f->fd, "t/link"), 0);
        assert_int_equal(io_remove_tree(f->fd, "t"), 0);
        assert_false(exists(f->fd, "t"));
        expect_content(f->fd, "kept/file", "precious");
}

static void test_clocks(void **state)
{
        uint64_t a = io_now_monotonic_usec();

        assert_true(a > 0);
        assert_true(io_now_monotonic_usec() >= a);
        assert_in_range(io_now_realtime_usec(), (uint64_t)time(NULL) * USEC_PER_SEC - USEC_PER_SEC,
                        (uint64_t)time(NULL) * USEC_PER_SEC + 2 * USEC_PER_SEC);
}

#define CASE(name, func)                    \
        {                                   \
                name, func, setup, teardown \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads and writes pieces until all is done", test_read_full },
                CASE("reads an empty file and misses an absent one", test_read_file),
                CASE("reads up to the bound and refuses one byte more", test_read_file_bound),
                { "reads what proc gives without a size", test_read_proc },
                CASE("does not wait for the writer of a fifo", test_read_fifo),
                CASE("writes a string to an existing file only", test_write_string),
                CASE("replaces a file, private, with nothing left over", test_write_atomic),
                CASE("leaves the old file when there is no room for the new one",
                     test_write_atomic_no_room),
                CASE("leaves the old file to who has it open", test_write_atomic_old_reader),
                CASE("takes a leftover of a crash but follows no link", test_write_atomic_leftover),
                CASE("leaves no temporary file behind on failure", test_write_atomic_failure),
                CASE("makes or opens a directory but follows no link", test_mkdir_open),
                CASE("makes all parents of an absolute path", test_mkdir_parents),
                CASE("removes a tree, a file and nothing at all", test_remove_tree),
                CASE("removes links, not what they point to", test_remove_tree_links),
                { "tells the time in microseconds", test_clocks },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
