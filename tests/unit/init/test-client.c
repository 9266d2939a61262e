/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/client.h"

#define INDEX 3

static JobTable *jobs;
static Client client;
static int peer_fd;

static int setup(void **state)
{
        int pair[2];

        jobs = calloc(1, sizeof(*jobs));
        if (!jobs || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
                return -1;
        peer_fd = pair[1];
        client_init(&client, INDEX, pair[0]);
        return 0;
}

static int teardown(void **state)
{
        client_done(&client);
        peer_fd = fd_close(peer_fd);
        for (uint32_t i = 0; i < jobs->n_slots; i++)
                job_done(&jobs->slots[i]);
        free(jobs);
        return 0;
}

/* The next message; asserts that there is one. */
static WshdMessage receive(int *ret_fd)
{
        static uint8_t buffer[WSHD_MESSAGE_MAX];
        int fds[WSHD_FDS_MAX];
        size_t n_fds = WSHD_FDS_MAX;
        WshdMessage m;
        int r;

        r = wshd_receive(peer_fd, buffer, sizeof(buffer), fds, &n_fds);
        assert_true(r > 0);
        assert_int_equal(wshd_message_decode(buffer, (size_t)r, &m), 0);
        assert_int_equal(n_fds, ret_fd != NULL);
        if (ret_fd)
                *ret_fd = fds[0];
        return m;
}

static WshdMessage expect(uint32_t type, uint32_t job)
{
        WshdMessage m = receive(NULL);

        assert_int_equal(m.type, type);
        assert_int_equal(m.job, job);
        return m;
}

static void expect_silence(void)
{
        assert_int_equal(poll(&(struct pollfd){ .fd = peer_fd, .events = POLLIN }, 1, 0), 0);
}

/* Messages of no interest, until the socket takes no more. Returns how many. */
static int fill(void)
{
        int n = 0;

        while (client_may_read(&client)) {
                client_reply(&client, &(WshdMessage){ .type = WSHD_OK, .sequence = 9 }, NULL, 0);
                n++;
        }
        assert_true(client.is_blocked);
        assert_true(n > 10);
        return n;
}

static void drain(int n)
{
        for (int i = 0; i < n; i++)
                assert_int_equal(receive(NULL).sequence, 9);
}

static Job *new_job(uint32_t id, uint8_t requester)
{
        Job *job;

        assert_int_equal(job_table_acquire(jobs, id, &job), 0);
        job->pid = (pid_t)(1000 + id);
        job->requester = requester;
        job->sequence = 50 + id;
        return job;
}

static Job *new_ended(uint32_t id, uint8_t requester)
{
        Job *job = new_job(id, requester);

        job_on_started(job);
        job_on_exit(job, 0, 1);
        return job;
}

static void test_reply(void **state)
{
        int fd = -EBADF;

        client_reply(&client, &(WshdMessage){ .type = WSHD_OK, .sequence = 4 }, NULL, 0);
        assert_int_equal(receive(NULL).sequence, 4);
        assert_true(client_may_read(&client));
        assert_false(client_has_more(&client));
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        client_reply(&client, &(WshdMessage){ .type = WSHD_OK, .sequence = 5 }, &fd, 1);
        assert_int_equal(receive(&fd).sequence, 5);
        assert_true(fcntl(fd, F_GETFD) >= 0);
        fd_close(fd);
}

static void test_reply_waits(void **state)
{
        int n = fill();

        assert_false(client_may_read(&client));
        assert_true(client_has_more(&client));
        client_flush(&client, jobs);
        assert_false(client_may_read(&client));
        drain(n - 1);
        expect_silence();
        client_flush(&client, jobs);
        assert_true(client_may_read(&client));
        drain(1);
        expect_silence();
}

static void test_kept_descriptor(void **state)
{
        int n, fd, kept = open("/dev/null", O_RDWR | O_CLOEXEC);

        n = fill();
        /* As if the reply that did not fit was this one. */
        client.reply = (WshdMessage){ .type = WSHD_OK, .sequence = 77 };
        client.reply_fds[0] = kept;
        client.n_reply_fds = 1;
        drain(n - 1);
        client_flush(&client, jobs);
        assert_int_equal(receive(&fd).sequence, 77);
        fd_close(fd);
        assert_true(fcntl(kept, F_GETFD) < 0);
        assert_int_equal(client.n_reply_fds, 0);
}

static void test_list(void **state)
{
        new_job(1, JOB_NO_CLIENT); /* starting: not listed */
        job_on_started(new_job(2, JOB_NO_CLIENT));
        new_ended(3, JOB_NO_CLIENT)->exited_owed = 1U << INDEX | 1U << 5;
        client_list(&client, 8);
        assert_false(client_may_read(&client));
        expect_silence();
        client_flush(&client, jobs);
        assert_int_equal(expect(WSHD_READY, 0).sequence, 8);
        assert_int_equal(expect(WSHD_JOB, 2).sequence, 8);
        assert_int_equal(expect(WSHD_JOB, 3).flags, WSHD_JOB_ENDED);
        assert_int_equal(expect(WSHD_JOBS_END, 0).sequence, 8);
        assert_true(client_may_read(&client));
        /* Who was told in the list is not told again; others are. */
        assert_int_equal(job_table_find(jobs, 3)->exited_owed, 1U << 5);
        expect_silence();
}

static void test_list_paced(void **state)
{
        int n_listed = 0, n_turns = 0;

        for (uint32_t id = 1; id <= WSHD_JOBS_MAX; id++)
                (void)new_ended(id, JOB_NO_CLIENT);
        client_list(&client, 8);
        client_flush(&client, jobs);
        /* The turn was over before the socket was full. */
        assert_false(client.is_blocked);
        assert_true(client_has_more(&client));
        while (client_has_more(&client)) {
                client_flush(&client, jobs);
                n_turns++;
                while (poll(&(struct pollfd){ .fd = peer_fd, .events = POLLIN }, 1, 0) == 1)
                        if (receive(NULL).type == WSHD_JOB)
                                n_listed++;
        }
        assert_int_equal(n_listed, WSHD_JOBS_MAX);
        assert_true(n_turns >= WSHD_JOBS_MAX / 300);
}

static void test_list_again(void **state)
{
        for (uint32_t id = 1; id <= 300; id++)
                (void)new_ended(id, JOB_NO_CLIENT);
        client_list(&client, 8);
        client_flush(&client, jobs);
        client_list(&client, 9);
        while (receive(NULL).sequence == 8)
                if (poll(&(struct pollfd){ .fd = peer_fd, .events = POLLIN }, 1, 0) == 0)
                        break;
        client_flush(&client, jobs);
        expect(WSHD_READY, 0);
        assert_int_equal(expect(WSHD_JOB, 1).sequence, 9);
}

static void test_notify(void **state)
{
        Job *job = new_job(1, INDEX);

        client_notify(&client, jobs, job);
        expect_silence(); /* still starting */
        job_on_started(job);
        client_notify(&client, jobs, job);
        assert_int_equal(expect(WSHD_SPAWNED, 1).sequence, 51);
        client_notify(&client, jobs, job);
        expect_silence(); /* once is enough */
        job_on_exit(job, 3 << 8, 1);
        job->exited_owed = 1U << INDEX;
        client_notify(&client, jobs, job);
        assert_int_equal(expect(WSHD_EXITED, 1).code, 3);
        assert_false(client_has_more(&client));
}

static void test_order(void **state)
{
        new_ended(1, INDEX)->exited_owed = 1U << INDEX;
        client_notify(&client, jobs, job_table_find(jobs, 1));
        expect(WSHD_SPAWNED, 1);
        expect(WSHD_EXITED, 1);
        expect_silence();
}

static void test_failed(void **state)
{
        Job *job = new_job(1, INDEX);

        job_on_start_failed(job, WSHD_STAGE_USER, ENOENT);
        job_on_exit(job, 125 << 8, 1);
        client_notify(&client, jobs, job);
        assert_int_equal(expect(WSHD_FAILED, 1).stage, WSHD_STAGE_USER);
        assert_null(job_table_find(jobs, 1));
        assert_int_equal(jobs->n_slots, 0);
}

static void test_owed(void **state)
{
        int n = fill();

        for (uint32_t id = 1; id <= 20; id++) {
                Job *job = new_ended(id, id % 2 ? INDEX : JOB_NO_CLIENT);

                job->exited_owed = 1U << INDEX;
                client_notify(&client, jobs, job);
        }
        drain(n - 1);
        client_flush(&client, jobs);
        drain(1);
        for (uint32_t id = 1; id <= 20; id++) {
                if (id % 2)
                        expect(WSHD_SPAWNED, id);
                expect(WSHD_EXITED, id);
        }
        expect_silence();
        assert_false(client_has_more(&client));
}

/* A job that is released before a slow client heard of its end. */
static void test_released(void **state)
{
        int n = fill();
        Job *job = new_ended(1, JOB_NO_CLIENT);

        job->exited_owed = 1U << INDEX;
        client_notify(&client, jobs, job);
        job_table_release(jobs, job);
        (void)new_job(2, JOB_NO_CLIENT);
        drain(n - 1);
        client_flush(&client, jobs);
        drain(1);
        expect_silence();
        assert_false(client_has_more(&client));
}

static void test_during_list(void **state)
{
        Job *job = new_ended(1, INDEX);

        client_list(&client, 8);
        job->exited_owed = 1U << INDEX;
        client_notify(&client, jobs, job);
        expect_silence();
        client_flush(&client, jobs);
        expect(WSHD_READY, 0);
        expect(WSHD_JOB, 1);
        expect(WSHD_JOBS_END, 0);
        expect(WSHD_SPAWNED, 1);
        expect_silence();
}

static void test_broken(void **state)
{
        peer_fd = fd_close(peer_fd);
        client_reply(&client, &(WshdMessage){ .type = WSHD_OK }, NULL, 0);
        assert_true(client.is_broken);
        assert_false(client_may_read(&client));
        client_notify(&client, jobs, new_ended(1, INDEX));
        client_flush(&client, jobs);
        assert_true(client.is_broken);
}

/* A child in between may hold the socket, too. */
static void test_done(void **state)
{
        int copy = fd_dup(client.fd);
        char byte;

        client_done(&client);
        assert_int_equal(client.fd, -EBADF);
        assert_int_equal(client.index, INDEX);
        assert_int_equal(recv(peer_fd, &byte, 1, MSG_DONTWAIT), 0);
        fd_close(copy);
}

int main(void)
{
#define CASE(sentence, function)                          \
        {                                                 \
                sentence, function, setup, teardown, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("gets replies and their descriptors at once", test_reply),
                CASE("is not read from while a reply waits", test_reply_waits),
                CASE("gets the descriptor of a reply that waited", test_kept_descriptor),
                CASE("gets a list of what runs and what ended", test_list),
                CASE("gets a long list in turns", test_list_paced),
                CASE("gets a list from its start again", test_list_again),
                CASE("is told of a start and of an end once", test_notify),
                CASE("is told of the start before the end", test_order),
                CASE("is told of a failed start, which frees its slot", test_failed),
                CASE("is told later what did not fit", test_owed),
                CASE("is not told of a released job", test_released),
                CASE("is told nothing in the middle of a list", test_during_list),
                CASE("is marked when it is gone", test_broken),
                CASE("sees its end whoever else holds the socket", test_done),
        };

        return cmocka_run_group_tests_name("init/client", tests, NULL, NULL);
}
