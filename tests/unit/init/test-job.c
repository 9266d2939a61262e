/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/job.h"

#define EXITED(code) ((code) << 8)
#define KILLED(signal) (signal)
#define DUMPED(signal) ((signal) | 0x80)

static int is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static int new_fd(void)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

/* A job as it is right after its process was made. */
static Job start(uint8_t requester)
{
        Job job;

        job_init(&job, 7);
        job.pid = 100;
        job.pidfd = new_fd();
        job.start_fd = new_fd();
        job.sequence = 33;
        job.start_usec = 1000;
        job.requester = requester;
        return job;
}

static void test_names(void **state)
{
        for (int i = 0; i < _JOB_STATE_MAX; i++)
                assert_string_not_equal(job_state_to_string((JobState)i), "unknown");
        assert_string_equal(job_state_to_string(_JOB_STATE_MAX), "unknown");
}

static void test_life(void **state)
{
        Job job = start(2);
        int start_fd = job.start_fd, pidfd = job.pidfd, fd;
        WshdMessage m;

        assert_true(job_is_alive(&job));
        assert_false(job_has_reply(&job));
        job_on_started(&job);
        assert_int_equal(job.state, JOB_RUNNING);
        assert_false(is_open(start_fd));
        assert_true(job_has_reply(&job));
        job_to_reply(&job, &m, &fd);
        assert_int_equal(m.type, WSHD_SPAWNED);
        assert_int_equal(m.sequence, 33);
        assert_int_equal(m.job, 7);
        assert_int_equal(m.pid, 100);
        assert_true(m.start_usec == 1000);
        assert_int_equal(fd, pidfd);
        job_on_told(&job);
        assert_false(job_has_reply(&job));
        assert_true(is_open(pidfd));
        job_on_exit(&job, EXITED(3), 2000);
        assert_int_equal(job.state, JOB_ENDED);
        assert_false(job_is_alive(&job));
        assert_false(is_open(pidfd));
        job_to_exited(&job, &m);
        assert_int_equal(m.type, WSHD_EXITED);
        assert_int_equal(m.sequence, 0);
        assert_int_equal(m.code, 3);
        assert_int_equal(m.signal, 0);
        assert_true(m.end_usec == 2000);
        job_done(&job);
        assert_int_equal(job.state, JOB_FREE);
}

/* The pidfd is kept for the reply, though the process is gone. */
static void test_exit_before_reply(void **state)
{
        Job job = start(2);
        int pidfd = job.pidfd, fd;
        WshdMessage m;

        job_on_started(&job);
        job_on_exit(&job, EXITED(0), 2000);
        assert_true(job_has_reply(&job));
        job_to_reply(&job, &m, &fd);
        assert_int_equal(m.type, WSHD_SPAWNED);
        assert_int_equal(fd, pidfd);
        assert_true(is_open(pidfd));
        job_on_told(&job);
        assert_false(is_open(pidfd));
        job_done(&job);
}

static void test_failed_start(void **state)
{
        Job job = start(2);
        int fd, pidfd = job.pidfd;
        WshdMessage m;

        job_on_start_failed(&job, WSHD_STAGE_DIRECTORY, ENOENT);
        assert_int_equal(job.state, JOB_STARTING); /* until it is reaped */
        assert_false(job_has_reply(&job));
        job_on_exit(&job, EXITED(125), 2000);
        assert_int_equal(job.state, JOB_FAILED);
        assert_true(job_has_reply(&job));
        job_to_reply(&job, &m, &fd);
        assert_int_equal(m.type, WSHD_FAILED);
        assert_int_equal(m.stage, WSHD_STAGE_DIRECTORY);
        assert_int_equal(m.error, ENOENT);
        assert_int_equal(m.sequence, 33);
        assert_int_equal(fd, -EBADF);
        job_done(&job);
        assert_false(is_open(pidfd));
}

/* What comes through the pipe is from our own code, but from the container's side of it. */
static void test_strange_report(void **state)
{
        Job job = start(2);

        job_on_start_failed(&job, 77, 1U << 31);
        assert_int_equal(job.stage, WSHD_STAGE_EXEC);
        assert_int_equal(job.error, EIO);
        job_done(&job);
        job = start(2);
        job_on_start_failed(&job, 0, 0);
        assert_int_equal(job.stage, WSHD_STAGE_EXEC);
        assert_int_equal(job.error, EIO);
        job_done(&job);
}

static void test_requester_gone_early(void **state)
{
        Job job = start(2);

        job_on_client_gone(&job, 1);
        assert_int_equal(job.state, JOB_STARTING);
        job_on_client_gone(&job, 2);
        assert_int_equal(job.state, JOB_RUNNING);
        assert_false(job_has_reply(&job));
        /* The start fails after all: an exit with the shell's code. */
        job_on_exit(&job, EXITED(127), 2000);
        assert_int_equal(job.state, JOB_ENDED);
        assert_int_equal(job.code, 127);
        job_done(&job);

        job = start(2);
        job_on_start_failed(&job, WSHD_STAGE_EXEC, ENOENT);
        job_on_client_gone(&job, 2);
        job_on_exit(&job, EXITED(127), 2000);
        assert_int_equal(job.state, JOB_ENDED);
        job_done(&job);
}

static void test_requester_gone_late(void **state)
{
        Job job = start(2);
        int pidfd = job.pidfd;

        job_on_start_failed(&job, WSHD_STAGE_EXEC, ENOENT);
        job_on_exit(&job, EXITED(127), 2000);
        job_on_client_gone(&job, 2);
        assert_int_equal(job.state, JOB_FAILED);
        assert_int_equal(job.requester, JOB_NO_CLIENT); /* to be freed */
        job_done(&job);

        job = start(2);
        pidfd = job.pidfd;
        job_on_started(&job);
        job_on_exit(&job, EXITED(0), 2000);
        job.exited_owed = 1U << 2 | 1U << 3;
        job_on_client_gone(&job, 2);
        assert_int_equal(job.exited_owed, 1U << 3);
        assert_false(is_open(pidfd));
        job_done(&job);
}

static void test_endings(void **state)
{
        Job job = start(JOB_NO_CLIENT);
        WshdMessage m;

        job_on_exit(&job, DUMPED(SIGSEGV), 5);
        job_to_exited(&job, &m);
        assert_int_equal(m.signal, SIGSEGV);
        assert_int_equal(m.code, 0);
        assert_int_equal(m.flags, WSHD_CORE);
        job_done(&job);
        job = start(JOB_NO_CLIENT);
        job_on_exit(&job, KILLED(SIGKILL), 5);
        job_to_exited(&job, &m);
        assert_int_equal(m.signal, SIGKILL);
        assert_int_equal(m.flags, 0);
        job_on_exit(&job, EXITED(1), 6); /* there is only one end */
        assert_int_equal(job.signal, SIGKILL);
        assert_true(job.end_usec == 5);
        job_done(&job);
}

static void test_listed(void **state)
{
        Job job = start(JOB_NO_CLIENT);
        WshdMessage m;
        int fd;

        job_on_started(&job);
        job_to_listed(&job, &m, &fd);
        assert_int_equal(m.type, WSHD_JOB);
        assert_int_equal(m.flags, 0);
        assert_int_equal(m.pid, 100);
        assert_true(m.start_usec == 1000);
        assert_int_equal(fd, job.pidfd);
        job_on_exit(&job, EXITED(200), 9);
        job_to_listed(&job, &m, &fd);
        assert_int_equal(m.flags, WSHD_JOB_ENDED);
        assert_int_equal(m.code, 200);
        assert_true(m.end_usec == 9);
        assert_int_equal(fd, -EBADF);
        job_done(&job);
}

static void test_done(void **state)
{
        Job job = start(1), free_job = { 0 };
        int fds[3];

        job.master_fd = new_fd();
        fds[0] = job.pidfd;
        fds[1] = job.master_fd;
        fds[2] = job.start_fd;
        job_done(&job);
        for (int i = 0; i < 3; i++)
                assert_false(is_open(fds[i]));
        job_done(&job);
        /* Its zeros are not descriptors. */
        job_done(&free_job);
        assert_true(is_open(STDIN_FILENO));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "names all its states", test_names, NULL, NULL, NULL },
                { "starts, runs, ends and is freed", test_life, NULL, NULL, NULL },
                { "keeps the pidfd until its requester has it", test_exit_before_reply, NULL, NULL,
                  NULL },
                { "tells a failed start when the process is gone", test_failed_start, NULL, NULL,
                  NULL },
                { "puts a strange report into bounds", test_strange_report, NULL, NULL, NULL },
                { "runs on without its requester", test_requester_gone_early, NULL, NULL, NULL },
                { "owes a requester that is gone nothing", test_requester_gone_late, NULL, NULL,
                  NULL },
                { "tells signals and core dumps, and ends once", test_endings, NULL, NULL, NULL },
                { "is listed with a pidfd or with its end", test_listed, NULL, NULL, NULL },
                { "closes what it holds and nothing else", test_done, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests_name("init/job", tests, NULL, NULL);
}
