/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "ctl/relay.h"

/* A relay between two pipes; the test holds the outer ends. */
typedef struct Fixture {
        Relay relay;
        int in_fd, out_fd;
} Fixture;

static void begin(Fixture *f)
{
        int in[2], out[2];

        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        f->relay = RELAY_INIT;
        f->in_fd = in[1];
        f->out_fd = out[0];
        assert_int_equal(relay_start(&f->relay, in[0], out[1], 0), 0);
}

static void end(Fixture *f)
{
        relay_done(&f->relay);
        f->in_fd = fd_close(f->in_fd);
        f->out_fd = fd_close(f->out_fd);
}

/* As the loop does it. Returns how many descriptors were ready. */
static int turn(Relay *relay)
{
        struct pollfd pollfds[RELAY_POLLFDS];
        int n;

        relay_prepare(relay, pollfds);
        n = poll(pollfds, RELAY_POLLFDS, 0);
        assert_true(n >= 0);
        relay_dispatch(relay, pollfds);
        return n;
}

static void write_text(int fd, const char *text)
{
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect_text(int fd, const char *text)
{
        char buffer[256] = "";
        ssize_t n = read(fd, buffer, sizeof(buffer) - 1);

        assert_int_equal(n, strlen(text));
        assert_string_equal(buffer, text);
}

static void test_moves(void **state)
{
        Fixture f;

        begin(&f);
        assert_int_equal(turn(&f.relay), 0);
        write_text(f.in_fd, "one");
        (void)turn(&f.relay);
        expect_text(f.out_fd, "one");
        assert_true(relay_is_flushed(&f.relay));
        assert_int_equal(f.relay.moved_bytes, 3);
        end(&f);
}

static void test_end_of_input(void **state)
{
        Fixture f;

        begin(&f);
        write_text(f.in_fd, "last");
        f.in_fd = fd_close(f.in_fd);
        for (int i = 0; i < 4; i++)
                (void)turn(&f.relay);
        assert_true(relay_is_done(&f.relay));
        expect_text(f.out_fd, "last");
        expect_text(f.out_fd, ""); /* the end */
        end(&f);
}

static void test_slow_reader(void **state)
{
        Fixture f;
        char *block = calloc(1, 1 << 20), *seen = calloc(1, 1 << 20);
        size_t sent = 0, received = 0;
        int idle = 0;

        begin(&f);
        for (size_t i = 0; i < 1 << 20; i++)
                block[i] = (char)(i * 31 + i / 509);
        assert_int_equal(fd_set_nonblock(f.in_fd, 1), 0);
        assert_int_equal(fd_set_nonblock(f.out_fd, 1), 0);
        while (received < 1 << 20) {
                ssize_t n = write(f.in_fd, block + sent, (1 << 20) - sent);

                if (n > 0)
                        sent += (size_t)n;
                /* Several turns for one small read: the pipe is full most of the time. */
                for (int i = 0; i < 3; i++)
                        (void)turn(&f.relay);
                n = read(f.out_fd, seen + received, 1000);
                if (n > 0)
                        received += (size_t)n;
                idle = n > 0 ? 0 : idle + 1;
                assert_true(idle < 100);
        }
        assert_memory_equal(seen, block, 1 << 20);
        end(&f);
        free(block);
        free(seen);
}

/* A source that has hung up is always ready; while its bytes cannot be written, that must not keep
 * the loop turning. */
static void test_no_spinning(void **state)
{
        static const char zeros[128 << 10];
        Fixture f;
        ssize_t n;

        begin(&f);
        assert_int_equal(fd_set_nonblock(f.in_fd, 1), 0);
        do {
                n = write(f.in_fd, zeros, sizeof(zeros));
                (void)turn(&f.relay);
                (void)turn(&f.relay);
        } while (n > 0);
        f.in_fd = fd_close(f.in_fd);
        (void)turn(&f.relay);
        assert_false(relay_is_flushed(&f.relay));
        assert_int_equal(turn(&f.relay), 0);
        assert_int_equal(turn(&f.relay), 0);
        end(&f);
}

static void test_reader_leaves(void **state)
{
        Fixture f;

        (void)signal(SIGPIPE, SIG_IGN);
        begin(&f);
        f.out_fd = fd_close(f.out_fd);
        (void)turn(&f.relay); /* with nothing to write */
        assert_true(relay_is_done(&f.relay));
        assert_int_equal(write(f.in_fd, "x", 1), -1);
        assert_int_equal(errno, EPIPE);
        end(&f);
}

static void test_finish(void **state)
{
        Fixture f;

        begin(&f);
        write_text(f.in_fd, "before");
        relay_finish(&f.relay);
        write_text(f.in_fd, "after");
        for (int i = 0; i < 4; i++)
                (void)turn(&f.relay);
        assert_true(relay_is_done(&f.relay)); /* though in_fd is open */
        expect_text(f.out_fd, "before");
        expect_text(f.out_fd, "");
        end(&f);

        begin(&f);
        relay_finish(&f.relay);
        assert_true(relay_is_done(&f.relay));
        end(&f);
}

static int drop_at_x(void *userdata, Relay *relay, uint8_t *data, size_t *size)
{
        int *n_ends = userdata;

        if (*size == 0) {
                (*n_ends)++;
                memcpy(data, "END", 3);
                *size = 3;
                return 0;
        }
        if (!memchr(data, 'x', *size))
                return 0;
        *size = 0;
        return -ECANCELED;
}

static void test_filter(void **state)
{
        int n_ends = 0;
        Fixture f;

        begin(&f);
        f.relay.filter = drop_at_x;
        f.relay.userdata = &n_ends;
        write_text(f.in_fd, "abc");
        (void)turn(&f.relay);
        expect_text(f.out_fd, "abc");
        write_text(f.in_fd, "axc");
        (void)turn(&f.relay);
        assert_true(relay_is_done(&f.relay));
        expect_text(f.out_fd, "");
        assert_int_equal(n_ends, 0);
        end(&f);

        begin(&f);
        f.relay.filter = drop_at_x;
        f.relay.userdata = &n_ends;
        f.in_fd = fd_close(f.in_fd);
        for (int i = 0; i < 3; i++)
                (void)turn(&f.relay);
        assert_true(relay_is_done(&f.relay));
        expect_text(f.out_fd, "END");
        assert_int_equal(n_ends, 1);
        end(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "moves bytes", test_moves },
                { "passes on the end after the last byte", test_end_of_input },
                { "waits for a slow reader without losing anything", test_slow_reader },
                { "sleeps while nothing can be written", test_no_spinning },
                { "lets the writer know that the reader has left", test_reader_leaves },
                { "reads only what is there once the job has ended", test_finish },
                { "lets a filter end the input or add to it", test_filter },
        };

        return cmocka_run_group_tests_name("ctl/relay", tests, NULL, NULL);
}
