/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What jobs may try against a real PID 1, and how the container ends. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "container.h"

#define N_JOBS 600          /* far more messages than a socket holds */
#define N_JOBS_FOR_TOOL 350 /* as well, but only just */

static uint64_t now_usec(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static uint32_t n_jobs(void)
{
        return container_is_wrapped() ? N_JOBS_FOR_TOOL : N_JOBS;
}

static void sleep_msec(long msec)
{
        (void)nanosleep(&(struct timespec){ msec / 1000, msec % 1000 * 1000000 }, NULL);
}

static void expect_works(int fd, uint32_t job)
{
        SpecBuilder spec;

        SPEC(&spec, "/bin/true");
        assert_int_equal(job_run(fd, job, &spec, NULL, 0).code, 0);
}

static void expect_children(const Container *container, size_t n)
{
        for (int i = 0; container_count_children(container) != n; i++) {
                assert_true(i < 2000);
                sleep_msec(5);
        }
}

/* A job that ignores TERM by the time that this returns. */
static void start_role(int fd, uint32_t job, const char *role)
{
        SpecBuilder spec;
        WshdMessage m;
        int pair[2];
        char byte;

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        SPEC(&spec, helper_path(), role);
        m = client_ask(fd,
                       (WshdMessage){ .type = WSHD_SPAWN,
                                      .job = job,
                                      .flags = WSHD_STDOUT_FD,
                                      .spec = spec.data,
                                      .spec_size = spec.writer.size },
                       &pair[1], 1);
        assert_int_equal(m.type, WSHD_SPAWNED);
        assert_int_equal(read(pair[0], &byte, 1), 1);
        fd_close(pair[0]);
        fd_close(pair[1]);
}

static void expect_exit_zero(Container *container)
{
        int status = container_wait(container);

        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void expect_ok(int fd, WshdMessage m)
{
        assert_int_equal(client_ask(fd, m, NULL, 0).type, WSHD_OK);
}

static void test_storm(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int other = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, helper_path(), "storm", "2000");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        for (uint32_t job = 2; job <= 20; job++)
                expect_works(other, job);
        assert_int_equal(client_expect(fd, WSHD_EXITED).code, 0);
        expect_children(*state, 0);
}

static void test_orphan(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, helper_path(), "orphan");
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 0);
        expect_children(*state, 1);
        expect_ok(fd, (WshdMessage){ .type = WSHD_KILL_ALL, .signal = SIGKILL });
        expect_children(*state, 0);
        expect_works(fd, 1);
}

static void test_signals(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, helper_path(), "signals");
        for (uint32_t job = 1; job <= 5; job++)
                assert_int_equal(job_run(fd, job, &spec, NULL, 0).code, 0);
        expect_works(fd, 6);
}

static void test_traced(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        WshdMessage m;

        SPEC(&spec, helper_path(), "traced");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 200), 0);
        expect_ok(fd, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = SIGKILL });
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.job, 1);
        assert_int_equal(m.signal, SIGKILL);
}

/* Leaves a file there in the job's place that the next one is started with. */
static void expect_strange(const char *script, int error)
{
        Container *container = container_new(NULL);
        int fd = client_open(container, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC_SHELL(&spec, script);
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 0);
        SPEC(&spec, "/bin/true");
        wire_put_string(&spec.writer, JOB_TAG_USER, "vcap");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_USER, error);
        fd_close(fd);
        container_free(container);
}

static void test_database(void **state)
{
        expect_strange("rm /etc/passwd && mkfifo /etc/passwd", EINVAL);
        expect_strange("rm /etc/passwd && mkdir /etc/passwd", EINVAL);
        expect_strange("rm /etc/passwd && ln -s /dev/zero /etc/passwd", EINVAL);
        expect_strange("rm /etc/passwd && ln -s passwd /etc/passwd", ELOOP);
        expect_strange("head -c 3000000 /dev/zero > /etc/passwd", ENOENT);
        expect_strange("rm /etc/group && mkfifo /etc/group", EINVAL);
}

static void test_stop(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint64_t start_usec = now_usec();
        SpecBuilder spec;
        WshdMessage m;

        SPEC(&spec, "/bin/sleep", "1000");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        SPEC(&spec, helper_path(), "orphan");
        (void)job_run(fd, 2, &spec, NULL, 0);
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = 60 * USEC_PER_SEC });
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.job, 1);
        assert_int_equal(m.signal, SIGTERM);
        assert_int_equal(client_receive(fd, &m, NULL), 0);
        expect_exit_zero(*state);
        assert_true(now_usec() - start_usec < 30 * USEC_PER_SEC);
}

static void test_stop_empty(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        WshdMessage m;

        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = USEC_INFINITY });
        assert_int_equal(client_receive(fd, &m, NULL), 0);
        expect_exit_zero(*state);
}

static void test_grace(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint64_t start_usec;
        SpecBuilder spec;
        WshdMessage m;

        start_role(fd, 1, "stubborn");
        start_usec = now_usec();
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = 300 * USEC_PER_MSEC });
        SPEC(&spec, "/bin/true");
        expect_no_start(fd, 2, &spec, WSHD_STAGE_REQUEST, ESHUTDOWN);
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.signal, SIGKILL);
        assert_true(now_usec() - start_usec >= 300 * USEC_PER_MSEC);
        expect_exit_zero(*state);
}

static void test_churn(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int other = client_open(*state, WSHD_SUBSCRIBE);
        uint64_t start_usec;

        for (uint32_t job = 1; job <= 4; job++)
                start_role(fd, job, "churn");
        for (uint32_t job = 5; job <= 10; job++)
                expect_works(other, job);
        start_usec = now_usec();
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = 100 * USEC_PER_MSEC });
        expect_exit_zero(*state);
        assert_true(now_usec() - start_usec < 30 * USEC_PER_SEC);
}

static void test_shorter_grace(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint64_t start_usec;

        start_role(fd, 1, "stubborn");
        start_usec = now_usec();
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = USEC_INFINITY });
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = 1000 * USEC_PER_SEC });
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = 0 });
        assert_int_equal(client_expect(fd, WSHD_EXITED).signal, SIGKILL);
        expect_exit_zero(*state);
        assert_true(now_usec() - start_usec < 30 * USEC_PER_SEC);
}

static void test_stopped_job(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        expect_ok(fd, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = SIGSTOP });
        sleep_msec(20);
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = USEC_INFINITY });
        assert_int_equal(client_expect(fd, WSHD_EXITED).signal, SIGTERM);
        expect_exit_zero(*state);
}

static void expect_stop_by(int signal)
{
        Container *container = container_new(
                &(ContainerOptions){ .grace_usec = 200 * USEC_PER_MSEC });
        int fd = client_open(container, WSHD_SUBSCRIBE);
        uint64_t start_usec;

        start_role(fd, 1, "stubborn");
        start_usec = now_usec();
        assert_int_equal(kill(container->pid, signal), 0);
        assert_int_equal(client_expect(fd, WSHD_EXITED).signal, SIGKILL);
        assert_true(now_usec() - start_usec >= 200 * USEC_PER_MSEC);
        expect_exit_zero(container);
        fd_close(fd);
        container_free(container);
}

static void test_outer_signals(void **state)
{
        expect_stop_by(SIGTERM);
        expect_stop_by(SIGINT);
        expect_stop_by(37);
        expect_stop_by(38);
}

static void test_harmless_signals(void **state)
{
        const Container *container = *state;
        _drop_(drop_fd) int fd = client_open(container, WSHD_SUBSCRIBE);

        assert_int_equal(kill(container->pid, SIGHUP), 0);
        assert_int_equal(kill(container->pid, SIGPIPE), 0);
        assert_int_equal(kill(container->pid, SIGUSR1), 0);
        assert_int_equal(kill(container->pid, SIGCHLD), 0);
        expect_works(fd, 1);
}

/* Far more ends at once than fit into a socket, and somebody who reads them late. */
static void test_all_told(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint8_t seen[N_JOBS + 1] = { 0 };
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        for (uint32_t job = 1; job <= n_jobs(); job++)
                assert_int_equal(job_spawn(fd, job, &spec, 0).type, WSHD_SPAWNED);
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = USEC_INFINITY });
        sleep_msec(300);
        for (int i = 0; i < (int)n_jobs(); i++) {
                WshdMessage m = client_expect(fd, WSHD_EXITED);

                assert_in_range(m.job, 1, N_JOBS);
                assert_int_equal(seen[m.job]++, 0);
        }
        expect_exit_zero(*state);
}

static void test_deaf_client(void **state)
{
        _drop_(drop_fd) int deaf = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int fd = client_open(*state, 0);
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        for (uint32_t job = 1; job <= n_jobs(); job++)
                assert_int_equal(job_spawn(fd, job, &spec, 0).type, WSHD_SPAWNED);
        expect_ok(fd, (WshdMessage){ .type = WSHD_STOP, .usec = USEC_INFINITY });
        expect_exit_zero(*state);
        assert_int_equal(client_expect(deaf, WSHD_EXITED).signal, SIGTERM);
}

int main(void)
{
        static const ContainerCase cases[] = {
                CASE("reaps a storm of zombies and serves meanwhile", test_storm),
                CASE("takes in orphans and can end them", test_orphan),
                CASE_WITH(NEEDS_NO_TOOL, "is not reached by any signal from inside", test_signals),
                CASE("does not take a traced job's stop for its end", test_traced),
                CASE_ALONE(0, "is not held up by a strange user database", test_database),
                CASE("asks everybody to end, tells of it, and exits", test_stop),
                CASE("exits at once when there is nobody", test_stop_empty),
                CASE("kills after the grace and starts nothing in it", test_grace),
                CASE("serves and stops whatever the number of orphans", test_churn),
                CASE("lets a second request shorten the grace, never lengthen it",
                     test_shorter_grace),
                CASE("wakes stopped jobs to let them end", test_stopped_job),
                CASE_ALONE(0, "stops when a signal from outside says so", test_outer_signals),
                CASE_WITH(NEEDS_NO_TOOL, "does nothing about other signals from outside",
                          test_harmless_signals),
                CASE("tells of every end before it exits", test_all_told),
                CASE("does not wait long for a client that never reads", test_deaf_client),
        };

        return container_run_cases("wshd-hostile", cases, ELEMENTSOF(cases));
}
