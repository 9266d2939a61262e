/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/request.h"

/* What the requests have asked of processes. */
static struct {
        Spawn spawn;
        uint32_t fail_stage;
        int fail; /* what the next start or signal returns */
        int n_starts, n_signals, n_signals_all;
        int signal;
        uint32_t signal_job;
} fake;

static Server *server;
static Client *client;
static int peer_fd;

static int fake_start(const Spawn *spawn, Job *job, uint32_t *ret_stage)
{
        fake.spawn = *spawn;
        fake.n_starts++;
        if (fake.fail < 0) {
                *ret_stage = fake.fail_stage;
                return fake.fail;
        }
        job->pid = 1000 + fake.n_starts;
        return 0;
}

static int fake_signal_job(const Job *job, int signal)
{
        fake.n_signals++;
        fake.signal = signal;
        fake.signal_job = job->id;
        return fake.fail;
}

static int fake_signal_all(const JobTable *jobs, int signal)
{
        fake.n_signals_all++;
        fake.signal = signal;
        return fake.fail;
}

static int fake_is_alone(const JobTable *jobs)
{
        return !job_table_is_alive(jobs);
}

static const ProcessOps fake_ops = {
        .start = fake_start,
        .signal_job = fake_signal_job,
        .signal_all = fake_signal_all,
        .is_alone = fake_is_alone,
};

static int setup(void **state)
{
        int pair[2];

        memset(&fake, 0, sizeof(fake));
        server = calloc(1, sizeof(*server));
        if (!server || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
                return -1;
        server_init(server, -EBADF, -EBADF, -ENOENT, 0);
        server->ops = &fake_ops;
        client = &server->clients[2];
        client_init(client, 2, pair[0]);
        peer_fd = pair[1];
        return 0;
}

static int teardown(void **state)
{
        server_drop_client(server, client);
        for (uint32_t i = 0; i < server->jobs.n_slots; i++)
                job_done(&server->jobs.slots[i]);
        fd_close(peer_fd);
        free(server);
        return 0;
}

static void request(WshdMessage m, const int *fds, size_t n_fds)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int size = wshd_message_encode(&m, buffer, sizeof(buffer));

        assert_true(size > 0);
        request_handle(server, client, buffer, (size_t)size, fds, n_fds);
}

static int is_silent(void)
{
        return poll(&(struct pollfd){ .fd = peer_fd, .events = POLLIN }, 1, 0) == 0;
}

/* The reply, which must be the only one. */
static WshdMessage reply_of(WshdMessage m, const int *fds, size_t n_fds)
{
        static uint8_t buffer[WSHD_MESSAGE_MAX];
        int received[WSHD_FDS_MAX], r;
        size_t n = WSHD_FDS_MAX;
        WshdMessage reply;

        m.sequence = 4711;
        request(m, fds, n_fds);
        r = wshd_receive(peer_fd, buffer, sizeof(buffer), received, &n);
        assert_true(r > 0);
        assert_int_equal(wshd_message_decode(buffer, (size_t)r, &reply), 0);
        for (size_t i = 0; i < n; i++)
                fd_close(received[i]);
        assert_int_equal(reply.sequence, 4711);
        assert_int_equal(reply.job, m.job);
        assert_true(is_silent());
        return reply;
}

static void expect_ok(WshdMessage m)
{
        assert_int_equal(reply_of(m, NULL, 0).type, WSHD_OK);
}

static void expect_error(WshdMessage m, const int *fds, size_t n_fds, int error)
{
        WshdMessage reply = reply_of(m, fds, n_fds);

        assert_int_equal(reply.type, WSHD_FAILED);
        assert_int_equal(reply.stage, WSHD_STAGE_REQUEST);
        assert_int_equal(reply.error, error);
}

static WshdMessage spawn_of(uint32_t job, uint32_t flags)
{
        return (WshdMessage){
                .type = WSHD_SPAWN,
                .job = job,
                .flags = flags,
                .spec = (const uint8_t *)"spec",
                .spec_size = 4,
        };
}

static Job *start(uint32_t id)
{
        Job *job;

        request(spawn_of(id, 0), NULL, 0);
        assert_true(is_silent());
        job = job_table_find(&server->jobs, id);
        assert_non_null(job);
        job_on_told(job);
        job_on_started(job);
        return job;
}

static void test_spawn(void **state)
{
        WshdMessage m = spawn_of(5, WSHD_PRIVILEGED);
        const Job *job;

        m.sequence = 99;
        request(m, NULL, 0);
        assert_true(is_silent()); /* the reply comes with exec */
        job = job_table_find(&server->jobs, 5);
        assert_non_null(job);
        assert_int_equal(job->state, JOB_STARTING);
        assert_int_equal(job->sequence, 99);
        assert_int_equal(job->requester, 2);
        assert_int_equal(fake.spawn.spec_size, 4);
        assert_memory_equal(fake.spawn.spec, "spec", 4);
        assert_true(fake.spawn.is_privileged);
        assert_false(fake.spawn.is_tty);
        for (int i = 0; i < 3; i++)
                assert_int_equal(fake.spawn.stdio_fds[i], -EBADF);
        assert_int_equal(fake.spawn.spec_fd, -EBADF);
        assert_int_equal(fake.spawn.devpts_fd, -ENOENT);
}

static void test_descriptors(void **state)
{
        static const int fds[] = { 60, 61, 62, 63 };
        WshdMessage m = spawn_of(1, WSHD_STDOUT_FD);

        request(m, fds, 1);
        assert_int_equal(fake.spawn.stdio_fds[0], -EBADF);
        assert_int_equal(fake.spawn.stdio_fds[1], 60);
        assert_int_equal(fake.spawn.stdio_fds[2], -EBADF);

        m = spawn_of(2, WSHD_STDIN_FD | WSHD_STDERR_FD | WSHD_SPEC_FD);
        m.spec_size = 0;
        request(m, fds, 3);
        assert_int_equal(fake.spawn.stdio_fds[0], 60);
        assert_int_equal(fake.spawn.stdio_fds[1], -EBADF);
        assert_int_equal(fake.spawn.stdio_fds[2], 61);
        assert_int_equal(fake.spawn.spec_fd, 62);

        m = spawn_of(3, WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD | WSHD_SPEC_FD);
        m.spec_size = 0;
        request(m, fds, 4);
        assert_int_equal(fake.spawn.stdio_fds[1], 61);
        assert_int_equal(fake.spawn.spec_fd, 63);
        assert_int_equal(fake.n_starts, 3);
        assert_true(is_silent());
}

/* Every number of descriptors with every combination of flags: one is right. */
static void test_descriptor_counts(void **state)
{
        static const int fds[] = { 60, 61, 62, 63 };

        for (uint32_t bits = 0; bits < 16; bits++)
                for (size_t n = 0; n <= 4; n++) {
                        uint32_t flags = (bits & 7) * WSHD_STDIN_FD | (bits & 8 ? WSHD_SPEC_FD : 0);
                        WshdMessage m = spawn_of(1, flags);

                        if (flags & WSHD_SPEC_FD)
                                m.spec_size = 0;
                        if (n != (size_t)__builtin_popcount(bits)) {
                                expect_error(m, fds, n, EINVAL);
                                continue;
                        }
                        request(m, fds, n);
                        assert_true(is_silent());
                        job_table_release(&server->jobs, job_table_find(&server->jobs, 1));
                }
        assert_int_equal(fake.n_starts, 16);
}

static void test_tty(void **state)
{
        WshdMessage m = spawn_of(1, WSHD_TTY);

        m.rows = 65535;
        m.columns = 1;
        request(m, NULL, 0);
        assert_true(fake.spawn.is_tty);
        assert_int_equal(fake.spawn.rows, 65535);
        assert_int_equal(fake.spawn.columns, 1);
        m.job = 2;
        m.columns = 65536;
        expect_error(m, NULL, 0, EINVAL);
        m = spawn_of(2, WSHD_TTY | WSHD_STDOUT_FD);
        expect_error(m, (int[]){ 60 }, 1, EINVAL);
        assert_int_equal(fake.n_starts, 1);
}

static void test_spawn_refusals(void **state)
{
        WshdMessage m = spawn_of(1, WSHD_SUBSCRIBE);

        expect_error(m, NULL, 0, EINVAL);
        m = spawn_of(1, WSHD_CORE);
        expect_error(m, NULL, 0, EINVAL);
        m = spawn_of(1, 0);
        m.spec_size = 0;
        expect_error(m, NULL, 0, EINVAL);
        expect_error(spawn_of(1, WSHD_SPEC_FD), (int[]){ 60 }, 1, EINVAL);
        assert_int_equal(fake.n_starts, 0);
        assert_int_equal(server->jobs.n_slots, 0);
        (void)start(1);
        expect_error(spawn_of(1, 0), NULL, 0, EEXIST);
        for (uint32_t id = 2; id <= WSHD_JOBS_MAX; id++)
                (void)start(id);
        expect_error(spawn_of(WSHD_JOBS_MAX + 1, 0), NULL, 0, ENOSPC);
        assert_int_equal(fake.n_starts, WSHD_JOBS_MAX);
}

static void test_spawn_fails(void **state)
{
        WshdMessage reply;

        fake.fail = -EAGAIN;
        fake.fail_stage = WSHD_STAGE_FORK;
        reply = reply_of(spawn_of(1, 0), NULL, 0);
        assert_int_equal(reply.type, WSHD_FAILED);
        assert_int_equal(reply.stage, WSHD_STAGE_FORK);
        assert_int_equal(reply.error, EAGAIN);
        assert_int_equal(server->jobs.n_slots, 0);
        fake.fail = 0;
        (void)start(1);
}

static void test_stop(void **state)
{
        (void)start(1);
        expect_ok((WshdMessage){ .type = WSHD_STOP, .usec = 5 * USEC_PER_SEC });
        assert_int_equal(server->stop.state, STOP_TERMINATING);
        assert_int_equal(fake.n_signals_all, 2);
        assert_int_equal(fake.signal, SIGCONT); /* after TERM */
        expect_error(spawn_of(2, 0), NULL, 0, ESHUTDOWN);
        expect_ok((WshdMessage){ .type = WSHD_STOP, .usec = 0 });
        assert_int_equal(fake.n_signals_all, 2);
}

static void test_kill(void **state)
{
        Job *job = start(9);

        expect_ok((WshdMessage){ .type = WSHD_KILL, .job = 9, .signal = 64 });
        assert_int_equal(fake.signal, 64);
        assert_int_equal(fake.signal_job, 9);
        expect_error((WshdMessage){ .type = WSHD_KILL, .job = 9, .signal = 65 }, NULL, 0, EINVAL);
        expect_error((WshdMessage){ .type = WSHD_KILL, .job = 9 }, NULL, 0, EINVAL);
        expect_error((WshdMessage){ .type = WSHD_KILL, .job = 8, .signal = 9 }, NULL, 0, ENOENT);
        fake.fail = -EPERM;
        expect_error((WshdMessage){ .type = WSHD_KILL, .job = 9, .signal = 9 }, NULL, 0, EPERM);
        job_on_exit(job, 0, 1);
        expect_error((WshdMessage){ .type = WSHD_KILL, .job = 9, .signal = 9 }, NULL, 0, ESRCH);
        assert_int_equal(fake.n_signals, 2);
}

static void test_kill_all(void **state)
{
        expect_ok((WshdMessage){ .type = WSHD_KILL_ALL, .signal = SIGHUP });
        assert_int_equal(fake.signal, SIGHUP);
        expect_error((WshdMessage){ .type = WSHD_KILL_ALL, .signal = 0 }, NULL, 0, EINVAL);
        expect_error((WshdMessage){ .type = WSHD_KILL_ALL, .signal = UINT32_MAX }, NULL, 0, EINVAL);
        assert_int_equal(fake.n_signals_all, 1);
}

static void test_release(void **state)
{
        Job *job = start(3);

        expect_error((WshdMessage){ .type = WSHD_RELEASE, .job = 3 }, NULL, 0, EBUSY);
        job_on_exit(job, 0, 1);
        job->requester = 7; /* somebody is still to be told that it began */
        expect_error((WshdMessage){ .type = WSHD_RELEASE, .job = 3 }, NULL, 0, EBUSY);
        job_on_told(job);
        expect_ok((WshdMessage){ .type = WSHD_RELEASE, .job = 3 });
        expect_error((WshdMessage){ .type = WSHD_RELEASE, .job = 3 }, NULL, 0, ENOENT);
}

static void test_terminal(void **state)
{
        Job *job = start(3);
        int master;

        expect_error((WshdMessage){ .type = WSHD_ATTACH, .job = 3 }, NULL, 0, EINVAL);
        expect_error((WshdMessage){ .type = WSHD_ATTACH, .job = 4, .flags = WSHD_STDOUT_FD }, NULL,
                     0, ENOENT);
        expect_error((WshdMessage){ .type = WSHD_RESIZE, .job = 3, .rows = 1, .columns = 1 }, NULL,
                     0, ENOTTY);
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(master >= 0);
        job->master_fd = master;
        expect_ok((WshdMessage){ .type = WSHD_RESIZE, .job = 3, .rows = 1, .columns = 65535 });
        expect_error((WshdMessage){ .type = WSHD_RESIZE, .job = 3, .rows = 0, .columns = 1 }, NULL,
                     0, EINVAL);
}

static void test_hello(void **state)
{
        request((WshdMessage){ .type = WSHD_HELLO, .sequence = 6, .flags = WSHD_SUBSCRIBE }, NULL,
                0);
        assert_true(client->is_subscribed);
        assert_int_equal(client->list, CLIENT_LIST_READY);
        assert_int_equal(client->list_sequence, 6);
        client_flush(client, &server->jobs);
        request((WshdMessage){ .type = WSHD_HELLO, .sequence = 7 }, NULL, 0);
        assert_false(client->is_subscribed);
}

static void test_unknown(void **state)
{
        static const int fds[] = { 60, 61 };

        for (uint32_t type = WSHD_STOP + 1; type < 200; type++)
                expect_error((WshdMessage){ .type = type }, NULL, 0, EOPNOTSUPP);
        for (uint32_t type = WSHD_HELLO; type <= WSHD_STOP; type++)
                if (type != WSHD_SPAWN)
                        expect_error((WshdMessage){ .type = type, .signal = 9 }, fds, 2, EINVAL);
        assert_int_equal(fake.n_signals + fake.n_signals_all, 0);
}

/* Of the header whatever is there is used. */
static void test_malformed(void **state)
{
        static const uint8_t data[WSHD_HEADER] = { 'x', 1, 2, 0, 0x78, 0x56, 0x34, 0x12 };
        uint8_t buffer[WSHD_MESSAGE_MAX];

        for (size_t size = 1; size <= sizeof(data); size++) {
                WshdMessage reply;
                ssize_t n;

                request_handle(server, client, data, size, NULL, 0);
                n = recv(peer_fd, buffer, sizeof(buffer), 0);
                assert_true(n > 0);
                assert_int_equal(wshd_message_decode(buffer, (size_t)n, &reply), 0);
                assert_int_equal(reply.type, WSHD_FAILED);
                assert_int_equal(reply.error, EBADMSG);
                if (size >= 8)
                        assert_int_equal(reply.sequence, 0x12345678);
        }
        assert_true(client_may_read(client));
}

int main(void)
{
#define CASE(sentence, function)                          \
        {                                                 \
                sentence, function, setup, teardown, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("starts a job and leaves the reply for later", test_spawn),
                CASE("sorts descriptors by their flags", test_descriptors),
                CASE("takes as many descriptors as the flags say", test_descriptor_counts),
                CASE("takes a terminal's size in bounds", test_tty),
                CASE("refuses spawns before anything is started", test_spawn_refusals),
                CASE("tells the stage of a failed start and frees the slot", test_spawn_fails),
                CASE("stops once, and starts nothing after it", test_stop),
                CASE("signals a job that is alive", test_kill),
                CASE("signals all", test_kill_all),
                CASE("releases what has ended and was told", test_release),
                CASE("serves terminals where there are any", test_terminal),
                CASE("subscribes and unsubscribes with hello", test_hello),
                CASE("refuses unknown requests and stray descriptors", test_unknown),
                CASE("answers what is not a message", test_malformed),
        };

        return cmocka_run_group_tests_name("init/request", tests, NULL, NULL);
}
