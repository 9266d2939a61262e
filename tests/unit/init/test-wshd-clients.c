/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connections: slow, silent, vanishing, wrong and many. A real PID 1. */

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
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "container.h"

#define N_MANY 1000         /* far more messages than a socket holds */
#define N_MANY_FOR_TOOL 350 /* as well, but only just */

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

static void expect_end(int fd)
{
        WshdMessage m;

        while (client_receive(fd, &m, NULL) > 0)
                ;
}

static int is_silent(int fd)
{
        return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 100) == 0;
}

static uint32_t n_many(void)
{
        return container_is_wrapped() ? N_MANY_FOR_TOOL : N_MANY;
}

static uint64_t state_seen(uint8_t *seen, uint32_t job)
{
        assert_in_range(job, 1, N_MANY);
        assert_int_equal(seen[job], 0);
        return seen[job] = 1;
}

/* Starts many jobs that end at once, numbered from 1. */
static void make_many(int fd)
{
        SpecBuilder spec;

        SPEC(&spec, "/bin/true");
        for (uint32_t job = 1; job <= n_many(); job++)
                assert_int_equal(job_spawn(fd, job, &spec, 0).type, WSHD_SPAWNED);
}

static void until_all_ended(const Container *container)
{
        int n_running = 1;

        for (int i = 0; n_running > 0; i++) {
                _drop_(drop_fd) int fd = client_connect(container);
                WshdMessage m;

                assert_true(i < 6000);
                (void)client_send(fd, (WshdMessage){ .type = WSHD_HELLO }, NULL, 0);
                (void)client_expect(fd, WSHD_READY);
                for (n_running = 0; client_receive(fd, &m, NULL) && m.type == WSHD_JOB;)
                        n_running += !(m.flags & WSHD_JOB_ENDED);
                if (n_running > 0)
                        sleep_msec(10);
        }
}

static void test_slow_subscriber(void **state)
{
        _drop_(drop_fd) int slow = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int fd = client_open(*state, 0);
        uint8_t seen[N_MANY + 1] = { 0 };

        make_many(fd);
        for (int i = 0; i < (int)n_many(); i++)
                (void)state_seen(seen, client_expect(slow, WSHD_EXITED).job);
        assert_true(is_silent(slow));
}

static void test_slow_list(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, 0);
        _drop_(drop_fd) int slow = client_connect(*state);
        uint8_t seen[N_MANY + 1] = { 0 };
        uint32_t hello, kill;
        WshdMessage m;

        make_many(fd);
        until_all_ended(*state);
        hello = client_send(slow, (WshdMessage){ .type = WSHD_HELLO }, NULL, 0);
        kill = client_send(slow, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = 9 }, NULL,
                           0);
        sleep_msec(50);
        expect_works(client_open(*state, WSHD_SUBSCRIBE), N_MANY + 1);
        m = client_expect(slow, WSHD_READY);
        assert_int_equal(m.sequence, hello);
        for (int i = 0; i < (int)n_many(); i++) {
                m = client_expect(slow, WSHD_JOB);
                assert_int_equal(m.sequence, hello);
                assert_int_equal(m.flags, WSHD_JOB_ENDED);
                (void)state_seen(seen, m.job);
        }
        assert_int_equal(client_expect(slow, WSHD_JOBS_END).sequence, hello);
        /* What was asked meanwhile is answered after the list. */
        m = client_expect(slow, WSHD_FAILED);
        assert_int_equal(m.sequence, kill);
        assert_int_equal(m.error, ESRCH);
}

/* Asks for more replies than a socket holds before it reads the first. */
static void test_slow_asker(void **state)
{
        _drop_(drop_fd) int slow = client_open(*state, 0);
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint8_t request[WSHD_MESSAGE_MAX];
        uint32_t n_sent = 0;

        for (;; n_sent++) {
                WshdMessage m = { .type = WSHD_RELEASE, .sequence = n_sent + 1, .job = 7 };
                int size = wshd_message_encode(&m, request, sizeof(request));

                assert_true(size > 0);
                if (wshd_send(slow, request, (size_t)size, NULL, 0) == -EAGAIN) {
                        sleep_msec(20);
                        if (wshd_send(slow, request, (size_t)size, NULL, 0) == -EAGAIN)
                                break;
                }
        }
        assert_true(n_sent > 200);
        expect_works(fd, 1);
        for (uint32_t i = 1; i <= n_sent; i++) {
                WshdMessage m = client_expect(slow, WSHD_FAILED);

                assert_int_equal(m.sequence, i);
                assert_int_equal(m.error, ENOENT);
        }
}

static void test_reconnect(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int pidfd = -EBADF;
        WshdMessage spawned, m;
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        spawned = job_spawn(fd, 5, &spec, 0);
        SPEC_SHELL(&spec, "exit 3");
        (void)job_spawn(fd, 6, &spec, 0);
        (void)client_expect(fd, WSHD_EXITED);
        fd = fd_close(fd);

        fd = client_connect(*state);
        client_send(fd, (WshdMessage){ .type = WSHD_HELLO, .flags = WSHD_SUBSCRIBE }, NULL, 0);
        (void)client_expect(fd, WSHD_READY);
        assert_int_equal(client_receive(fd, &m, &pidfd), 1);
        assert_int_equal(m.type, WSHD_JOB);
        assert_int_equal(m.job, 5);
        assert_int_equal(m.flags, 0);
        assert_int_equal(m.pid, spawned.pid);
        assert_true(m.start_usec == spawned.start_usec);
        assert_true(pidfd >= 0);
        m = client_expect(fd, WSHD_JOB);
        assert_int_equal(m.job, 6);
        assert_int_equal(m.flags, WSHD_JOB_ENDED);
        assert_int_equal(m.code, 3);
        assert_true(m.end_usec >= m.start_usec);
        (void)client_expect(fd, WSHD_JOBS_END);

        /* The descriptor is the process, and its end is told to the new connection. */
        m = client_ask(fd, (WshdMessage){ .type = WSHD_KILL, .job = 5, .signal = 15 }, NULL, 0);
        assert_int_equal(m.type, WSHD_OK);
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.job, 5);
        assert_int_equal(m.signal, SIGTERM);
        assert_int_equal(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 10000), 1);
}

/* Goes away without having read the reply. */
static void test_vanishing(void **state)
{
        _drop_(drop_fd) int other = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        WshdMessage m;

        SPEC_SHELL(&spec, "exit 4");
        for (uint32_t job = 1; job <= 50; job++) {
                int fd = client_connect(*state);

                client_send(fd,
                            (WshdMessage){ .type = WSHD_SPAWN,
                                           .job = job,
                                           .spec = spec.data,
                                           .spec_size = spec.writer.size },
                            NULL, 0);
                fd_close(fd);
                m = client_expect(other, WSHD_EXITED);
                assert_int_equal(m.job, job);
                assert_int_equal(m.code, 4);
        }
        m = client_ask(other, (WshdMessage){ .type = WSHD_RELEASE, .job = 50 }, NULL, 0);
        assert_int_equal(m.type, WSHD_OK);
}

static void test_silent(void **state)
{
        int silent[WSHD_CLIENTS_MAX - 1];
        _drop_(drop_fd) int fd = -EBADF;

        for (size_t i = 0; i < ELEMENTSOF(silent); i++)
                silent[i] = client_connect(*state);
        fd = client_open(*state, WSHD_SUBSCRIBE);
        expect_works(fd, 1);
        for (size_t i = 0; i < ELEMENTSOF(silent); i++)
                fd_close(silent[i]);
}

static void test_too_many(void **state)
{
        int clients[WSHD_CLIENTS_MAX], one_more;
        WshdMessage m;

        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                clients[i] = client_open(*state, WSHD_SUBSCRIBE);
        one_more = client_connect(*state);
        assert_int_equal(client_receive(one_more, &m, NULL), 1);
        assert_int_equal(m.type, WSHD_FAILED);
        assert_int_equal(m.error, EUSERS);
        expect_end(one_more);
        fd_close(one_more);
        expect_works(clients[15], 1);
        fd_close(clients[3]);
        one_more = client_open(*state, WSHD_SUBSCRIBE);
        expect_works(one_more, 2);
        fd_close(one_more);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                if (i != 3)
                        fd_close(clients[i]);
}

/* Whoever connects from inside is closed; the tests' root shows the socket, a container's does
 * not. */
static void test_from_inside(void **state)
{
        const Container *container = *state;
        _drop_(drop_fd) int fd = client_open(container, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, helper_path(), "client", container->path);
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 0);
}

static void test_random(void **state)
{
        _drop_(drop_fd) int fd = client_connect(*state);
        _drop_(drop_fd) int good = client_open(*state, WSHD_SUBSCRIBE);
        uint8_t bytes[512];

        for (int i = 0; i < 3000; i++) {
                size_t size = 1 + (size_t)i % sizeof(bytes);

                assert_int_equal(getrandom(bytes, size, 0), size);
                if (i % 3 == 0 && size >= WSHD_HEADER) {
                        memcpy(bytes, "w\1", 2);
                        bytes[2] = (uint8_t)(3 + i % 5);
                        bytes[3] = 0;
                        bytes[8] = (uint8_t)(size - WSHD_HEADER);
                        bytes[9] = (uint8_t)((size - WSHD_HEADER) >> 8);
                        bytes[10] = bytes[11] = 0;
                }
                if (send(fd, bytes, size, MSG_NOSIGNAL) < 0)
                        fail_msg("PID 1 hung up: %s", strerror(errno));
                while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 1)
                        assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
        }
        expect_works(good, 1);
}

static void test_version(void **state)
{
        _drop_(drop_fd) int fd = client_connect(*state);
        uint8_t hello[WSHD_HEADER] = { 'w', 9, WSHD_HELLO, 0, 0x78, 0x56, 0x34, 0x12 };
        WshdMessage m;

        assert_int_equal(send(fd, hello, sizeof(hello), 0), sizeof(hello));
        assert_int_equal(client_receive(fd, &m, NULL), 1);
        assert_int_equal(m.type, WSHD_FAILED);
        assert_int_equal(m.error, EPROTONOSUPPORT);
        assert_int_equal(m.sequence, 0x12345678);
        hello[1] = WSHD_VERSION;
        hello[8] = 1; /* more than there is */
        assert_int_equal(send(fd, hello, sizeof(hello), 0), sizeof(hello));
        m = client_expect(fd, WSHD_FAILED);
        assert_int_equal(m.error, EBADMSG);
        assert_int_equal(m.sequence, 0x12345678);
        expect_refusal(fd, (WshdMessage){ .type = 63 }, WSHD_STAGE_REQUEST, EOPNOTSUPP);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_EXITED }, WSHD_STAGE_REQUEST, EOPNOTSUPP);
}

/* More descriptors than a message may have, fewer and more than its flags say, and some where none
 * belong. */
static void test_descriptors(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        char control[CMSG_SPACE(sizeof(int) * 100)];
        int fds[100];
        size_t n_before = container_count_fds(*state);
        SpecBuilder spec;

        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = STDIN_FILENO;
        SPEC(&spec, "/bin/true");
        for (int i = 0; i < 50; i++) {
                WshdMessage m = { .type = WSHD_SPAWN,
                                  .job = 1,
                                  .flags = WSHD_STDOUT_FD,
                                  .spec = spec.data,
                                  .spec_size = spec.writer.size };
                struct iovec iov = { .iov_base = (void *)"wwwwwwwwwwww", .iov_len = 12 };
                struct msghdr msg = { .msg_iov = &iov,
                                      .msg_iovlen = 1,
                                      .msg_control = control,
                                      .msg_controllen = sizeof(control) };
                struct cmsghdr *header = (struct cmsghdr *)control;

                *header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fds)),
                                            .cmsg_level = SOL_SOCKET,
                                            .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(header), fds, sizeof(fds));
                assert_int_equal(sendmsg(fd, &msg, 0), 12);
                assert_int_equal(client_expect(fd, WSHD_FAILED).error, EBADMSG);
                assert_int_equal(client_ask(fd, m, fds, 0).error, EINVAL);
                assert_int_equal(client_ask(fd, m, fds, 2).error, EINVAL);
                assert_int_equal(client_ask(fd, m, fds, 4).error, EINVAL);
                m.type = WSHD_KILL;
                assert_int_equal(client_ask(fd, m, fds, 1).error, EINVAL);
        }
        expect_works(fd, 1); /* the last request's are closed by the time that the next is read */
        container_expect_fds(*state, n_before);
}

static void test_spawn_refusals(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        WshdMessage m;
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        expect_no_start(fd, 1, &spec, WSHD_STAGE_REQUEST, EEXIST);
        m = (WshdMessage){ .type = WSHD_SPAWN, .job = 2, .spec = spec.data, .spec_size = 10 };
        m.flags = 1U << 20;
        expect_refusal(fd, m, WSHD_STAGE_REQUEST, EINVAL);
        m.flags = WSHD_TTY;
        m.rows = 65536;
        expect_refusal(fd, m, WSHD_STAGE_REQUEST, EINVAL);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_SPAWN, .job = 2 }, WSHD_STAGE_REQUEST,
                       EINVAL);
        m.flags = WSHD_TTY | WSHD_STDIN_FD;
        m.rows = 0;
        assert_int_equal(client_ask(fd, m, &fd, 1).error, EINVAL);
        m.flags = WSHD_SPEC_FD; /* and inline */
        assert_int_equal(client_ask(fd, m, &fd, 1).error, EINVAL);
}

static void test_job_refusals(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = 1 }, WSHD_STAGE_REQUEST,
                       EBUSY);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = 2 }, WSHD_STAGE_REQUEST,
                       ENOENT);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_KILL, .job = 2, .signal = 1 },
                       WSHD_STAGE_REQUEST, ENOENT);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = 0 },
                       WSHD_STAGE_REQUEST, EINVAL);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = 65 },
                       WSHD_STAGE_REQUEST, EINVAL);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_KILL_ALL, .signal = 65 }, WSHD_STAGE_REQUEST,
                       EINVAL);
        assert_int_equal(
                client_ask(fd, (WshdMessage){ .type = WSHD_KILL_ALL, .signal = 9 }, NULL, 0).type,
                WSHD_OK);
        assert_int_equal(client_expect(fd, WSHD_EXITED).signal, SIGKILL);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_KILL, .job = 1, .signal = 1 },
                       WSHD_STAGE_REQUEST, ESRCH);
        /* With nobody left there is nothing to complain of. */
        assert_int_equal(
                client_ask(fd, (WshdMessage){ .type = WSHD_KILL_ALL, .signal = 9 }, NULL, 0).type,
                WSHD_OK);
}

/* Processor time of PID 1, in clock ticks. */
static uint64_t cpu_ticks(const Container *container)
{
        unsigned long user, system;
        char path[64], text[1024];
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)container->pid);
        f = fopen(path, "re");
        assert_non_null(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = 0;
        (void)fclose(f);
        assert_int_equal(sscanf(strrchr(text, ')'),
                                ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
                                "%*u %lu %lu",
                                &user, &system),
                         2);
        return user + system;
}

static void test_out_of_descriptors(void **state)
{
        Container *container;
        int clients[WSHD_CLIENTS_MAX], fd;
        SpecBuilder spec;
        uint64_t ticks;
        WshdMessage m;

        container = container_new(&(ContainerOptions){ .nofile = 12 });
        fd = client_open(container, WSHD_SUBSCRIBE);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                clients[i] = client_connect(container);
        (void)client_ask(fd, (WshdMessage){ .type = WSHD_RELEASE }, NULL, 0);
        ticks = cpu_ticks(container);
        sleep_msec(600);
        assert_true(cpu_ticks(container) - ticks <= 5); /* a busy loop has 60 */
        SPEC(&spec, "/bin/true");
        m = job_spawn(fd, 1, &spec, 0);
        assert_int_equal(m.type, WSHD_FAILED);
        assert_int_equal(m.stage, WSHD_STAGE_FORK);
        assert_int_equal(m.error, EMFILE);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
        sleep_msec(1100);
        fd_close(client_open(container, 0));
        expect_works(fd, 1);
        fd_close(fd);
        container_free(container);
}

static void test_idle(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);

        expect_works(fd, 1);
        container_expect_idle(*state);
}

/* Proportional set size in KiB. */
static unsigned long memory_size(const Container *container)
{
        char path[64], line[256];
        unsigned long size = 0;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)container->pid);
        f = fopen(path, "re");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f))
                (void)sscanf(line, "Pss: %lu", &size);
        (void)fclose(f);
        assert_true(size > 0);
        return size;
}

static void test_memory(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);

        for (uint32_t job = 1; job <= 100; job++)
                expect_works(fd, job);
        assert_true(memory_size(*state) <= 150);
}

int main(void)
{
        static const ContainerCase cases[] = {
                CASE("tells a slow subscriber of every end, once", test_slow_subscriber),
                CASE("paces its list for a slow client", test_slow_list),
                CASE("answers in order however late the answers are read", test_slow_asker),
                CASE("tells the next connection what there is", test_reconnect),
                CASE("starts what a client asked for that did not wait", test_vanishing),
                CASE("is not held up by silent clients", test_silent),
                CASE("turns away one client too many", test_too_many),
                CASE("closes connections from inside", test_from_inside),
                CASE("survives random datagrams", test_random),
                CASE("names the version that it does not speak", test_version),
                CASE("keeps no descriptor that a request should not have", test_descriptors),
                CASE("refuses spawns that make no sense", test_spawn_refusals),
                CASE("refuses what a job cannot do", test_job_refusals),
                CASE_ALONE(NEEDS_NO_TOOL, "goes on without descriptors, and does not spin",
                           test_out_of_descriptors),
                CASE("sleeps when nothing happens", test_idle),
                CASE_WITH(NEEDS_NO_TOOL, "costs little memory", test_memory),
        };

        return container_run_cases("wshd-clients", cases, ELEMENTSOF(cases));
}
