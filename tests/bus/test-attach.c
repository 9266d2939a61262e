/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The streams of jobs, from Attach to PID 1's rings and back, and how long ended jobs are kept. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/frame.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"
#include "wire/wshd-message.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"

static int setup(void **state)
{
        static Harness h;

        (void)signal(SIGPIPE, SIG_IGN);
        harness_new(&h);
        assert_int_equal(harness_create(&h, "one", NULL), 0);
        *state = &h;
        return 0;
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

/* SpawnJob of a shell command with options: their number, then key, type and value of each. */
#define spawn(h, command, ...)                                                                    \
        ({                                                                                        \
                _drop_(sd_bus_error_free) sd_bus_error _error = SD_BUS_ERROR_NULL;                \
                _drop_(sd_bus_message_unrefp) sd_bus_message *_reply = NULL;                      \
                const char *_path;                                                                \
                if (harness_call((h), ONE, CONTAINER, "SpawnJob", &_error, &_reply, "asa{sv}", 3, \
                                 "/bin/sh", "-c", (command), __VA_ARGS__) < 0)                    \
                        fail_msg("SpawnJob: %s", _error.message);                                 \
                assert_true(sd_bus_message_read(_reply, "o", &_path) > 0);                        \
                strdup(_path);                                                                    \
        })

#define attach_error(h, job, error, fds, ...)                                               \
        ({                                                                                  \
                _drop_(sd_bus_message_unrefp) sd_bus_message *_reply = NULL;                \
                int _r = harness_call((h), (job), JOB, "Attach", (error), &_reply, "a{sv}", \
                                      __VA_ARGS__);                                         \
                if (_r >= 0) {                                                              \
                        int _fds[3];                                                        \
                        assert_true(sd_bus_message_read(_reply, "hhh", &_fds[0], &_fds[1],  \
                                                        &_fds[2]) > 0);                     \
                        for (int _i = 0; _i < 3; _i++)                                      \
                                (fds)[_i] = fd_dup(_fds[_i]);                               \
                }                                                                           \
                _r;                                                                         \
        })

#define attach(h, job, fds, ...)                                                   \
        do {                                                                       \
                _drop_(sd_bus_error_free) sd_bus_error _error = SD_BUS_ERROR_NULL; \
                if (attach_error((h), (job), &_error, (fds), __VA_ARGS__) < 0)     \
                        fail_msg("Attach: %s", _error.message);                    \
        } while (0)

static void drop_fds(int fds[3])
{
        for (int i = 0; i < 3; i++)
                fds[i] = fd_close(fds[i]);
}

/* Reads until @size bytes are there or the stream ends, for ten seconds at most. */
static size_t read_up_to(int fd, void *data, size_t size)
{
        size_t n_all = 0;

        while (n_all < size) {
                struct pollfd pollfd = { .fd = fd, .events = POLLIN };
                ssize_t n;

                if (poll(&pollfd, 1, 10000) != 1)
                        fail_msg("nothing more after %zu bytes", n_all);
                n = read(fd, (char *)data + n_all, size - n_all);
                assert_true(n >= 0);
                if (n == 0)
                        break;
                n_all += (size_t)n;
        }
        return n_all;
}

static void expect_text(int fd, const char *text)
{
        char buffer[1024] = "";

        assert_true(strlen(text) < sizeof(buffer));
        assert_int_equal(read_up_to(fd, buffer, strlen(text)), strlen(text));
        assert_string_equal(buffer, text);
}

static void expect_end(int fd)
{
        char byte;

        assert_int_equal(read_up_to(fd, &byte, 1), 0);
}

static int is_null(int fd)
{
        char path[32], target[32] = "";

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, "/dev/null") == 0;
}

static void until_ended(Harness *h, const char *job)
{
        harness_until_string(h, job, JOB, "State", "exited");
}

static uint64_t get_u64(Harness *h, const char *path, const char *interface, const char *property)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t value = UINT64_MAX;

        if (sd_bus_get_property_trivial(h->bus, "org.warden.Warden1", path, interface, property,
                                        &error, 't', &value) < 0)
                fail_msg("%s: %s", property, error.message);
        return value;
}

static int get_bool(Harness *h, const char *job, const char *property)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int value = 0;

        if (sd_bus_get_property_trivial(h->bus, "org.warden.Warden1", job, JOB, property, &error,
                                        'b', &value) < 0)
                fail_msg("%s: %s", property, error.message);
        return value;
}

static void until_closed(Harness *h, const char *job)
{
        for (int i = 0; get_bool(h, job, "OutputOpen"); i++) {
                assert_true(i < 6000);
                (void)usleep(10000);
        }
}

static void test_ring_then_live(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int fds[3], late[3];

        job = spawn(h, "echo early; echo wrong >&2; read x; echo $x; exit 3", 1, "OpenStdin", "b",
                    1);
        attach(h, job, fds, 0);
        expect_text(fds[1], "early\n");
        expect_text(fds[2], "wrong\n");
        attach(h, job, late, 1, "FromNow", "b", 1);
        assert_true(is_null(late[0])); /* the first one has it */
        assert_int_equal(write(fds[0], "live\n", 5), 5);
        expect_text(fds[1], "live\n");
        expect_text(late[1], "live\n");
        expect_end(fds[1]);
        expect_end(fds[2]);
        expect_end(late[1]);
        drop_fds(fds);
        drop_fds(late);
        until_ended(h, job);
        assert_int_equal(harness_get_int(h, job, JOB, "ExitCode"), 3);
}

static void expect_frame(int fd, uint64_t position, uint64_t missed, const char *text)
{
        uint8_t header[FRAME_HEADER];
        Frame frame;

        assert_int_equal(read_up_to(fd, header, sizeof(header)), sizeof(header));
        assert_int_equal(frame_decode(header, &frame), 0);
        assert_int_equal(frame.position, position);
        assert_int_equal(frame.missed, missed);
        assert_int_equal(frame.size, strlen(text));
        expect_text(fd, text);
}

static void test_frames(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int fds[3];

        job = spawn(h, "printf abcdef; read x; printf gh", 1, "OpenStdin", "b", 1);
        attach(h, job, fds, 1, "Framed", "b", 1);
        expect_frame(fds[1], 0, 0, "abcdef");
        assert_int_equal(write(fds[0], "\n", 1), 1);
        expect_frame(fds[1], 6, 0, "gh");
        expect_frame(fds[1], 8, 0, "");
        expect_end(fds[1]);
        expect_frame(fds[2], 0, 0, "");
        drop_fds(fds);
        attach(h, job, fds, 2, "Framed", "b", 1, "StdoutPosition", "t", UINT64_C(5));
        expect_frame(fds[1], 5, 0, "fgh");
        drop_fds(fds);
}

/* A reader that comes when the ring has lost its beginning is told how much. */
static void test_missed(void **state)
{
        _drop_(drop_free) char *job = NULL;
        uint8_t header[FRAME_HEADER];
        Harness *h = *state;
        Frame frame;
        int fds[3];

        job = spawn(h, "head -c 100000 /dev/zero", 1, "RingBytes", "t", UINT64_C(4096));
        until_ended(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), 100000);
        assert_int_equal(get_u64(h, job, JOB, "StderrBytes"), 0);
        attach(h, job, fds, 1, "Framed", "b", 1);
        assert_int_equal(read_up_to(fds[1], header, sizeof(header)), sizeof(header));
        assert_int_equal(frame_decode(header, &frame), 0);
        assert_int_equal(frame.missed, 100000 - 4096);
        assert_int_equal(frame.position, 100000 - 4096);
        drop_fds(fds);
}

static void test_ended(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int fds[3];

        job = spawn(h, "echo last words", 1, "OpenStdin", "b", 1);
        until_ended(h, job);
        for (int i = 0; i < 3; i++) {
                attach(h, job, fds, 0);
                assert_true(is_null(fds[0]));
                expect_text(fds[1], "last words\n");
                expect_end(fds[1]);
                expect_end(fds[2]);
                drop_fds(fds);
        }
        assert_true(attach_error(h, job, &error, fds, 1, "Stdin", "b", 1) < 0);
        assert_string_equal(error.name, ERROR "BadState");
        sd_bus_error_free(&error);
        assert_int_equal(harness_call(h, job, JOB, "Release", NULL, NULL, NULL), 0);
        assert_true(attach_error(h, job, &error, fds, 0) < 0);
}

static void test_stdin(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int first[3], second[3];

        job = spawn(h, "cat; echo end", 1, "OpenStdin", "b", 1);
        attach(h, job, first, 2, "Stdin", "b", 1, "KeepStdin", "b", 1);
        assert_true(attach_error(h, job, &error, second, 1, "Stdin", "b", 1) < 0);
        assert_string_equal(error.name, ERROR "BadState");
        assert_non_null(strstr(error.message, "another client"));
        assert_int_equal(write(first[0], "one\n", 4), 4);
        expect_text(first[1], "one\n");
        drop_fds(first);
        /* Its end of file was kept from the job; PID 1 notices that it went in its own time. */
        for (int i = 0; i < 6000; i++) {
                sd_bus_error_free(&error);
                if (attach_error(h, job, &error, second, 1, "Stdin", "b", 1) >= 0)
                        break;
                assert_true(i < 5999);
                (void)usleep(10000);
        }
        expect_text(second[1], "one\n");
        assert_int_equal(write(second[0], "two\n", 4), 4);
        second[0] = fd_close(second[0]);
        expect_text(second[1], "two\nend\n");
        expect_end(second[1]);
        drop_fds(second);
        until_ended(h, job);
}

static void test_without_rings(void **state)
{
        static const char *const keys[] = { "DiscardOutput", "Log" };
        Harness *h = *state;
        int fds[3];

        for (int i = 0; i < 2; i++) {
                _drop_(drop_free) char *job = NULL;

                job = i == 0 ? spawn(h, "echo x; exec sleep 1000", 1, keys[i], "b", 1)
                             : spawn(h, "echo x; exec sleep 1000", 1, keys[i], "s", "none");
                attach(h, job, fds, 0);
                for (int k = 0; k < 3; k++)
                        assert_true(is_null(fds[k]));
                drop_fds(fds);
        }
}

/* The job waits for its slowest reader, and nothing is lost. */
static void test_backpressure(void **state)
{
        enum { SIZE = 3000000 };
        _drop_(drop_free) char *job = NULL, *data = malloc(SIZE + 1);
        Harness *h = *state;
        int fds[3];
        size_t n;

        job = spawn(h, "head -c 3000000 /dev/zero", 2, "Backpressure", "b", 1, "RingBytes", "t",
                    UINT64_C(65536));
        (void)usleep(100000);
        attach(h, job, fds, 0);
        n = read_up_to(fds[1], data, SIZE + 1);
        drop_fds(fds);
        assert_int_equal(n, SIZE);
        until_ended(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), SIZE);
        until_closed(h, job);
}

/* The job is gone, but its last bytes are in its pipe, until somebody makes room for them. */
static void test_backpressure_last_bytes(void **state)
{
        enum { SIZE = 65536 + 40000 };
        _drop_(drop_free) char *job = NULL, *data = malloc(SIZE + 1);
        Harness *h = *state;
        int fds[3];

        job = spawn(h, "head -c 105536 /dev/zero", 2, "Backpressure", "b", 1, "RingBytes", "t",
                    UINT64_C(65536));
        until_ended(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), SIZE);
        assert_true(get_bool(h, job, "OutputOpen"));
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), SIZE);
        assert_true(get_bool(h, job, "OutputOpen"));
        attach(h, job, fds, 1, "UntilNow", "b", 1);
        assert_int_equal(read_up_to(fds[1], data, SIZE + 1), 65536);
        expect_end(fds[2]);
        drop_fds(fds);
        attach(h, job, fds, 1, "StdoutPosition", "t", UINT64_C(65536));
        assert_int_equal(read_up_to(fds[1], data, SIZE + 1), 40000);
        drop_fds(fds);
        until_closed(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), SIZE);
}

/* A descendant writes on: the totals follow, and are final when it has ended. */
static void test_output_open(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int fds[3];

        job = spawn(h, "sleep 1000 & printf abc", 0);
        until_ended(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), 3);
        assert_true(get_bool(h, job, "OutputOpen"));
        attach(h, job, fds, 1, "UntilNow", "b", 1);
        expect_text(fds[1], "abc");
        expect_end(fds[1]);
        expect_end(fds[2]);
        drop_fds(fds);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_true(get_bool(h, job, "OutputOpen"));
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Kill", NULL, NULL, "i", SIGKILL), 0);
        until_closed(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), 3);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_false(get_bool(h, job, "OutputOpen"));
}

static void test_rings_together(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        if (harness_call(h, WARDEN_PATH, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3,
                         "Name", "s", "small", "RootDirectory", "s", "/", "MemoryMax", "t",
                         UINT64_C(16) << 20) < 0)
                fail_msg("CreateContainer: %s", error.message);
        for (int i = 0; i < 5; i++) {
                int r = harness_call(h, WARDEN_PATH "/container/small", CONTAINER, "SpawnJob",
                                     &error, NULL, "asa{sv}", 2, "sleep", "1000", 1, "RingBytes",
                                     "t", UINT64_C(1) << 20);

                assert_int_equal(r >= 0, i < 4);
        }
        assert_string_equal(error.name, ERROR "LimitReached");
        assert_non_null(strstr(error.message, "RingBytes"));
        assert_non_null(strstr(error.message, "8388608"));
}

static void test_until_now_bad(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int fds[3] = { -EBADF, -EBADF, -EBADF };

        job = spawn(h, "sleep 1000", 0);
        assert_true(attach_error(h, job, &error, fds, 2, "UntilNow", "b", 1, "FromNow", "b", 1) <
                    0);
        assert_int_equal(fds[1], -EBADF);
        assert_string_equal(error.name, ERROR "InvalidSpec");
        assert_non_null(strstr(error.message, "UntilNow"));
}

static int reads_text(int fd, const char *text, char *buffer, size_t size)
{
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        size_t n = strlen(buffer);

        while (!strstr(buffer, text)) {
                ssize_t k;

                if (poll(&pollfd, 1, 10000) != 1 || n + 1 >= size)
                        return 0;
                k = read(fd, buffer + n, size - n - 1);
                if (k <= 0)
                        return 0;
                n += (size_t)k;
                buffer[n] = 0;
        }
        return 1;
}

static void test_terminal(void **state)
{
        char one[4096] = "", two[4096] = "";
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int first[3], second[3];

        job = spawn(h, "while read x; do stty size; test -t 1 && echo $x; done", 2, "TTY", "b", 1,
                    "TTYSize", "(qq)", 33, 99);
        attach(h, job, first, 0);
        attach(h, job, second, 1, "KeepStdin", "b", 1);
        assert_true(is_null(first[2]));
        assert_false(is_null(second[0])); /* a terminal may have several */
        assert_int_equal(write(first[0], "from the first\n", 15), 15);
        assert_true(reads_text(first[1], "\r\nfrom the first\r\n", one, sizeof(one)));
        assert_true(reads_text(second[1], "\r\nfrom the first\r\n", two, sizeof(two)));
        assert_non_null(strstr(one, "33 99\r\n"));
        assert_int_equal(harness_call(h, job, JOB, "SetTTYSize", NULL, NULL, "qq", 50, 120), 0);
        assert_int_equal(write(second[0], "from the second\n", 16), 16);
        assert_true(reads_text(first[1], "50 120\r\nfrom the second\r\n", one, sizeof(one)));
        drop_fds(first);
        drop_fds(second);
}

/* Readers do not notice that the daemon is killed; late ones get all of it from the next. */
static void test_daemon_killed(void **state)
{
        enum { LINES = 60000 };
        _drop_(drop_free) char *job = NULL;
        char expected[16], line[16];
        Harness *h = *state;
        int fds[3];

        job = spawn(h, "read x; seq 100001 160000", 3, "OpenStdin", "b", 1, "Backpressure", "b", 1,
                    "Log", "s", "ring");
        attach(h, job, fds, 0);
        assert_int_equal(write(fds[0], "\n", 1), 1);
        for (int i = 1; i <= LINES; i++) {
                (void)snprintf(expected, sizeof(expected), "%d\n", 100000 + i);
                memset(line, 0, sizeof(line));
                assert_int_equal(read_up_to(fds[1], line, 7), 7);
                assert_string_equal(line, expected);
                if (i == 1000 || i == 30000) {
                        harness_kill_wardend(h, SIGKILL);
                        harness_start_wardend(h);
                }
        }
        expect_end(fds[1]);
        drop_fds(fds);
        until_ended(h, job);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), LINES * 7);
        attach(h, job, fds, 0);
        expect_text(fds[1], "100001\n100002\n");
        drop_fds(fds);
}

static void expect_reason(Harness *h, const char *job, const char *reason)
{
        harness_until_string(h, job, JOB, "EndReason", reason);
}

static void test_reasons(void **state)
{
        _drop_(drop_free) char *exited = NULL, *killed = NULL, *stopped = NULL;
        Harness *h = *state;

        exited = spawn(h, "exit 5", 0);
        killed = spawn(h, "kill -KILL $$", 0);
        stopped = spawn(h, "exec sleep 1000", 0);
        expect_reason(h, exited, "exited");
        expect_reason(h, killed, "signal");
        expect_reason(h, stopped, "");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Stop", NULL, NULL, "a{sv}", 0), 0);
        expect_reason(h, stopped, "container");
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        expect_reason(h, exited, "exited");
        expect_reason(h, killed, "signal");
        expect_reason(h, stopped, "container");
}

static void configure(Harness *h, const char *text)
{
        harness_configure(h, text);
        harness_reload_wardend(h);
}

static void until_dropped(Harness *h, uint64_t n)
{
        for (int i = 0; get_u64(h, ONE, CONTAINER, "JobsDropped") != n; i++) {
                assert_true(i < 6000);
                (void)usleep(10000);
        }
}

static void test_retention_count(void **state)
{
        _drop_(drop_free) char *running = NULL;
        Harness *h = *state;
        char *jobs[4];

        configure(h, "[Manager]\nEndedJobsMax=2\n");
        running = spawn(h, "exec sleep 1000", 0);
        for (int i = 0; i < 4; i++) {
                jobs[i] = spawn(h, "exit 1", 0);
                until_ended(h, jobs[i]);
        }
        until_dropped(h, 2);
        harness_until_string(h, jobs[0], JOB, "State", "");
        harness_until_string(h, jobs[1], JOB, "State", "");
        harness_until_string(h, jobs[2], JOB, "State", "exited");
        harness_until_string(h, running, JOB, "State", "running");
        /* What was released by hand is not counted. */
        assert_int_equal(harness_call(h, jobs[3], JOB, "Release", NULL, NULL, NULL), 0);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_int_equal(get_u64(h, ONE, CONTAINER, "JobsDropped"), 2);
        configure(h, "[Manager]\nEndedJobsSec=0\n");
        until_dropped(h, 3);
        harness_until_string(h, jobs[2], JOB, "State", "");
        for (int i = 0; i < 4; i++)
                free(jobs[i]);
}

/* PID 1 starts a job while its daemon is dead: nobody was ever told of it. It is a job like any
 * other all the same, and so does not stay for ever. */
static void test_lost_answer(void **state)
{
        const char *job = ONE "/job/1";
        Harness *h = *state;
        char path[160] = "";
        int leader = (int)harness_get_unsigned(h, ONE, CONTAINER, "Leader");
        glob_t found = { 0 };

        assert_true(leader > 1);
        assert_int_equal(kill(leader, SIGSTOP), 0);
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", ONE, CONTAINER,
                                             "SpawnJob", NULL, NULL, "asa{sv}", 3, "/bin/sh", "-c",
                                             "echo alone; exit 3", 0) >= 0);
        assert_true(sd_bus_flush(h->bus) >= 0);
        (void)snprintf(path, sizeof(path), "%s/run/containers/*/jobs/1", h->directory);
        for (int i = 0; glob(path, 0, NULL, &found) != 0; i++) {
                assert_true(i < 6000);
                (void)usleep(10000);
        }
        globfree(&found);
        /* An answer of the daemon to something else: the request is on its way to PID 1, too. */
        (void)harness_get_unsigned(h, ONE, CONTAINER, "Leader");
        harness_kill_wardend(h, SIGKILL);
        assert_int_equal(kill(leader, SIGCONT), 0);
        harness_start_wardend(h);
        until_ended(h, job);
        assert_int_equal(harness_get_int(h, job, JOB, "ExitCode"), 3);
        assert_int_equal(get_u64(h, job, JOB, "StdoutBytes"), 6);
        configure(h, "[Manager]\nEndedJobsSec=0\n");
        until_dropped(h, 1);
        harness_until_string(h, job, JOB, "State", "");
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("gives what was written before, then what comes", test_ring_then_live),
                CASE("frames what it gives, from any position", test_frames),
                CASE("tells a late reader what it missed", test_missed),
                CASE("gives the output of an ended job until it is released", test_ended),
                CASE("passes stdin on to one client at a time", test_stdin),
                CASE("gives /dev/null where nothing is kept", test_without_rings),
                CASE("makes a job wait for its reader", test_backpressure),
                CASE("counts what still waits for a reader", test_backpressure_last_bytes),
                CASE("says whether more output can come", test_output_open),
                CASE("bounds the rings of a container together", test_rings_together),
                CASE("does not begin and end at the same byte", test_until_now_bad),
                CASE("shares a terminal, and its size", test_terminal),
                CASE("loses no byte when the daemon is killed", test_daemon_killed),
                CASE("says why a job ended, also after a restart", test_reasons),
                CASE("drops ended jobs that are too many or too old", test_retention_count),
                CASE("lists a job whose client heard nothing, and drops it as others",
                     test_lost_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
