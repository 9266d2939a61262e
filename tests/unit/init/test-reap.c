/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/child.h"
#include "init/reap.h"

#define PID 1234
#define EXITED(code) ((code) << 8)
#define STOPPED(signal) ((signal) << 8 | 0x7f)

static Server *server;
static Job *job;
static int peers[2]; /* of clients 0, which asked for the job, and 1 */
static int report_fd;

static int setup(void **state)
{
        int pair[2];

        server = calloc(1, sizeof(*server));
        if (!server)
                return -1;
        server_init(server, -EBADF, -EBADF, -ENOENT, 0);
        for (uint8_t i = 0; i < 2; i++) {
                if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
                        return -1;
                client_init(&server->clients[i], i, pair[0]);
                peers[i] = pair[1];
                server->clients[i].is_subscribed = 1;
        }
        if (job_table_acquire(&server->jobs, 7, &job) < 0 || pipe2(pair, O_CLOEXEC | O_NONBLOCK))
                return -1;
        job->start_fd = pair[0];
        report_fd = pair[1];
        job->pid = PID;
        job->requester = 0;
        return 0;
}

static int teardown(void **state)
{
        for (uint32_t i = 0; i < WSHD_JOBS_MAX; i++)
                job_done(&server->jobs.slots[i]);
        for (int i = 0; i < 2; i++) {
                server_drop_client(server, &server->clients[i]);
                fd_close(peers[i]);
        }
        report_fd = fd_close(report_fd);
        free(server);
        return 0;
}

static void expect(int i, uint32_t type)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        WshdMessage m;
        ssize_t n = recv(peers[i], buffer, sizeof(buffer), MSG_DONTWAIT);

        if (n < 0)
                fail_msg("client %d was told nothing", i);
        assert_int_equal(wshd_message_decode(buffer, (size_t)n, &m), 0);
        assert_int_equal(m.type, type);
        assert_int_equal(m.job, 7);
}

static void expect_silence(int i)
{
        char byte;

        assert_true(recv(peers[i], &byte, 1, MSG_DONTWAIT) < 0);
        assert_int_equal(errno, EAGAIN);
}

static void report(uint32_t stage, uint32_t error)
{
        ChildError e = { stage, error };

        assert_int_equal(write(report_fd, &e, sizeof(e)), sizeof(e));
}

static void test_started(void **state)
{
        reap_read_start(server, job);
        assert_int_equal(job->state, JOB_STARTING); /* nothing to read is no news */
        report_fd = fd_close(report_fd);
        reap_read_start(server, job);
        assert_int_equal(job->state, JOB_RUNNING);
        expect(0, WSHD_SPAWNED);
        expect_silence(1);
        reap_read_start(server, job); /* a stale event */
        expect_silence(0);
}

static void test_failed(void **state)
{
        report(WSHD_STAGE_EXEC, ENOENT);
        reap_read_start(server, job);
        expect_silence(0);
        reap_note(server, PID, EXITED(127));
        expect(0, WSHD_FAILED);
        expect_silence(0);
        expect_silence(1);
        assert_int_equal(server->jobs.n_slots, 0);
}

/* Its end is noticed before its pipe is looked at. */
static void test_late_pipe(void **state)
{
        report_fd = fd_close(report_fd);
        reap_note(server, PID, EXITED(3));
        expect(0, WSHD_SPAWNED);
        expect(0, WSHD_EXITED);
        expect(1, WSHD_EXITED);
        expect_silence(0);
        expect_silence(1);
        assert_int_equal(job->state, JOB_ENDED);
}

static void test_late_report(void **state)
{
        report(WSHD_STAGE_USER, ENOENT);
        reap_note(server, PID, EXITED(125));
        expect(0, WSHD_FAILED);
        assert_int_equal(server->jobs.n_slots, 0);
}

static void test_short_report(void **state)
{
        assert_int_equal(write(report_fd, "abc", 3), 3);
        reap_note(server, PID, EXITED(125));
        expect(0, WSHD_FAILED);
}

static void test_nobody(void **state)
{
        server_drop_client(server, &server->clients[0]);
        assert_int_equal(job->state, JOB_RUNNING);
        reap_note(server, PID, EXITED(0));
        expect(1, WSHD_EXITED);
        assert_int_equal(job->state, JOB_ENDED);
}

static void test_unsubscribed(void **state)
{
        server->clients[1].is_subscribed = 0;
        report_fd = fd_close(report_fd);
        reap_note(server, PID, EXITED(0));
        expect_silence(1);
        expect(0, WSHD_SPAWNED);
        expect(0, WSHD_EXITED);
        assert_int_equal(job->exited_owed, 0);
}

static void test_stopped(void **state)
{
        reap_note(server, PID, STOPPED(SIGTRAP));
        assert_int_equal(job->state, JOB_STARTING);
        report_fd = fd_close(report_fd);
        reap_read_start(server, job);
        reap_note(server, PID, STOPPED(SIGSTOP));
        reap_note(server, PID, 0xffff); /* continued */
        assert_int_equal(job->state, JOB_RUNNING);
}

static void test_stranger(void **state)
{
        reap_note(server, PID + 1, EXITED(0));
        assert_int_equal(job->state, JOB_STARTING);
        expect_silence(0);
        expect_silence(1);
}

static void test_batch(void **state)
{
        int n_rounds = 0;

        for (int i = 0; i < 200; i++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0)
                        _exit(0);
                assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
        }
        while (reap_batch(server))
                n_rounds++;
        assert_in_range(n_rounds, 2, 10);
        assert_true(waitpid(-1, NULL, WNOHANG) < 0);
        assert_int_equal(errno, ECHILD);
}

int main(void)
{
#define CASE(sentence, function)                          \
        {                                                 \
                sentence, function, setup, teardown, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("tells the requester of a start, once", test_started),
                CASE("tells of a failed start when the process is gone", test_failed),
                CASE("tells of a start before its end, whatever came first", test_late_pipe),
                CASE("reads a report that its end overtook", test_late_report),
                CASE("takes half a report for a failure", test_short_report),
                CASE("tells others of the end when the requester is gone", test_nobody),
                CASE("tells subscribers only", test_unsubscribed),
                CASE("does not take a stop for an end", test_stopped),
                CASE("passes over orphans", test_stranger),
                CASE("reaps in batches until nothing is left", test_batch),
        };

        return cmocka_run_group_tests_name("init/reap", tests, NULL, NULL);
}
