/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What jobs write, and who reads it: a real PID 1, real processes, and readers of every sort.
 * Long because all cases share the readers and the jobs of this file. */

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/frame.h"
#include "basic/macro.h"
#include "container.h"

#define RING ((uint64_t)64 << 10)

static void expect_text(int fd, uint32_t job, uint32_t flags, const char *wanted)
{
        _drop_(drop_fd) int pipe_fd = client_attach_one(fd, job, flags);
        char text[4096];

        (void)read_all(pipe_fd, text, sizeof(text));
        assert_string_equal(text, wanted);
}

static void release(int fd, uint32_t job)
{
        WshdMessage m = client_ask(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = job }, NULL, 0);

        assert_int_equal(m.type, WSHD_OK);
}

static void wait_exit(int fd, uint32_t job)
{
        while (client_expect(fd, WSHD_EXITED).job != job)
                ;
}

/* Waits for @size bytes and returns them with a NUL behind. */
static void read_some(int fd, char *text, size_t size)
{
        size_t n = 0;

        while (n < size) {
                ssize_t r;

                assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 30000), 1);
                r = read(fd, text + n, size - n);
                assert_true(r > 0);
                n += (size_t)r;
        }
        text[n] = 0;
}

/* A stream of which every byte tells its position, as play_numbers() writes it. */
static uint8_t byte_at(uint64_t position)
{
        return (uint8_t)(position * 2654435761U >> 16);
}

static void expect_bytes(const uint8_t *data, size_t size, uint64_t position)
{
        for (size_t i = 0; i < size; i++)
                if (data[i] != byte_at(position + i))
                        fail_msg("wrong byte at %llu", (unsigned long long)(position + i));
}

static void start_numbers(int fd, uint32_t job, const char *bytes, uint32_t flags, uint64_t ring)
{
        SpecBuilder spec;

        SPEC(&spec, helper_path(), "numbers", bytes);
        (void)job_start(fd, job, &spec, flags, ring);
}

/* The same, but it does not begin before a line on its stdin. */
static void start_numbers_later(int fd, uint32_t job, const char *bytes, uint32_t flags,
                                uint64_t ring)
{
        SpecBuilder spec;

        SPEC(&spec, "/bin/sh", "-c", "read x; exec $0 numbers $1", helper_path(), bytes);
        (void)job_start(fd, job, &spec, flags | WSHD_OPEN_STDIN, ring);
}

static void let_begin(int fd, uint32_t job)
{
        _drop_(drop_fd) int input = client_attach_one(fd, job, WSHD_STDIN_FD);

        assert_int_equal(write(input, "\n", 1), 1);
}

/* In a child of the test, which must not go on with it. */
static _noreturn_ void check_numbers(int fd, uint64_t end)
{
        static uint8_t data[1 << 18];
        uint64_t position = 0;
        ssize_t n;

        while ((n = read(fd, data, sizeof(data))) > 0)
                for (ssize_t i = 0; i < n; i++, position++)
                        if (data[i] != byte_at(position))
                                _exit(2);
        _exit(n == 0 && position == end ? 0 : 1);
}

/* Reads to the end, expecting the stream from @position on. Returns the position of the end. */
static uint64_t expect_numbers(int fd, uint64_t position)
{
        static uint8_t data[1 << 18];
        ssize_t n;

        while ((n = read(fd, data, sizeof(data))) > 0) {
                expect_bytes(data, (size_t)n, position);
                position += (uint64_t)n;
        }
        assert_int_equal(n, 0);
        return position;
}

typedef struct FrameReader {
        int fd;
        uint64_t position; /* of the next byte */
        uint64_t missed;   /* all gaps together */
        uint64_t received;
} FrameReader;

/* Returns 0 at the end of the stream. */
static int expect_frame(FrameReader *reader)
{
        uint8_t data[FRAME_MAX + 1];
        Frame frame;

        read_some(reader->fd, (char *)data, FRAME_HEADER);
        assert_int_equal(frame_decode(data, &frame), 0);
        assert_true(frame.position == reader->position + frame.missed);
        reader->position = frame.position + frame.size;
        reader->missed += frame.missed;
        if (frame.size == 0)
                return 0;
        read_some(reader->fd, (char *)data, frame.size);
        expect_bytes(data, frame.size, frame.position);
        reader->received += frame.size;
        return 1;
}

static void test_first_byte(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        WshdMessage m;

        SPEC_SHELL(&spec, "echo out; echo error >&2");
        (void)job_start(fd, 1, &spec, 0, RING);
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.stdout_bytes, 4);
        assert_int_equal(m.stderr_bytes, 6);
        for (int i = 0; i < 3; i++) {
                expect_text(fd, 1, WSHD_STDOUT_FD, "out\n");
                expect_text(fd, 1, WSHD_STDERR_FD, "error\n");
        }
}

static void test_live(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        char text[8];
        int fds[3];

        SPEC_SHELL(&spec, "echo 1; read x; echo $x; read y; echo $y");
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, RING);
        client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDIN_FD | WSHD_STDOUT_FD }, fds);
        read_some(fds[1], text, 2);
        assert_string_equal(text, "1\n");
        assert_int_equal(write(fds[0], "2\n", 2), 2);
        read_some(fds[1], text, 2);
        assert_string_equal(text, "2\n");
        assert_int_equal(write(fds[0], "3\n", 2), 2);
        read_some(fds[1], text, 2);
        assert_string_equal(text, "3\n");
        assert_int_equal(read(fds[1], text, 1), 0);
        fd_close(fds[0]);
        fd_close(fds[1]);
}

static void test_where_to_start(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        char text[16];
        int fds[3];

        SPEC_SHELL(&spec, "printf 0123456789");
        (void)job_start(fd, 1, &spec, 0, RING);
        wait_exit(fd, 1);
        client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDOUT_FD, .stdout_position = 7 },
                      fds);
        (void)read_all(fds[1], text, sizeof(text));
        assert_string_equal(text, "789");
        fd_close(fds[1]);
        expect_text(fd, 1, WSHD_STDOUT_FD | WSHD_FROM_NOW, "");
        client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDOUT_FD, .stdout_position = 99 },
                      fds);
        assert_int_equal(read(fds[1], text, 1), 0);
        fd_close(fds[1]);
}

static void test_ring_keeps_the_end(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int raw = -EBADF;
        FrameReader reader = { 0 };
        WshdMessage m;

        start_numbers(fd, 1, "1000000", 0, RING);
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.stdout_bytes, 1000000);
        raw = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        assert_int_equal(expect_numbers(raw, 1000000 - RING), 1000000);
        reader.fd = client_attach_one(fd, 1, WSHD_STDOUT_FD | WSHD_FRAMED);
        while (expect_frame(&reader))
                ;
        assert_int_equal(reader.missed, 1000000 - RING);
        assert_int_equal(reader.received, RING);
        fd_close(reader.fd);
}

static void test_backpressure(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        FrameReader framed = { 0 };
        int raw;

        /* Before the first reader there is nobody to lose anything. */
        start_numbers(fd, 1, "20000000", WSHD_BACKPRESSURE, RING);
        raw = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        assert_int_equal(expect_numbers(raw, 0), 20000000);
        fd_close(raw);
        wait_exit(fd, 1);

        start_numbers(fd, 2, "5000000", WSHD_BACKPRESSURE, 4096);
        framed.fd = client_attach_one(fd, 2, WSHD_STDOUT_FD | WSHD_FRAMED);
        while (expect_frame(&framed))
                ;
        assert_int_equal(framed.missed, 0);
        assert_int_equal(framed.received, 5000000);
        fd_close(framed.fd);
}

static int has_message(int fd, int msec)
{
        return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, msec) > 0;
}

/* With backpressure and without a reader the job waits; a reader that goes away gives back what it
 * has not read. */
static void test_backpressure_without_reader(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        char text[1001];
        int raw;

        start_numbers(fd, 1, "1000000", WSHD_BACKPRESSURE, RING);
        assert_false(has_message(fd, 200));
        raw = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        read_some(raw, text, 1000);
        expect_bytes((uint8_t *)text, 1000, 0);
        fd_close(raw);
        assert_false(has_message(fd, 200));
        {
                int fds[3];

                client_attach(
                        fd,
                        (WshdMessage){ .job = 1, .flags = WSHD_STDOUT_FD, .stdout_position = 1000 },
                        fds);
                assert_int_equal(expect_numbers(fds[1], 1000), 1000000);
                fd_close(fds[1]);
        }
        wait_exit(fd, 1);
}

/* Its main process is gone, and what it wrote is in the pipe: that counts, and is not the end. */
static void test_backpressure_totals(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        WshdMessage m;
        int raw;

        start_numbers(fd, 1, "100000", WSHD_BACKPRESSURE, RING);
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.stdout_bytes, 100000);
        assert_int_equal(m.flags, WSHD_STDOUT_OPEN);
        raw = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        assert_int_equal(expect_numbers(raw, 0), 100000);
        fd_close(raw);
        m = client_expect(fd, WSHD_OUTPUT);
        assert_int_equal(m.job, 1);
        assert_int_equal(m.flags, 0);
        assert_int_equal(m.stdout_bytes, 100000);
}

/* Readers that want what there is, of a job that goes on. */
static void test_until_now(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        FrameReader reader = { 0 };
        SpecBuilder spec;
        int first, late, fds[3];

        SPEC(&spec, "/bin/sh", "-c", "$0 numbers 70000; read x; $0 numbers 9000000", helper_path());
        (void)job_start(fd, 1, &spec, WSHD_OPEN_STDIN, 2 * RING);
        first = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        {
                static char text[70001];

                read_some(first, text, 70000);
        }
        late = client_attach_one(fd, 1, WSHD_STDOUT_FD | WSHD_UNTIL_NOW);
        client_attach(fd,
                      (WshdMessage){ .job = 1,
                                     .flags = WSHD_STDOUT_FD | WSHD_UNTIL_NOW | WSHD_FRAMED,
                                     .stdout_position = 69990 },
                      fds);
        assert_int_equal(expect_numbers(late, 0), 70000);
        reader = (FrameReader){ .fd = fds[1], .position = 69990 };
        assert_true(expect_frame(&reader));
        assert_false(expect_frame(&reader));
        assert_int_equal(reader.position, 70000);
        fd_close(late);
        fd_close(fds[1]);

        /* Those that did not read in time have their end all the same, with what was missed. */
        reader = (FrameReader){ .fd = client_attach_one(
                                        fd, 1, WSHD_STDOUT_FD | WSHD_UNTIL_NOW | WSHD_FRAMED) };
        late = client_attach_one(fd, 1, WSHD_STDOUT_FD | WSHD_UNTIL_NOW);
        fd_close(first);
        let_begin(fd, 1);
        wait_exit(fd, 1);
        while (expect_frame(&reader))
                ;
        assert_true(reader.missed > 0);
        assert_int_equal(reader.received + reader.missed, 70000);
        assert_in_range(expect_numbers(late, 0), 1, 69999);
        expect_refusal(fd,
                       (WshdMessage){ .type = WSHD_ATTACH,
                                      .job = 1,
                                      .flags = WSHD_STDOUT_FD | WSHD_UNTIL_NOW | WSHD_FROM_NOW },
                       WSHD_STAGE_REQUEST, EINVAL);
        fd_close(late);
        fd_close(reader.fd);
}

static void test_slow_raw_reader(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        int raw, quick;
        uint64_t end;

        start_numbers_later(fd, 1, "30000000", 0, RING);
        raw = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        let_begin(fd, 1);
        wait_exit(fd, 1);
        end = expect_numbers(raw, 0);
        assert_true(end > 0 && end < 30000000);
        fd_close(raw);
        quick = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        assert_int_equal(expect_numbers(quick, 30000000 - RING), 30000000);
        fd_close(quick);
}

static void test_slow_framed_reader(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        FrameReader reader = { 0 };

        start_numbers_later(fd, 1, "30000000", 0, RING);
        reader.fd = client_attach_one(fd, 1, WSHD_STDOUT_FD | WSHD_FRAMED);
        let_begin(fd, 1);
        wait_exit(fd, 1);
        while (expect_frame(&reader))
                ;
        assert_int_equal(reader.position, 30000000);
        assert_true(reader.missed > 0);
        assert_int_equal(reader.missed + reader.received, 30000000);
        fd_close(reader.fd);
}

static void test_hundred_readers(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        size_t n_fds = container_count_fds(*state);
        int readers[100];
        pid_t pids[100];

        start_numbers_later(fd, 1, "3000000", WSHD_BACKPRESSURE, RING);
        for (size_t i = 0; i < ELEMENTSOF(readers); i++) {
                readers[i] = client_attach_one(fd, 1, WSHD_STDOUT_FD);
                pids[i] = fork();
                if (pids[i] == 0)
                        check_numbers(readers[i], 3000000);
                fd_close(readers[i]);
        }
        let_begin(fd, 1);
        for (size_t i = 0; i < ELEMENTSOF(readers); i++)
                assert_int_equal(wait_child(pids[i]), 0);
        wait_exit(fd, 1);
        release(fd, 1);
        container_expect_fds(*state, n_fds);
}

static void test_vanished_readers(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        size_t n_fds;
        char text[101];

        start_numbers(fd, 1, "50000000", WSHD_BACKPRESSURE, RING);
        n_fds = container_count_fds(*state);
        for (int i = 0; i < 50; i++) {
                int reader = client_attach_one(
                        fd, 1, WSHD_STDOUT_FD | (i % 2 ? WSHD_FRAMED : 0) | WSHD_FROM_NOW);

                /* In the middle of a frame, or before any. */
                if (i % 3)
                        read_some(reader, text, i % 3 == 1 ? 100 : 10);
                fd_close(reader);
        }
        container_expect_fds(*state, n_fds);
        {
                int fds[3];
                uint64_t end;

                client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDOUT_FD | WSHD_FRAMED },
                              fds);
                FrameReader reader = { .fd = fds[1] };

                while (expect_frame(&reader))
                        ;
                end = reader.position;
                assert_int_equal(end, 50000000);
                fd_close(fds[1]);
        }
}

/* Others and the job go on beside readers that never read, and nobody is woken for them. */
static void test_stalled_readers(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        int stalled[20], inputs[2], quick;

        for (uint32_t job = 1; job <= 2; job++) {
                start_numbers_later(fd, job, "10000000", 0, RING);
                inputs[job - 1] = client_attach_one(fd, job, WSHD_STDIN_FD);
        }
        for (size_t i = 0; i < ELEMENTSOF(stalled); i++)
                stalled[i] = client_attach_one(
                        fd, 1 + i % 2,
                        WSHD_STDOUT_FD | WSHD_FRAMED); /* a raw one would be closed at its gap */
        for (int i = 0; i < 2; i++) {
                assert_int_equal(write(inputs[i], "\n", 1), 1);
                fd_close(inputs[i]);
        }
        (void)client_expect(fd, WSHD_EXITED);
        (void)client_expect(fd, WSHD_EXITED);
        quick = client_attach_one(fd, 2, WSHD_STDOUT_FD);
        assert_int_equal(expect_numbers(quick, 10000000 - RING), 10000000);
        fd_close(quick);
        container_expect_idle(*state);
        for (size_t i = 0; i < ELEMENTSOF(stalled); i++)
                fd_close(stalled[i]);
}

static void test_last_bytes(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);

        for (uint32_t job = 1; job <= 20; job++) {
                int fds[3], both;
                SpecBuilder spec;
                WshdMessage m;

                SPEC(&spec, helper_path(), "flood", "300000");
                (void)job_start(fd, job, &spec, 0, RING);
                m = client_expect(fd, WSHD_EXITED);
                assert_int_equal(m.stdout_bytes, 300000);
                assert_int_equal(m.stderr_bytes, 300000);
                both = WSHD_STDOUT_FD | WSHD_STDERR_FD;
                client_attach(fd, (WshdMessage){ .job = job, .flags = (uint32_t)both }, fds);
                assert_int_equal(expect_numbers(fds[1], 300000 - RING), 300000);
                assert_int_equal(expect_numbers(fds[2], 300000 - RING), 300000);
                fd_close(fds[1]);
                fd_close(fds[2]);
        }
}

static void test_closed_at_once(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        WshdMessage m;

        SPEC_SHELL(&spec, "exec >&-; echo late >&2; exec 2>&-; sleep 0.3; exit 5");
        (void)job_start(fd, 1, &spec, 0, RING);
        expect_text(fd, 1, WSHD_STDOUT_FD, "");
        expect_text(fd, 1, WSHD_STDERR_FD, "late\n");
        m = client_expect(fd, WSHD_EXITED);
        assert_int_equal(m.code, 5);
        assert_int_equal(m.stderr_bytes, 5);
}

static void test_descendants(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        char text[8];
        SpecBuilder spec;
        int reader;

        SPEC_SHELL(&spec, "mkfifo /mnt/go /mnt/end; (read x < /mnt/go; echo after; "
                          "read x < /mnt/end) & echo before");
        (void)job_start(fd, 1, &spec, 0, RING);
        wait_exit(fd, 1);
        reader = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        read_some(reader, text, 7);
        assert_string_equal(text, "before\n");
        SPEC_SHELL(&spec, "echo > /mnt/go");
        (void)job_run(fd, 2, &spec, NULL, 0);
        read_some(reader, text, 6);
        assert_string_equal(text, "after\n");
        assert_false(has_message(reader, 50)); /* nor the end */
        SPEC_SHELL(&spec, "echo > /mnt/end");
        (void)job_run(fd, 2, &spec, NULL, 0);
        assert_int_equal(read(reader, text, 1), 0);
        fd_close(reader);
}

/* A daemon that a job left behind goes on writing when the job has been forgotten, and who was
 * attached gets it all. */
static void test_released(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        size_t n_fds = container_count_fds(*state);
        int reader;

        SpecBuilder spec;

        SPEC_SHELL(&spec, "mkfifo /mnt/go; (trap '' HUP; read x < /mnt/go; yes | head -c 1000000; "
                          "echo done >&2; echo fine > /mnt/proof) & :");
        for (uint32_t job = 1; job <= 2; job++) {
                SpecBuilder go;

                (void)job_start(fd, job, &spec, WSHD_BACKPRESSURE, 4096);
                wait_exit(fd, job);
                reader = job == 2 ? client_attach_one(fd, job, WSHD_STDERR_FD) : -EBADF;
                release(fd, job);
                expect_refusal(
                        fd,
                        (WshdMessage){ .type = WSHD_ATTACH, .job = job, .flags = WSHD_STDOUT_FD },
                        WSHD_STAGE_REQUEST, ENOENT);
                SPEC_SHELL(&go, "echo > /mnt/go; while ! [ -s /mnt/proof ]; do sleep 0.02; done; "
                                "rm /mnt/proof /mnt/go");
                (void)job_run(fd, 3, &go, NULL, 0);
                if (reader >= 0) {
                        char text[8];

                        (void)read_all(reader, text, sizeof(text));
                        assert_string_equal(text, "done\n");
                        fd_close(reader);
                }
        }
        container_expect_fds(*state, n_fds);
}

static void test_no_ring(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        int fds[3];

        SPEC_SHELL(&spec, "readlink /proc/$$/fd/1 | grep -q ^/dev/null$ && sleep 1000");
        (void)job_start(fd, 1, &spec, 0, 0);
        assert_int_equal(
                client_attach(fd,
                              (WshdMessage){ .job = 1, .flags = WSHD_STDIN_FD | WSHD_STDOUT_FD },
                              fds),
                0);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_ATTACH, .job = 1 }, WSHD_STAGE_REQUEST,
                       EINVAL);
        expect_refusal(
                fd,
                (WshdMessage){ .type = WSHD_ATTACH, .job = 1, .flags = WSHD_STDOUT_FD | WSHD_TTY },
                WSHD_STAGE_REQUEST, EINVAL);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_ATTACH, .job = 9, .flags = WSHD_STDOUT_FD },
                       WSHD_STAGE_REQUEST, ENOENT);
}

static void test_no_memory(void **state)
{
        const ContainerOptions options = { .nofile = 40 };
        Container *container = *state;
        SpecBuilder spec;
        WshdMessage m = { .type = WSHD_SPAWN, .ring_bytes = RING };
        uint32_t job = 1;
        size_t n_fds;
        int fd;

        container_free(container);
        *state = container = container_new(&options);
        fd = client_open(container, WSHD_SUBSCRIBE);
        SPEC(&spec, "/bin/sleep", "1000");
        m.spec = spec.data;
        m.spec_size = spec.writer.size;
        do {
                n_fds = container_count_fds(container);
                m.job = job++;
                m = client_ask(fd, m, NULL, 0);
                if (m.type == WSHD_SPAWNED)
                        m = (WshdMessage){ .type = WSHD_SPAWN,
                                           .ring_bytes = RING,
                                           .spec = spec.data,
                                           .spec_size = spec.writer.size };
        } while (m.type == WSHD_SPAWN);
        assert_int_equal(m.type, WSHD_FAILED);
        assert_true(m.error == EMFILE);
        assert_true(m.stage == WSHD_STAGE_RING || m.stage == WSHD_STAGE_FORK);
        container_expect_fds(container, n_fds);
        expect_refusal(fd,
                       (WshdMessage){ .type = WSHD_SPAWN,
                                      .job = 1000,
                                      .ring_bytes = WSHD_RING_MAX + 1,
                                      .spec = spec.data,
                                      .spec_size = spec.writer.size },
                       WSHD_STAGE_REQUEST, EINVAL);
        fd_close(fd);
}

static WshdMessage spawn_bounded(int fd, uint32_t job, const SpecBuilder *spec, uint32_t flags,
                                 uint64_t ring_bytes, uint64_t rings_max)
{
        return client_ask(fd,
                          (WshdMessage){ .type = WSHD_SPAWN,
                                         .job = job,
                                         .flags = flags,
                                         .ring_bytes = ring_bytes,
                                         .rings_max = rings_max,
                                         .spec = spec->data,
                                         .spec_size = spec->writer.size },
                          NULL, 0);
}

/* What one job asks for it has or it is refused; what is left over is shared. */
static void test_rings_max(void **state)
{
        const uint64_t max = 8 * RING;
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder sleeper, short_one;
        WshdMessage m;
        uint32_t job = 1, n_small = 0;

        SPEC(&sleeper, "/bin/sleep", "1000");
        SPEC_SHELL(&short_one, "echo x");
        for (; job <= 3; job++)
                assert_int_equal(spawn_bounded(fd, job, &sleeper, 0, RING, max).type, WSHD_SPAWNED);
        /* Two rings of 64 KiB are left; a job that has ended keeps a page of each, and a stream
         * that was given has none. */
        assert_int_equal(spawn_bounded(fd, job, &short_one, 0, RING, max).type, WSHD_SPAWNED);
        wait_exit(fd, job++);
        m = spawn_bounded(fd, job, &sleeper, 0, RING, max);
        assert_int_equal(m.type, WSHD_FAILED);
        assert_int_equal(m.stage, WSHD_STAGE_RING);
        assert_int_equal(m.error, EDQUOT);
        assert_int_equal(spawn_bounded(fd, job, &sleeper, 0, RING - 4096, max).type, WSHD_SPAWNED);
        release(fd, job - 1);
        /* Smaller ones, down to a page, and then none. */
        for (job++; job < 100; job++, n_small++)
                if (spawn_bounded(fd, job, &sleeper, WSHD_RING_SHRINK, RING, max).type !=
                    WSHD_SPAWNED)
                        break;
        assert_in_range(n_small, 1, 2);
        assert_int_equal(spawn_bounded(fd, job, &sleeper, 0, RING, 0).type, WSHD_SPAWNED);
}

/* 300 MB to a reader that does not read, and the largest ring: nothing of it is PID 1's own. */
static void test_bounded_memory(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint64_t before = container_status(*state, "RssAnon");
        int stalled;

        start_numbers(fd, 1, "300000000", 0, RING);
        stalled = client_attach_one(fd, 1, WSHD_STDOUT_FD | WSHD_FRAMED);
        wait_exit(fd, 1);
        assert_in_range(container_status(*state, "RssAnon"), 0, before + 64);
        assert_in_range(container_status(*state, "RssShmem"), 0, 64 + 8);
        fd_close(stalled);
}

static uint64_t now_usec(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void test_fair(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint64_t slowest = 0;
        SpecBuilder spec;

        SPEC_SHELL(&spec, "cat /dev/zero");
        for (uint32_t job = 1; job <= 3; job++)
                (void)job_start(fd, job, &spec, 0, RING);
        SPEC_SHELL(&spec, "echo here");
        for (int i = 0; i < 20; i++) {
                uint64_t start = now_usec();

                (void)job_start(fd, 4, &spec, 0, RING);
                wait_exit(fd, 4);
                expect_text(fd, 4, WSHD_STDOUT_FD, "here\n");
                release(fd, 4);
                slowest = MAX2(slowest, now_usec() - start);
        }
        /* Not how fast: a flood that was emptied first would never let it come. */
        assert_in_range(slowest, 0, 60 * USEC_PER_SEC);
}

static void test_own_job(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        int own = client_open(*state, 0);
        WshdMessage first, second;
        SpecBuilder spec;

        SPEC_SHELL(&spec, "echo mine; exit 7");
        first = job_start(own, 0, &spec, 0, RING);
        assert_true(first.job >= WSHD_OWN_JOBS);
        assert_int_equal(client_expect(own, WSHD_EXITED).code, 7);
        expect_text(own, first.job, WSHD_STDOUT_FD, "mine\n");
        assert_false(has_message(fd, 50));

        SPEC_SHELL(&spec, "sleep 0.2");
        second = job_start(own, 0, &spec, 0, RING);
        assert_true(second.job >= WSHD_OWN_JOBS && second.job != first.job);
        fd_close(own);
        for (int i = 0; i < 2; i++) {
                uint32_t job = i ? second.job : first.job;
                WshdMessage m = { .type = WSHD_ATTACH, .job = job, .flags = WSHD_STDOUT_FD };

                for (int k = 0; client_ask(fd, m, NULL, 0).type == WSHD_OK; k++) {
                        assert_true(k < 1000);
                        (void)poll(NULL, 0, 10);
                }
                expect_refusal(fd, m, WSHD_STAGE_REQUEST, ENOENT);
        }
        expect_refusal(fd,
                       (WshdMessage){ .type = WSHD_SPAWN,
                                      .job = WSHD_OWN_JOBS,
                                      .spec = spec.data,
                                      .spec_size = spec.writer.size },
                       WSHD_STAGE_REQUEST, EINVAL);
}

/* The end of the container takes the jobs, but not what they had written for somebody. */
static void test_stop(void **state)
{
        Container *container = *state;
        _drop_(drop_fd) int fd = client_open(container, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        char text[16];
        int reader;

        SPEC_SHELL(&spec, "trap 'echo bye; exit' TERM; echo hello; while :; do sleep 0.02; done");
        (void)job_start(fd, 1, &spec, 0, RING);
        reader = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        read_some(reader, text, 6);
        client_send(fd, (WshdMessage){ .type = WSHD_STOP, .usec = 20 * USEC_PER_SEC }, NULL, 0);
        (void)read_all(reader, text, sizeof(text));
        assert_string_equal(text, "bye\n");
        fd_close(reader);
        assert_int_equal(container_wait(container), 0);
}

static int stopped_teardown(void **state)
{
        container_free(*state);
        return 0;
}

int main(void)
{
        static const ContainerCase cases[] = {
                CASE("keeps output from the first byte, for any number of readers",
                     test_first_byte),
                CASE("passes output on as it is written", test_live),
                CASE("starts where a reader asks", test_where_to_start),
                CASE("keeps the end of what does not fit", test_ring_keeps_the_end),
                CASE("loses nothing when the job is to wait", test_backpressure),
                CASE("makes the job wait for a reader that is still to come",
                     test_backpressure_without_reader),
                CASE("counts what is in the pipe of a job that waited", test_backpressure_totals),
                CASE("ends where the ring ended when it was asked", test_until_now),
                CASE("ends a slow reader at its gap", test_slow_raw_reader),
                CASE("tells a slow framed reader what it has missed", test_slow_framed_reader),
                CASE("serves a hundred readers", test_hundred_readers),
                CASE("forgets readers that vanish", test_vanished_readers),
                CASE("sleeps beside readers that never read", test_stalled_readers),
                CASE("has the last bytes of both streams when the end is told", test_last_bytes),
                CASE("tells the end of a stream that is closed early", test_closed_at_once),
                CASE("reads on when the main process has ended", test_descendants),
                CASE("empties the pipes of a job that was released", test_released),
                CASE("grants nothing where there is nothing", test_no_ring),
                CASE_WITH(NEEDS_NO_TOOL, "says that it was the ring that could not be had",
                          test_no_memory),
                CASE("keeps all rings together within their bound", test_rings_max),
                CASE_WITH(NEEDS_NO_TOOL, "needs no memory for what nobody reads",
                          test_bounded_memory),
                CASE("serves others beside jobs that flood", test_fair),
                CASE("forgets a client's own jobs with it", test_own_job),
                { { "delivers before it stops", test_stop, container_setup, stopped_teardown,
                    NULL },
                  0 },
        };

        return container_run_cases("wshd-streams", cases, ELEMENTSOF(cases));
}
