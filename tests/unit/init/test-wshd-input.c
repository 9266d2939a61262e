/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients write to jobs: through pipes and through terminals of a real PID 1. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "container.h"

#define RING ((uint64_t)64 << 10)
#define BOTH (WSHD_STDIN_FD | WSHD_STDOUT_FD)

/* Reads until the text is there. */
static void expect_in(int fd, const char *wanted)
{
        char text[8192] = "";
        size_t size = 0;

        while (!strstr(text, wanted)) {
                ssize_t n;

                assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20000), 1);
                n = read(fd, text + size, sizeof(text) - 1 - size);
                if (n <= 0)
                        fail_msg("not %s, but: %s", wanted, text);
                size += (size_t)n;
                text[size] = 0;
        }
}

static void attach_both(int fd, uint32_t job, uint32_t flags, int fds[3])
{
        assert_int_equal(client_attach(fd, (WshdMessage){ .job = job, .flags = BOTH | flags }, fds),
                         BOTH);
}

static void drop_both(int fds[3])
{
        fd_close(fds[0]);
        fd_close(fds[1]);
}

static void put(int fd, const char *text)
{
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_end_of_file(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        char text[64];
        SpecBuilder spec;
        int fds[3];

        SPEC_SHELL(&spec, "cat; echo end");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, RING);
        attach_both(fd, 1, 0, fds);
        put(fds[0], "word\n");
        fds[0] = fd_close(fds[0]);
        (void)read_all(fds[1], text, sizeof(text));
        assert_string_equal(text, "word\nend\n");
        fd_close(fds[1]);
        /* There is nothing to attach to any more. */
        assert_int_equal(client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDIN_FD }, fds),
                         0);
}

static void test_kept_open(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        int fds[3];

        SPEC_SHELL(&spec, "cat; echo end");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, RING);
        for (int i = 0; i < 3; i++) {
                attach_both(fd, 1, WSHD_FROM_NOW | WSHD_KEEP_STDIN, fds);
                put(fds[0], "again\n");
                expect_in(fds[1], "again\n");
                assert_int_equal(poll(&(struct pollfd){ .fd = fds[1], .events = POLLIN }, 1, 50),
                                 0);
                drop_both(fds);
        }
        attach_both(fd, 1, WSHD_FROM_NOW, fds);
        fds[0] = fd_close(fds[0]);
        expect_in(fds[1], "end\n");
        fd_close(fds[1]);
}

static void test_one_at_a_time(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        int fds[3], none[3];
        WshdMessage m = { .type = WSHD_ATTACH, .job = 1, .flags = BOTH };

        SPEC_SHELL(&spec, "cat");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, RING);
        attach_both(fd, 1, WSHD_KEEP_STDIN, fds);
        expect_refusal(fd, m, WSHD_STAGE_REQUEST, EBUSY);
        m.flags |= WSHD_STDIN_IF_FREE;
        assert_int_equal(client_attach(fd, m, none), WSHD_STDOUT_FD);
        fd_close(none[1]);
        put(fds[0], "one\n");
        expect_in(fds[1], "one\n");
        drop_both(fds);
        for (int i = 0; client_attach(fd, m, fds) != BOTH; i++) {
                assert_true(i < 100);
                drop_both(fds);
                (void)poll(NULL, 0, 10);
        }
        drop_both(fds);
}

/* Four megabytes of everything there is, there and back. */
static void test_binary(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        static unsigned char out[65536], back[65536];
        SpecBuilder spec;
        int fds[3];
        pid_t pid;

        SPEC_SHELL(&spec, "cat");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN | WSHD_BACKPRESSURE, RING);
        attach_both(fd, 1, 0, fds);
        for (size_t i = 0; i < sizeof(out); i++)
                out[i] = (unsigned char)(i * 167 >> 3);
        pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 64; i++)
                        for (size_t n = 0; n < sizeof(out);) {
                                ssize_t r = write(fds[0], out + n, sizeof(out) - n);

                                if (r < 0)
                                        _exit(1);
                                n += (size_t)r;
                        }
                _exit(0);
        }
        fds[0] = fd_close(fds[0]);
        for (int i = 0; i < 64; i++) {
                for (size_t n = 0; n < sizeof(back);) {
                        ssize_t r = read(fds[1], back + n, sizeof(back) - n);

                        assert_true(r > 0);
                        n += (size_t)r;
                }
                assert_memory_equal(back, out, sizeof(out));
        }
        assert_int_equal(read(fds[1], back, 1), 0);
        assert_int_equal(wait_child(pid), 0);
        fd_close(fds[1]);
}

/* A job that does not read makes its client wait, and nobody else; PID 1 sleeps. */
static void test_not_reading(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        static char data[4096];
        SpecBuilder spec;
        size_t n = 0;
        int input;

        SPEC(&spec, "/bin/sleep", "1000");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, RING);
        input = client_attach_one(fd, 1, WSHD_STDIN_FD);
        assert_int_equal(fd_set_nonblock(input, 1), 0);
        for (;;) {
                if (write(input, data, sizeof(data)) == sizeof(data))
                        n += sizeof(data);
                else if (poll(&(struct pollfd){ .fd = input, .events = POLLOUT }, 1, 300) == 0)
                        break;
        }
        assert_in_range(n, 65536, 65536 * 8);
        container_expect_idle(*state);
        SPEC_SHELL(&spec, "exit 3");
        assert_int_equal(job_run(fd, 2, &spec, NULL, 0).code, 3);
        /* It learns of the job's end. */
        assert_int_equal(
                client_ask(fd, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = 9 }, NULL, 0)
                        .type,
                WSHD_OK);
        assert_int_equal(poll(&(struct pollfd){ .fd = input, .events = 0 }, 1, 20000), 1);
        fd_close(input);
}

static void test_closed_by_job(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        struct pollfd p = { .events = 0 };
        SpecBuilder spec;
        int fds[3];

        SPEC_SHELL(&spec, "read x; exec <&-; echo closed; sleep 1000");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, RING);
        attach_both(fd, 1, 0, fds);
        put(fds[0], "\n");
        expect_in(fds[1], "closed\n");
        p.fd = fds[0];
        assert_int_equal(poll(&p, 1, 20000), 1);
        assert_true(p.revents & POLLERR);
        drop_both(fds);
        assert_int_equal(client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDIN_FD }, fds),
                         0);
}

static void test_terminal_for_several(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        int a[3], b[3], c[3];

        SPEC_SHELL(&spec, "stty -echo; echo ready; while read x; do echo got $x; done; echo end");
        (void)job_start(fd, 1, &spec, WSHD_TTY, RING);
        attach_both(fd, 1, 0, a);
        expect_in(a[1], "ready\r\n");
        attach_both(fd, 1, 0, b);
        put(a[0], "first\n");
        expect_in(a[1], "got first\r\n");
        put(b[0], "second\n");
        expect_in(a[1], "got second\r\n");
        expect_in(b[1], "got second\r\n");
        /* One that leaves takes nothing along. */
        drop_both(a);
        put(b[0], "third\n");
        expect_in(b[1], "got third\r\n");
        assert_int_equal(
                client_attach(fd, (WshdMessage){ .job = 1, .flags = BOTH | WSHD_STDERR_FD }, c),
                BOTH);
        expect_in(c[1], "ready\r\ngot first\r\ngot second\r\ngot third\r\n");
        put(c[0], "\004");
        expect_in(b[1], "end\r\n");
        drop_both(b);
        drop_both(c);
        (void)client_expect(fd, WSHD_EXITED);
}

static void test_terminal_refuses(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        static char data[4096];
        SpecBuilder spec;
        int fds[3];

        /* Nobody reads the terminal, and its client does not stop: lines that are too many wait. */
        memset(data, 'x', sizeof(data));
        data[sizeof(data) - 1] = '\n';
        SPEC_SHELL(&spec, "stty raw -echo; echo ready; sleep 1000");
        (void)job_start(fd, 1, &spec, WSHD_TTY, RING);
        attach_both(fd, 1, 0, fds);
        expect_in(fds[1], "ready");
        assert_int_equal(fd_set_nonblock(fds[0], 1), 0);
        for (int i = 0; i < 3000; i++)
                if (write(fds[0], data, sizeof(data)) < 0 &&
                    poll(&(struct pollfd){ .fd = fds[0], .events = POLLOUT }, 1, 200) == 0)
                        break;
        container_expect_idle(*state);
        SPEC_SHELL(&spec, "exit 4");
        assert_int_equal(job_run(fd, 2, &spec, NULL, 0).code, 4);
        drop_both(fds);
}

static void test_terminal_without_ring(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC_SHELL(&spec, "yes | head -c 1000000; exit 6");
        (void)job_start(fd, 1, &spec, WSHD_TTY, 0);
        assert_int_equal(client_expect(fd, WSHD_EXITED).code, 6);
}

static void test_contradictions(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC_SHELL(&spec, "cat");
        expect_refusal(fd,
                       (WshdMessage){ .type = WSHD_SPAWN,
                                      .job = 1,
                                      .flags = WSHD_TTY | WSHD_OPEN_STDIN,
                                      .spec = spec.data,
                                      .spec_size = spec.writer.size },
                       WSHD_STAGE_REQUEST, EINVAL);
        assert_int_equal(job_spawn(fd, 1, &spec, WSHD_OPEN_STDIN).type, WSHD_SPAWNED);
        assert_int_equal(client_ask(fd,
                                    (WshdMessage){ .type = WSHD_SPAWN,
                                                   .job = 2,
                                                   .flags = WSHD_STDIN_FD | WSHD_OPEN_STDIN,
                                                   .spec = spec.data,
                                                   .spec_size = spec.writer.size },
                                    (int[]){ STDIN_FILENO }, 1)
                                 .error,
                         EINVAL);
}

int main(void)
{
        static const ContainerCase cases[] = {
                CASE("passes a client's end of file on", test_end_of_file),
                CASE("stays open for the next client when asked to", test_kept_open),
                CASE("gives a pipe to one client at a time", test_one_at_a_time),
                CASE("carries every byte both ways", test_binary),
                CASE("makes a client wait for a job that does not read", test_not_reading),
                CASE("tells a client that the job has closed its stdin", test_closed_by_job),
                CASE("lets several work at one terminal", test_terminal_for_several),
                CASE("sleeps beside a terminal that is full", test_terminal_refuses),
                CASE("empties a terminal that nobody wants to see", test_terminal_without_ring),
                CASE("refuses two sorts of stdin at once", test_contradictions),
        };

        return container_run_cases("wshd-input", cases, ELEMENTSOF(cases));
}
