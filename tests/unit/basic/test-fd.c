/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"

static int is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static int null_fd(void)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void test_close(void **state)
{
        int fd = null_fd();

        assert_int_equal(fd_close(fd), -EBADF);
        assert_false(is_open(fd));
}

static void test_close_keeps_errno(void **state)
{
        errno = EDOM;
        assert_int_equal(fd_close(-EBADF), -EBADF);
        assert_int_equal(fd_close(1 << 20), -EBADF); /* close() itself fails here */
        assert_int_equal(errno, EDOM);
}

static void test_drop(void **state)
{
        int number;

        {
                _drop_(drop_fd) int fd = null_fd();

                number = fd;
                assert_true(is_open(number));
        }
        assert_false(is_open(number));
}

static void test_take(void **state)
{
        int number;

        {
                _drop_(drop_fd) int fd = null_fd();

                number = take_fd(&fd);
                assert_int_equal(fd, -EBADF);
        }
        assert_true(is_open(number));
        fd_close(number);
}

static void test_dup(void **state)
{
        _drop_(drop_fd) int fd = null_fd();
        _drop_(drop_fd) int copy = fd_dup(fd);

        assert_true(copy >= 3);
        assert_int_not_equal(copy, fd);
        assert_true(fcntl(copy, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fd_dup(-EBADF), -EBADF);
}

static void test_flags(void **state)
{
        _drop_(drop_fd) int fd = null_fd();

        assert_int_equal(fd_set_nonblock(fd, 1), 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
        assert_int_equal(fd_set_nonblock(fd, 0), 0);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);

        assert_int_equal(fd_set_cloexec(fd, 0), 0);
        assert_false(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fd_set_cloexec(fd, 1), 0);
        assert_int_equal(fd_set_cloexec(fd, 1), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void test_flags_of_nothing(void **state)
{
        assert_int_equal(fd_set_nonblock(-EBADF, 1), -EBADF);
        assert_int_equal(fd_set_cloexec(-EBADF, 1), -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "closes and gives the empty value", test_close },
                { "keeps errno and takes the empty value", test_close_keeps_errno },
                { "closes at the end of the scope", test_drop },
                { "hands ownership over so that the scope closes nothing", test_take },
                { "duplicates above stdio with close-on-exec", test_dup },
                { "sets and clears flags and leaves the others", test_flags },
                { "reports a descriptor that is none", test_flags_of_nothing },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
