/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client against a PID 1 that is played here, in the same process, at the other end of a real
 * socket. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "daemon/wshd-client.h"

typedef struct Fixture {
        char directory[32];
        int dir_fd, listen_fd, server_fd;
        sd_event *event;
        WshdClient *client;
        int n_rows, n_row_fds, n_ready, n_exited, n_lost, lost_error;
        int n_replies, reply_error, reply_fd_inode_ok;
        uint32_t reply_type, exited_code;
        uint64_t output_bytes;
        int n_reply_fds, is_taking, taken_fd;
        WshdClient **free_on_lost;
} Fixture;

static void on_job(void *userdata, const WshdMessage *m, int take_pidfd)
{
        Fixture *f = userdata;

        f->n_rows++;
        f->n_row_fds += take_pidfd >= 0;
        fd_close(take_pidfd);
}

static void on_ready(void *userdata)
{
        ((Fixture *)userdata)->n_ready++;
}

static void on_exited(void *userdata, const WshdMessage *m)
{
        Fixture *f = userdata;

        f->n_exited++;
        f->exited_code = m->code;
}

static void on_output(void *userdata, const WshdMessage *m)
{
        Fixture *f = userdata;

        f->output_bytes = m->stdout_bytes;
}

static void on_lost(void *userdata, int error)
{
        Fixture *f = userdata;

        f->n_lost++;
        f->lost_error = error;
        f->client = wshd_client_free(f->client);
}

static void on_reply(void *userdata, const WshdMessage *m, int *fds, int error)
{
        Fixture *f = userdata;

        f->n_replies++;
        f->reply_error = error;
        f->reply_type = m ? m->type : 0;
        f->n_reply_fds = 0;
        while (f->n_reply_fds < WSHD_FDS_MAX && fds[f->n_reply_fds] >= 0)
                f->n_reply_fds++;
        f->taken_fd = f->is_taking ? take_fd(&fds[1]) : -EBADF;
}

static const WshdHandler handler = { on_job, on_ready, on_exited, on_output, on_lost };

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *state = f;
        (void)snprintf(f->directory, sizeof(f->directory), "/tmp/warden-test-XXXXXX");
        if (!mkdtemp(f->directory) || sd_event_new(&f->event) < 0)
                return -1;
        f->server_fd = -EBADF;
        f->dir_fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/wshd.sock", f->directory);
        if (bind(f->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -1;
        return listen(f->listen_fd, 5);
}

static int teardown(void **state)
{
        Fixture *f = *state;

        wshd_client_free(f->client);
        sd_event_unref(f->event);
        fd_close(f->server_fd);
        fd_close(f->listen_fd);
        (void)unlinkat(f->dir_fd, "wshd.sock", 0);
        fd_close(f->dir_fd);
        (void)rmdir(f->directory);
        free(f);
        return 0;
}

static void turn(Fixture *f)
{
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static void serve(Fixture *f, WshdMessage m, int fd)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int n = wshd_message_encode(&m, buffer, sizeof(buffer));

        assert_true(n > 0);
        assert_int_equal(wshd_send(f->server_fd, buffer, (size_t)n, &fd, fd >= 0 ? 1 : 0), 0);
}

static WshdMessage served(Fixture *f, size_t *ret_n_fds)
{
        static uint8_t arg_buffer[WSHD_MESSAGE_MAX];
        int fds[WSHD_FDS_MAX], n;
        size_t n_fds = ELEMENTSOF(fds);
        WshdMessage m;

        n = wshd_receive(f->server_fd, arg_buffer, sizeof(arg_buffer), fds, &n_fds);
        assert_true(n > 0);
        assert_int_equal(wshd_message_decode(arg_buffer, (size_t)n, &m), 0);
        for (size_t i = 0; i < n_fds; i++)
                fd_close(fds[i]);
        if (ret_n_fds)
                *ret_n_fds = n_fds;
        return m;
}

/* Connects, checks the hello and, if wanted, answers that there are no jobs. */
static void meet(Fixture *f, int is_ready)
{
        WshdMessage hello;

        assert_int_equal(
                wshd_client_new(f->event, f->dir_fd, (uint32_t)getpid(), &handler, f, &f->client),
                0);
        f->server_fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(f->server_fd >= 0);
        hello = served(f, NULL);
        assert_int_equal(hello.type, WSHD_HELLO);
        assert_true(hello.flags & WSHD_SUBSCRIBE);
        if (!is_ready)
                return;
        serve(f, (WshdMessage){ .type = WSHD_READY, .sequence = hello.sequence }, -1);
        serve(f, (WshdMessage){ .type = WSHD_JOBS_END, .sequence = hello.sequence }, -1);
        turn(f);
        assert_int_equal(f->n_ready, 1);
}

static void test_rows(void **state)
{
        Fixture *f = *state;

        meet(f, 0);
        serve(f, (WshdMessage){ .type = WSHD_READY, .sequence = 1 }, -1);
        serve(f, (WshdMessage){ .type = WSHD_JOB, .sequence = 1, .job = 1, .pid = 5 },
              f->listen_fd);
        serve(f,
              (WshdMessage){ .type = WSHD_JOB, .sequence = 1, .job = 2, .flags = WSHD_JOB_ENDED },
              -1);
        turn(f);
        assert_int_equal(f->n_ready, 0);
        serve(f, (WshdMessage){ .type = WSHD_JOBS_END, .sequence = 1 }, -1);
        turn(f);
        assert_int_equal(f->n_rows, 2);
        assert_int_equal(f->n_row_fds, 1);
        assert_int_equal(f->n_ready, 1);
}

static void test_stranger(void **state)
{
        Fixture *f = *state;

        assert_int_equal(wshd_client_new(f->event, f->dir_fd, (uint32_t)getpid() + 1, &handler, f,
                                         &f->client),
                         -EPERM);
        assert_null(f->client);
        (void)unlinkat(f->dir_fd, "wshd.sock", 0);
        assert_int_equal(
                wshd_client_new(f->event, f->dir_fd, (uint32_t)getpid(), &handler, f, &f->client),
                -ENOENT);
}

static void test_replies(void **state)
{
        Fixture *f = *state;
        WshdMessage a = { .type = WSHD_KILL, .job = 1, .signal = 15 }, b = a;

        meet(f, 1);
        assert_int_equal(wshd_client_call(f->client, &a, NULL, 0, on_reply, f), 0);
        assert_int_equal(wshd_client_call(f->client, &b, NULL, 0, on_reply, f), 0);
        assert_int_not_equal(a.sequence, b.sequence);
        assert_int_equal(served(f, NULL).sequence, a.sequence);
        assert_int_equal(served(f, NULL).sequence, b.sequence);
        /* In any order; one that nobody waits for is dropped. */
        serve(f, (WshdMessage){ .type = WSHD_FAILED, .sequence = b.sequence, .error = ESRCH }, -1);
        serve(f, (WshdMessage){ .type = WSHD_OK, .sequence = 12345 }, -1);
        turn(f);
        assert_int_equal(f->n_replies, 1);
        assert_int_equal(f->reply_type, WSHD_FAILED);
        serve(f, (WshdMessage){ .type = WSHD_OK, .sequence = a.sequence }, f->listen_fd);
        serve(f, (WshdMessage){ .type = WSHD_OK, .sequence = a.sequence }, -1);
        turn(f);
        assert_int_equal(f->n_replies, 2);
        assert_int_equal(f->reply_type, WSHD_OK);
}

/* What the function does not take must not stay open in the daemon. */
static void test_reply_fds(void **state)
{
        Fixture *f = *state;
        WshdMessage m = { .type = WSHD_ATTACH, .job = 1 };
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int pipes[3][2], fds[3], n;

        meet(f, 1);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
                fds[i] = pipes[i][1];
        }
        f->is_taking = 1;
        assert_int_equal(wshd_client_call(f->client, &m, NULL, 0, on_reply, f), 0);
        m = (WshdMessage){ .type = WSHD_OK, .sequence = m.sequence };
        n = wshd_message_encode(&m, buffer, sizeof(buffer));
        assert_int_equal(wshd_send(f->server_fd, buffer, (size_t)n, fds, 3), 0);
        for (int i = 0; i < 3; i++)
                fd_close(pipes[i][1]);
        turn(f);
        assert_int_equal(f->n_reply_fds, 3);
        assert_true(f->taken_fd >= 0);
        /* The first and the third have lost their last writer; the second was taken. */
        for (int i = 0; i < 3; i++)
                assert_int_equal(fd_set_nonblock(pipes[i][0], 1), 0);
        assert_int_equal(read(pipes[0][0], buffer, 1), 0);
        assert_int_equal(read(pipes[2][0], buffer, 1), 0);
        assert_int_equal(read(pipes[1][0], buffer, 1), -1);
        assert_int_equal(errno, EAGAIN);
        fd_close(f->taken_fd);
        assert_int_equal(read(pipes[1][0], buffer, 1), 0);
        for (int i = 0; i < 3; i++)
                fd_close(pipes[i][0]);
}

static void test_lost(void **state)
{
        Fixture *f = *state;
        WshdMessage m = { .type = WSHD_KILL, .job = 1, .signal = 15 };

        meet(f, 1);
        assert_int_equal(wshd_client_call(f->client, &m, NULL, 0, on_reply, f), 0);
        f->server_fd = fd_close(f->server_fd);
        turn(f);
        assert_int_equal(f->n_replies, 1);
        assert_int_equal(f->reply_type, 0);
        assert_true(f->reply_error < 0);
        assert_int_equal(f->n_lost, 1);
        assert_null(f->client);
}

static void test_garbage(void **state)
{
        Fixture *f = *state;

        meet(f, 1);
        assert_int_equal(wshd_send(f->server_fd, "nonsense", 8, NULL, 0), 0);
        turn(f);
        assert_int_equal(f->n_lost, 1);
        assert_int_equal(f->lost_error, -EBADMSG);
}

/* A frozen PID 1 reads nothing: what the socket does not take waits here, up to a bound, and goes
 * out in order. */
static void test_backlog(void **state)
{
        Fixture *f = *state;
        uint32_t first = 0, last = 0;
        int r, n = 0;

        meet(f, 1);
        for (;; n++) {
                WshdMessage m = { .type = WSHD_KILL, .job = 1, .signal = 15 };

                r = wshd_client_call(f->client, &m, &f->listen_fd, 1, on_reply, f);
                if (r < 0)
                        break;
                first = first ? first : m.sequence;
                last = m.sequence;
                assert_true(n < 100000);
        }
        assert_int_equal(r, -ENOBUFS);
        for (int i = 0; i < n; i++) {
                size_t n_fds;

                assert_int_equal(served(f, &n_fds).sequence, first + (uint32_t)i);
                assert_int_equal(n_fds, 1);
                turn(f);
        }
        assert_int_equal(first + (uint32_t)n - 1, last);
        assert_int_equal(f->n_lost, 0);
}

/* PID 1 says its last words and is gone: draining hears all of them. */
static void test_drain(void **state)
{
        Fixture *f = *state;

        meet(f, 1);
        for (uint32_t i = 0; i < 200; i++)
                serve(f, (WshdMessage){ .type = WSHD_EXITED, .job = i + 1, .code = i }, -1);
        f->server_fd = fd_close(f->server_fd);
        wshd_client_drain(f->client);
        assert_int_equal(f->n_exited, 200);
        assert_int_equal(f->exited_code, 199);
        assert_int_equal(f->n_lost, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "hears of every job before it is ready", test_rows, setup, teardown, NULL },
                { "talks to nobody but the leader", test_stranger, setup, teardown, NULL },
                { "matches replies to requests in any order", test_replies, setup, teardown, NULL },
                { "closes the descriptors that nobody took", test_reply_fds, setup, teardown,
                  NULL },
                { "answers what is pending when the connection breaks", test_lost, setup, teardown,
                  NULL },
                { "gives up on a PID 1 that talks nonsense", test_garbage, setup, teardown, NULL },
                { "bounds what waits for a PID 1 that does not read", test_backlog, setup, teardown,
                  NULL },
                { "hears the last words of one that has ended", test_drain, setup, teardown, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
