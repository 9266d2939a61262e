/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "wire/fd-socket.h"
#include "worker/channel.h"

static void open_channel(int ends[2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_channel(int ends[2])
{
        ends[0] = fd_close(ends[0]);
        ends[1] = fd_close(ends[1]);
}

static void test_carries_descriptors(void **state)
{
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[CHANNEL_BINDS_MAX], ends[2];
        int received[CHANNEL_BINDS_MAX];
        size_t n = ELEMENTSOF(received);
        struct stat a, b;

        open_channel(ends);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = null_fd;
        assert_int_equal(channel_send(ends[0], CHANNEL_BINDS, fds, ELEMENTSOF(fds)), 0);
        assert_int_equal(channel_expect(ends[1], CHANNEL_BINDS, received, &n), 0);
        assert_int_equal(n, ELEMENTSOF(fds));
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(fstat(null_fd, &a) + fstat(received[i], &b), 0);
                assert_true(a.st_rdev == b.st_rdev);
                assert_int_equal(fcntl(received[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
                fd_close(received[i]);
        }
        fd_close(null_fd);
        close_channel(ends);
}

static void test_refuses_the_wrong_type(void **state)
{
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), received[4], ends[2];
        size_t n = ELEMENTSOF(received);

        open_channel(ends);
        assert_int_equal(channel_send(ends[0], CHANNEL_BINDS, &null_fd, 1), 0);
        assert_int_equal(channel_expect(ends[1], CHANNEL_TREES, received, &n), -EBADMSG);
        assert_int_equal(received[0], -EBADF); /* closed */
        n = 0;
        assert_int_equal(channel_send(ends[0], CHANNEL_GATE, &null_fd, 1), 0);
        assert_int_equal(channel_expect(ends[1], CHANNEL_GATE, received, &n), -EBADMSG);
        fd_close(null_fd);
        close_channel(ends);
}

static void test_carries_trees_that_there_are(void **state)
{
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), ends[2];
        int trees[_CHANNEL_TREE_MAX], received[_CHANNEL_TREE_MAX];

        open_channel(ends);
        for (unsigned mask = 0; mask < 1U << _CHANNEL_TREE_MAX; mask++) {
                for (int i = 0; i < _CHANNEL_TREE_MAX; i++)
                        trees[i] = mask >> i & 1 ? null_fd : -EBADF;
                assert_int_equal(channel_send_trees(ends[0], trees), 0);
                assert_int_equal(channel_expect_trees(ends[1], received), 0);
                for (int i = 0; i < _CHANNEL_TREE_MAX; i++) {
                        assert_int_equal(received[i] >= 0, mask >> i & 1);
                        fd_close(received[i]);
                }
        }
        assert_int_equal(channel_send(ends[0], CHANNEL_TREES, &null_fd, 1), 0);
        assert_int_equal(channel_expect_trees(ends[1], received), -EBADMSG);
        assert_int_equal(channel_send(ends[0], CHANNEL_GATE, NULL, 0), 0);
        assert_int_equal(channel_expect_trees(ends[1], received), -EBADMSG);
        ends[0] = fd_close(ends[0]);
        assert_int_equal(channel_expect_trees(ends[1], received), -EPIPE);
        fd_close(null_fd);
        close_channel(ends);
}

static void test_knows_the_end(void **state)
{
        Fault fault = FAULT_INIT;
        size_t n = 0;
        int ends[2];

        open_channel(ends);
        assert_int_equal(channel_receive(ends[0], &fault), -EAGAIN);
        ends[1] = fd_close(ends[1]);
        assert_int_equal(channel_receive(ends[0], &fault), 0);
        assert_int_equal(channel_expect(ends[0], CHANNEL_GATE, NULL, &n), -EPIPE);
        assert_int_equal(channel_send(ends[0], CHANNEL_GATE, NULL, 0), -EPIPE);
        assert_int_equal(channel_wait_gate(ends[0]), -EPIPE);
        close_channel(ends);
}

static void test_carries_a_fault(void **state)
{
        Fault fault = FAULT_INIT, received = FAULT_INIT;
        int ends[2];

        open_channel(ends);
        (void)fault_set(&fault, FAULT_NOT_FOUND, -ENOENT, "mount /: %m");
        channel_send_fault(ends[1], &fault);
        assert_int_equal(channel_receive(ends[0], &received), CHANNEL_FAULT);
        assert_int_equal(received.kind, FAULT_NOT_FOUND);
        assert_int_equal(received.error, -ENOENT);
        assert_string_equal(received.text, "mount /: No such file or directory");
        close_channel(ends);
}

/* The child fails and is gone before it has read what was sent: its words count, not the reset that
 * the kernel reports first. */
static void test_hears_last_words(void **state)
{
        Fault fault = FAULT_INIT, received = FAULT_INIT;
        int ends[2];

        open_channel(ends);
        (void)fault_set(&fault, FAULT_FAILED, -EIO, "last words");
        assert_int_equal(channel_send(ends[0], CHANNEL_GATE, NULL, 0), 0);
        channel_send_fault(ends[1], &fault);
        ends[1] = fd_close(ends[1]);
        assert_int_equal(channel_receive(ends[0], &received), CHANNEL_FAULT);
        assert_string_equal(received.text, "last words");
        assert_int_equal(channel_receive(ends[0], &received), 0);
        close_channel(ends);
}

static void test_refuses_nonsense(void **state)
{
        static const struct {
                uint32_t type;
                Fault fault;
        } wrong[] = {
                { CHANNEL_GATE, { FAULT_FAILED, -EIO, "" } },
                { CHANNEL_FAULT, { FAULT_NONE, -EIO, "" } },
                { CHANNEL_FAULT, { _FAULT_MAX, -EIO, "" } },
                { CHANNEL_FAULT, { FAULT_FAILED, EIO, "" } },
        };
        int ends[2];

        open_channel(ends);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                Fault fault = FAULT_INIT;

                assert_int_equal(fd_socket_send(ends[1], &wrong[i], sizeof(wrong[i]), NULL, 0, 0),
                                 0);
                assert_int_equal(channel_receive(ends[0], &fault), -EBADMSG);
                assert_int_equal(fault.kind, FAULT_NONE);
        }
        assert_int_equal(fd_socket_send(ends[1], "x", 1, NULL, 0, 0), 0);
        assert_int_equal(channel_receive(ends[0], NULL), -EBADMSG);
        close_channel(ends);
}

static void test_says_when_it_has_to_wait(void **state)
{
        Fault fault = FAULT_INIT;
        int ends[2];

        open_channel(ends);
        /* Open already: nothing is said. */
        assert_int_equal(channel_send(ends[0], CHANNEL_GATE, NULL, 0), 0);
        assert_int_equal(channel_wait_gate(ends[1]), 0);
        assert_int_equal(channel_receive(ends[0], &fault), -EAGAIN);
        /* Not yet: it is said, and then waited for. */
        assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
        assert_int_equal(channel_wait_gate(ends[1]), -EPIPE);
        close_channel(ends);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries as many descriptors as are sent at once", test_carries_descriptors },
                { "refuses the wrong type and closes what came with it",
                  test_refuses_the_wrong_type },
                { "carries the trees that there are, and no others",
                  test_carries_trees_that_there_are },
                { "knows the end", test_knows_the_end },
                { "carries a fault", test_carries_a_fault },
                { "hears last words", test_hears_last_words },
                { "refuses nonsense", test_refuses_nonsense },
                { "says when it has to wait", test_says_when_it_has_to_wait },
        };

        return cmocka_run_group_tests_name("worker/channel", tests, NULL, NULL);
}
