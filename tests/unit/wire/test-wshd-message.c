/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "wire/wshd-message.h"
#include "socket-pair.h"

static const WshdMessage full = {
        .type = WSHD_SPAWN,
        .sequence = 0x01020304,
        .flags = UINT32_MAX,
        .job = 1,
        .pid = 2,
        .error = 3,
        .stage = 4,
        .signal = 5,
        .code = 6,
        .rows = 7,
        .columns = 8,
        .usec = UINT64_MAX,
        .start_usec = 9,
        .end_usec = 10,
        .ring_bytes = 11,
        .stdout_position = 12,
        .stderr_position = UINT64_MAX - 1,
        .stdout_bytes = 13,
        .stderr_bytes = 14,
        .rings_max = 15,
        .spec = (const uint8_t *)"spec",
        .spec_size = 4,
};

static void expect_equal(const WshdMessage *a, const WshdMessage *b)
{
        WshdMessage x = *a, y = *b;

        assert_int_equal(x.spec_size, y.spec_size);
        if (x.spec_size > 0)
                assert_memory_equal(x.spec, y.spec, x.spec_size);
        x.spec = y.spec = NULL;
        assert_int_equal(x.type, y.type);
        assert_int_equal(x.sequence, y.sequence);
        assert_int_equal(x.flags, y.flags);
        assert_int_equal(x.job, y.job);
        assert_int_equal(x.pid, y.pid);
        assert_int_equal(x.error, y.error);
        assert_int_equal(x.stage, y.stage);
        assert_int_equal(x.signal, y.signal);
        assert_int_equal(x.code, y.code);
        assert_int_equal(x.rows, y.rows);
        assert_int_equal(x.columns, y.columns);
        assert_true(x.usec == y.usec);
        assert_true(x.start_usec == y.start_usec);
        assert_true(x.end_usec == y.end_usec);
        assert_true(x.ring_bytes == y.ring_bytes);
        assert_true(x.stdout_position == y.stdout_position);
        assert_true(x.stderr_position == y.stderr_position);
        assert_true(x.stdout_bytes == y.stdout_bytes);
        assert_true(x.stderr_bytes == y.stderr_bytes);
        assert_true(x.rings_max == y.rings_max);
}

static void test_round_trip(void **state)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        WshdMessage m;
        int n;

        n = wshd_message_encode(&full, buffer, sizeof(buffer));
        assert_true(n > WSHD_HEADER);
        assert_int_equal(wshd_message_decode(buffer, (size_t)n, &m), 0);
        expect_equal(&m, &full);
        assert_in_range((uintptr_t)m.spec, (uintptr_t)buffer, (uintptr_t)buffer + (size_t)n);
}

static void test_smallest(void **state)
{
        static const uint8_t expected[] = { 'w', 1, 65, 0, 7, 0, 0, 0, 0, 0, 0, 0 };
        WshdMessage m = { .type = WSHD_OK, .sequence = 7 }, back;
        uint8_t buffer[WSHD_HEADER];

        assert_int_equal(wshd_message_encode(&m, buffer, sizeof(buffer)), WSHD_HEADER);
        assert_memory_equal(buffer, expected, sizeof(expected));
        assert_int_equal(wshd_message_decode(buffer, sizeof(buffer), &back), 0);
        expect_equal(&back, &m);
}

static void test_room(void **state)
{
        static uint8_t spec[WSHD_MESSAGE_MAX], buffer[2 * WSHD_MESSAGE_MAX];
        WshdMessage m = { .type = WSHD_SPAWN, .spec = spec };

        m.spec_size = WSHD_MESSAGE_MAX - WSHD_HEADER - 6;
        assert_int_equal(wshd_message_encode(&m, buffer, sizeof(buffer)), WSHD_MESSAGE_MAX);
        m.spec_size++;
        assert_int_equal(wshd_message_encode(&m, buffer, sizeof(buffer)), -EMSGSIZE);
        m.spec_size = 0;
        assert_int_equal(wshd_message_encode(&m, buffer, WSHD_HEADER - 1), -EMSGSIZE);
        m.type = 0;
        assert_int_equal(wshd_message_encode(&m, buffer, sizeof(buffer)), -EINVAL);
        m.type = UINT16_MAX + 1;
        assert_int_equal(wshd_message_encode(&m, buffer, sizeof(buffer)), -EINVAL);
}

static void test_truncation(void **state)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int n = wshd_message_encode(&full, buffer, sizeof(buffer));

        for (int i = 0; i < n; i++) {
                WshdMessage m = { .job = 4711 };

                assert_int_equal(wshd_message_decode(buffer, (size_t)i, &m), -EBADMSG);
                assert_int_equal(m.job, 4711);
        }
        /* One byte too many contradicts the header. */
        buffer[n] = 0;
        assert_int_equal(wshd_message_decode(buffer, (size_t)n + 1, &(WshdMessage){ 0 }), -EBADMSG);
}

static void test_other_version(void **state)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        WshdMessage m;
        int n = wshd_message_encode(&full, buffer, sizeof(buffer));

        buffer[1] = WSHD_VERSION + 1;
        assert_int_equal(wshd_message_decode(buffer, (size_t)n, &m), -EPROTONOSUPPORT);
        assert_int_equal(m.type, WSHD_SPAWN);
        assert_int_equal(m.sequence, 0x01020304);
        assert_int_equal(m.job, 0);
        buffer[0] = 'x';
        assert_int_equal(wshd_message_decode(buffer, (size_t)n, &m), -EBADMSG);
}

/* A header with the given fields behind it. */
static int decode_fields(const WireWriter *w, WshdMessage *ret)
{
        uint8_t buffer[WSHD_MESSAGE_MAX] = { 'w', WSHD_VERSION, WSHD_KILL };

        buffer[8] = (uint8_t)w->size;
        memcpy(buffer + WSHD_HEADER, w->data, w->size);
        return wshd_message_decode(buffer, WSHD_HEADER + w->size, ret);
}

static void test_hidden_fields(void **state)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        WshdMessage m = { .type = WSHD_KILL, .job = 1 }, back;
        int n = wshd_message_encode(&m, buffer, sizeof(buffer));

        assert_int_equal(wshd_message_decode(buffer, (size_t)n, &back), 0);
        buffer[8] = 0; /* "no fields", but there is one */
        assert_int_equal(wshd_message_decode(buffer, (size_t)n, &back), -EBADMSG);
}

static void test_unknown_tags(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        WshdMessage m;

        wire_put_u64(&w, 2, 5);
        wire_put_string(&w, 0, "none");
        wire_put_string(&w, 999, "of a newer peer");
        wire_put_string(&w, 999, "and again");
        assert_int_equal(decode_fields(&w, &m), 0);
        assert_int_equal(m.job, 5);
        wire_writer_done(&w);
}

static void test_contradictions(void **state)
{
        WireWriter twice = WIRE_WRITER_INIT, wide = WIRE_WRITER_INIT, text = WIRE_WRITER_INIT;
        WshdMessage m = { .job = 4711 };

        wire_put_u64(&twice, 2, 5);
        wire_put_u64(&twice, 2, 5);
        assert_int_equal(decode_fields(&twice, &m), -EBADMSG);
        wire_put_u64(&wide, 2, UINT64_C(1) << 32);
        assert_int_equal(decode_fields(&wide, &m), -EBADMSG);
        wire_put_string(&text, 2, "5");
        assert_int_equal(decode_fields(&text, &m), -EBADMSG);
        assert_int_equal(m.job, 4711);
        wire_writer_done(&twice);
        wire_writer_done(&wide);
        wire_writer_done(&text);
}

static void test_stages(void **state)
{
        for (uint32_t i = 0; i < _WSHD_STAGE_MAX; i++)
                for (uint32_t k = 0; k < i; k++)
                        assert_string_not_equal(wshd_stage_to_string(i), wshd_stage_to_string(k));
        assert_string_equal(wshd_stage_to_string(WSHD_STAGE_EXEC), "exec");
        assert_string_equal(wshd_stage_to_string(_WSHD_STAGE_MAX), "unknown");
        assert_string_equal(wshd_stage_to_string(UINT32_MAX), "unknown");
}

static void test_send(void **state)
{
        SocketPair *f = *state;
        char buffer[16];
        int fds[WSHD_FDS_MAX] = { -EBADF };
        size_t n_fds = ELEMENTSOF(fds);

        assert_int_equal(wshd_send(f->a, "one", 3, NULL, 0), 0);
        assert_int_equal(wshd_send(f->a, "three", 5, NULL, 0), 0);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), 3);
        assert_memory_equal(buffer, "one", 3);
        assert_int_equal(n_fds, 0);
        assert_int_equal(fds[0], -EBADF);
        n_fds = ELEMENTSOF(fds);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), 5);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), -EAGAIN);
}

static void test_send_fds(void **state)
{
        SocketPair *f = *state;
        int fds[WSHD_FDS_MAX], sent[WSHD_FDS_MAX];
        struct stat a, b;
        char buffer[4];
        size_t n_fds = ELEMENTSOF(fds);

        for (size_t i = 0; i < ELEMENTSOF(sent); i++)
                sent[i] = i % 2 ? f->a : f->b;
        assert_int_equal(wshd_send(f->a, "x", 1, sent, ELEMENTSOF(sent)), 0);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), 1);
        assert_int_equal(n_fds, WSHD_FDS_MAX);
        for (size_t i = 0; i < n_fds; i++) {
                assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
                assert_int_equal(fstat(fds[i], &a), 0);
                assert_int_equal(fstat(sent[i], &b), 0);
                assert_int_equal(a.st_ino, b.st_ino);
                fd_close(fds[i]);
        }
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_send_bounds(void **state)
{
        SocketPair *f = *state;
        int sent[WSHD_FDS_MAX + 1] = { 0 };

        assert_int_equal(wshd_send(f->a, "x", 1, sent, WSHD_FDS_MAX + 1), -EINVAL);
        assert_int_equal(wshd_send(f->a, "", 0, NULL, 0), -EINVAL);
        sent[0] = 255;
        assert_int_equal(wshd_send(f->a, "x", 1, sent, 1), -EBADF);
}

static void test_full_queue(void **state)
{
        SocketPair *f = *state;
        int r, n = 0;

        while ((r = wshd_send(f->a, "x", 1, NULL, 0)) == 0 && n < 100000)
                n++;
        assert_true(n > 0);
        assert_int_equal(r, -EAGAIN);
}

static void test_end(void **state)
{
        SocketPair *f = *state;
        char buffer[4];
        size_t n_fds = 0;

        assert_int_equal(wshd_send(f->a, "x", 1, NULL, 0), 0);
        f->a = fd_close(f->a);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds), 1);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds), 0);
        assert_int_equal(wshd_send(f->b, "x", 1, NULL, 0), -EPIPE); /* and no signal */
}

static void test_truncated_datagram(void **state)
{
        SocketPair *f = *state;
        char buffer[4];
        int fds[WSHD_FDS_MAX], sent[2] = { 0, 1 };
        size_t n_fds = ELEMENTSOF(fds);

        assert_int_equal(wshd_send(f->a, "longer", 6, sent, 2), 0);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_more_fds_than_room(void **state)
{
        SocketPair *f = *state;
        char buffer[4];
        int fds[1] = { -EBADF }, sent[3] = { 0, 1, 2 };
        size_t n_fds = 1;

        assert_int_equal(wshd_send(f->a, "x", 1, sent, 3), 0);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
        n_fds = 0;
        assert_int_equal(wshd_send(f->a, "x", 1, sent, 1), 0);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), NULL, &n_fds), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

/* What wshd_send() would not send. */
static void send_raw(int fd, size_t size, size_t n_fds)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int) * 64)];
        } control = { .bytes = "" };
        struct iovec iov = { .iov_base = (char[]){ 0 }, .iov_len = size };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
        struct cmsghdr *c;

        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        for (size_t i = 0; i < n_fds; i++)
                ((int *)(void *)CMSG_DATA(c))[i] = fd;
        assert_int_equal(sendmsg(fd, &msg, 0), size);
}

static void test_flood_of_fds(void **state)
{
        SocketPair *f = *state;
        char buffer[4];
        int fds[WSHD_FDS_MAX];
        size_t n_fds = ELEMENTSOF(fds);

        send_raw(f->a, 1, 64);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_empty_datagram(void **state)
{
        SocketPair *f = *state;
        char buffer[4];
        int fds[WSHD_FDS_MAX];
        size_t n_fds = ELEMENTSOF(fds);

        send_raw(f->a, 0, 3);
        assert_int_equal(wshd_receive(f->b, buffer, sizeof(buffer), fds, &n_fds), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

#define CASE(name, func)                                            \
        {                                                           \
                name, func, socket_pair_setup, socket_pair_teardown \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries every member", test_round_trip },
                { "leaves out what is at its default", test_smallest },
                { "fits into one page or says that it does not", test_room },
                { "notices each cut and a byte too many", test_truncation },
                { "tells another version from rubbish, and whom to answer", test_other_version },
                { "refuses fields that the header does not count", test_hidden_fields },
                { "skips tags that it does not know", test_unknown_tags },
                { "refuses members that come twice or are no number", test_contradictions },
                { "names every stage, known or not", test_stages },
                CASE("keeps datagrams apart and does not wait", test_send),
                CASE("hands over descriptors, close-on-exec", test_send_fds),
                CASE("refuses to send nothing, or too many descriptors", test_send_bounds),
                CASE("says when the peer's queue is full", test_full_queue),
                CASE("tells the end of the connection, without a signal", test_end),
                CASE("closes the descriptors of a datagram that was cut", test_truncated_datagram),
                CASE("closes descriptors that nobody expected", test_more_fds_than_room),
                CASE("closes what the kernel let through of a flood", test_flood_of_fds),
                CASE("closes the descriptors of an empty datagram", test_empty_datagram),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
