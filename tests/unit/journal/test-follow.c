/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "journal/follow.h"

#define SENT_MAX 32

/* A job with two pipes, its file, and a journal that notes what it gets. */
typedef struct Fixture {
        Follow *follow;
        int write_fds[2];
        int place_fd;
        char *sent[SENT_MAX]; /* fields, joined by '|' */
        size_t n_sent;
        int fail_from; /* the number of the entry from which on sending fails; -1: never */
        Entry entry;
        uint8_t buffer[300];
} Fixture;

static const JournalMessage message = { .name = "web",
                                        .id = "0123456789a",
                                        .unit = "warden-0123456789a.scope",
                                        .identifier = "httpd",
                                        .job = 7 };

static int note(void *userdata, const Entry *entry)
{
        Fixture *f = userdata;
        char *text = calloc(1, 4096);
        size_t n = 0;

        assert_non_null(text);
        if (f->fail_from >= 0 && f->n_sent >= (size_t)f->fail_from) {
                free(text);
                return -ECANCELED;
        }
        for (size_t i = 0; i < entry->n_fields && n < 4000; i++)
                n += (size_t)snprintf(text + n, 4096 - n, "%s%.*s", i ? "|" : "",
                                      (int)entry->fields[i].iov_len,
                                      (const char *)entry->fields[i].iov_base);
        assert_true(f->n_sent < SENT_MAX);
        f->sent[f->n_sent++] = text;
        return 0;
}

/* Begins, or begins again with the file as it is. */
static void start(Fixture *f)
{
        int fds[3], pair[2];

        for (int i = 0; i < 2; i++) {
                assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
                fds[i] = pair[0];
                f->write_fds[i] = pair[1];
        }
        fds[2] = fd_dup(f->place_fd);
        assert_int_equal(follow_new(&message, fds, note, f, &f->follow), 0);
}

static void stop(Fixture *f)
{
        f->follow = follow_free(f->follow);
        f->write_fds[0] = fd_close(f->write_fds[0]);
        f->write_fds[1] = fd_close(f->write_fds[1]);
}

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->fail_from = -1;
        f->place_fd = memfd_create("place", MFD_CLOEXEC);
        assert_true(f->place_fd >= 0);
        start(f);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        stop(f);
        fd_close(f->place_fd);
        for (size_t i = 0; i < f->n_sent; i++)
                free(f->sent[i]);
        free(f);
        return 0;
}

static void put(Fixture *f, int stream, uint64_t position, const char *text)
{
        Frame frame = { .position = position, .size = (uint32_t)strlen(text) };
        uint8_t data[1024];

        frame_encode(&frame, data);
        memcpy(data + FRAME_HEADER, text, frame.size);
        assert_int_equal(write(f->write_fds[stream], data, FRAME_HEADER + frame.size),
                         FRAME_HEADER + frame.size);
}

/* Reads until there is nothing more; the last result. */
static int run(Fixture *f, int stream)
{
        FollowStream *s = &f->follow->streams[stream];
        int r = 1;

        while (r > 0 && s->fd >= 0)
                r = follow_stream_read(s, &f->entry, f->buffer, sizeof(f->buffer));
        return r;
}

static void assert_sent(const Fixture *f, size_t i, const char *part)
{
        assert_true(i < f->n_sent);
        if (!strstr(f->sent[i], part))
                fail_msg("entry %zu has no '%s': %s", i, part, f->sent[i]);
}

static void test_fields(void **state)
{
        Fixture *f = *state;

        put(f, 0, 0, "out\n");
        put(f, 1, 0, "err\n");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(run(f, 1), 0);
        assert_int_equal(f->n_sent, 2);
        assert_string_equal(f->sent[0],
                            "CONTAINER=web|CONTAINER_NAME=web|CONTAINER_ID=0123456789a|"
                            "CONTAINER_JOB=7|OBJECT_SYSTEMD_UNIT=warden-0123456789a.scope|"
                            "SYSLOG_IDENTIFIER=httpd|SYSLOG_FACILITY=3|CONTAINER_STREAM=stdout|"
                            "CONTAINER_STREAM_POSITION=0|PRIORITY=6|MESSAGE=out");
        assert_sent(f, 1, "|CONTAINER_STREAM=stderr|CONTAINER_STREAM_POSITION=0|PRIORITY=3|");
}

static void test_forgery(void **state)
{
        Fixture *f = *state;

        put(f, 0, 0, "x\nCONTAINER_NAME=other\n_PID=1\n");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 3);
        assert_sent(f, 1, "CONTAINER_NAME=web|");
        assert_sent(f, 1, "|MESSAGE=CONTAINER_NAME=other");
        assert_sent(f, 2, "|MESSAGE=_PID=1");
}

static void test_end(void **state)
{
        Fixture *f = *state;

        put(f, 0, 0, "no newline");
        put(f, 0, 10, "");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 1);
        assert_sent(f, 0, "|MESSAGE=no newline");
        assert_false(follow_is_done(f->follow));
        put(f, 1, 0, "");
        assert_int_equal(run(f, 1), 0);
        assert_true(follow_is_done(f->follow));
        assert_true(f->follow->state->places[0].is_ended && f->follow->state->places[1].is_ended);
}

static void test_gap(void **state)
{
        Fixture *f = *state;

        put(f, 0, 0, "begun");
        put(f, 0, 105, "rest\n");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 3);
        assert_sent(f, 0, "|CONTAINER_PARTIAL_MESSAGE=true|MESSAGE=begun");
        assert_sent(f, 1, "|CONTAINER_STREAM_POSITION=5|PRIORITY=4|CONTAINER_MISSED_BYTES=100|");
        assert_sent(f, 2, "|CONTAINER_STREAM_POSITION=105|PRIORITY=6|MESSAGE=rest");
}

static void test_gap_at_start(void **state)
{
        Fixture *f = *state;

        put(f, 0, 4096, "rest\n");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 2);
        assert_sent(f, 0, "|CONTAINER_MISSED_BYTES=4096|");
}

static void test_restart(void **state)
{
        Fixture *f = *state;

        put(f, 0, 0, "one\ntwo\nthr");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->follow->state->places[0].position, 8);
        stop(f);

        /* The ring gives what it has from the place on, or from before it. */
        start(f);
        put(f, 0, 8, "three\n");
        assert_int_equal(run(f, 0), 0);
        stop(f);
        start(f);
        put(f, 0, 4, "two\nthree\nfour\n");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 4);
        assert_sent(f, 2, "|CONTAINER_STREAM_POSITION=8|PRIORITY=6|MESSAGE=three");
        assert_sent(f, 3, "|CONTAINER_STREAM_POSITION=14|PRIORITY=6|MESSAGE=four");
}

static void test_not_sent(void **state)
{
        Fixture *f = *state;

        f->fail_from = 1;
        put(f, 0, 0, "one\ntwo\nthree\n");
        assert_int_equal(run(f, 0), -ECANCELED);
        assert_int_equal(f->follow->state->places[0].position, 4);
        stop(f);
        f->fail_from = -1;
        start(f);
        put(f, 0, 4, "two\nthree\n");
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 3);
        assert_sent(f, 1, "|MESSAGE=two");
}

static void test_pid_1_gone(void **state)
{
        Fixture *f = *state;

        put(f, 0, 0, "last words");
        f->write_fds[0] = fd_close(f->write_fds[0]);
        assert_int_equal(run(f, 0), 0);
        assert_int_equal(f->n_sent, 1);
        assert_sent(f, 0, "|MESSAGE=last words");
        assert_true(f->follow->streams[0].fd < 0);
}

static void test_out_of_step(void **state)
{
        Fixture *f = *state;
        uint8_t rubbish[FRAME_HEADER];

        put(f, 0, 0, "one\n");
        memset(rubbish, 0xff, sizeof(rubbish));
        assert_int_equal(write(f->write_fds[0], rubbish, sizeof(rubbish)), sizeof(rubbish));
        assert_int_equal(run(f, 0), -EBADMSG);
        assert_int_equal(f->n_sent, 1);
        assert_true(f->follow->streams[0].fd < 0);
        assert_false(f->follow->state->places[0].is_ended);
}

static void test_bad_place(void **state)
{
        Fixture *f = *state;
        Follow *other = NULL;
        int fds[3];

        assert_int_equal(pwrite(f->place_fd, "\xff\xff\xff\xff", 4, 0), 4);
        for (int i = 0; i < 2; i++)
                fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        fds[2] = fd_dup(f->place_fd);
        assert_int_equal(follow_new(&message, fds, note, f, &other), -EBADMSG);
        for (int i = 0; i < 3; i++)
                assert_int_equal(fcntl(fds[i], F_GETFD), -1);
}

int main(void)
{
        struct CMUnitTest tests[] = {
                { "says whose line it is, and which stream's", test_fields, setup, teardown },
                { "lets no line become a field", test_forgery, setup, teardown },
                { "sends what stands behind the last newline at the end", test_end, setup,
                  teardown },
                { "says how many bytes are missing", test_gap, setup, teardown },
                { "says so at the beginning, too", test_gap_at_start, setup, teardown },
                { "goes on where an earlier life has stopped", test_restart, setup, teardown },
                { "does not count as sent what was not", test_not_sent, setup, teardown },
                { "sends the last words of a PID 1 that is gone", test_pid_1_gone, setup,
                  teardown },
                { "leaves a stream that is out of step", test_out_of_step, setup, teardown },
                { "refuses a file of something else, and closes all", test_bad_place, setup,
                  teardown },
        };

        return cmocka_run_group_tests_name("journal/follow", tests, NULL, NULL);
}
