/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "wire/fd-socket.h"
#include "socket-pair.h"

static int is_same_file(int a, int b)
{
        struct stat x, y;

        return fstat(a, &x) >= 0 && fstat(b, &y) >= 0 && x.st_dev == y.st_dev &&
               x.st_ino == y.st_ino;
}

static void test_datagrams(void **state)
{
        SocketPair *f = *state;
        char buffer[16];
        size_t n_fds = 0;

        assert_int_equal(fd_socket_send(f->a, "one", 3, NULL, 0, 0), 0);
        assert_int_equal(fd_socket_send(f->a, "three", 5, NULL, 0, 0), 0);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds, 0), 3);
        assert_memory_equal(buffer, "one", 3);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds, 0), 5);
        assert_int_equal(n_fds, 0);
        assert_int_equal(
                fd_socket_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds, MSG_DONTWAIT),
                -EAGAIN);
}

static void test_order(void **state)
{
        SocketPair *f = *state;
        int sent[] = { f->b, STDERR_FILENO, f->a }, fds[4];
        char buffer[4];
        size_t n_fds = ELEMENTSOF(fds);

        assert_int_equal(fd_socket_send(f->a, "x", 1, sent, ELEMENTSOF(sent), 0), 0);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), fds, &n_fds, 0), 1);
        assert_int_equal(n_fds, ELEMENTSOF(sent));
        for (size_t i = 0; i < n_fds; i++) {
                assert_true(is_same_file(fds[i], sent[i]));
                assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
                fd_close(fds[i]);
        }
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_most(void **state)
{
        SocketPair *f = *state;
        int sent[FD_SOCKET_MAX + 1], fds[FD_SOCKET_MAX];
        char buffer[4];
        size_t n_fds = ELEMENTSOF(fds);

        for (size_t i = 0; i < ELEMENTSOF(sent); i++)
                sent[i] = f->a;
        assert_int_equal(fd_socket_send(f->a, "x", 1, sent, ELEMENTSOF(sent), 0), -EINVAL);
        assert_int_equal(fd_socket_send(f->a, "x", 1, sent, FD_SOCKET_MAX, 0), 0);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), fds, &n_fds, 0), 1);
        assert_int_equal(n_fds, FD_SOCKET_MAX);
        for (size_t i = 0; i < n_fds; i++)
                fd_close(fds[i]);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_no_room(void **state)
{
        SocketPair *f = *state;
        int sent[3] = { f->a, f->b, f->a }, fds[2];
        char buffer[4];
        size_t n_fds = ELEMENTSOF(fds);

        assert_int_equal(fd_socket_send(f->a, "x", 1, sent, 3, 0), 0);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), fds, &n_fds, 0), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
        n_fds = ELEMENTSOF(fds);
        assert_int_equal(fd_socket_send(f->a, "longer", 6, sent, 1, 0), 0);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), fds, &n_fds, 0), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_end(void **state)
{
        SocketPair *f = *state;
        char buffer[4];
        size_t n_fds = 0;

        assert_int_equal(fd_socket_send(f->a, "", 0, NULL, 0, 0), -EINVAL);
        f->a = fd_close(f->a);
        assert_int_equal(fd_socket_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds, 0), 0);
        assert_int_equal(fd_socket_send(f->b, "x", 1, NULL, 0, 0), -EPIPE); /* and no signal */
        assert_int_equal(fd_socket_send(-EBADF, "x", 1, NULL, 0, 0), -EBADF);
        assert_int_equal(fd_socket_receive(-EBADF, buffer, 1, NULL, &n_fds, 0), -EBADF);
}

#define CASE(name, func)                                            \
        {                                                           \
                name, func, socket_pair_setup, socket_pair_teardown \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("keeps datagrams apart and waits only when told", test_datagrams),
                CASE("hands descriptors over in order, close-on-exec", test_order),
                CASE("carries as many as the kernel does", test_most),
                CASE("closes all of them when something did not fit", test_no_room),
                CASE("tells the end of the connection, without a signal", test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
