/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/frame.h"
#include "basic/macro.h"

typedef struct Stream {
        uint8_t data[512];
        size_t size;
} Stream;

static void add_frame(Stream *s, uint64_t position, uint64_t missed, const char *text)
{
        Frame frame = { .position = position, .missed = missed, .size = (uint32_t)strlen(text) };

        frame_encode(&frame, s->data + s->size);
        memcpy(s->data + s->size + FRAME_HEADER, text, frame.size);
        s->size += FRAME_HEADER + frame.size;
}

/* Feeds @step bytes at a time; writes what came out as text: "POSITION:data", '$' for the end. */
static int parse(const Stream *s, size_t step, char *out, size_t room)
{
        FrameParser parser = { 0 };
        uint64_t expected = UINT64_MAX;

        out[0] = 0;
        for (size_t i = 0; i < s->size; i += step) {
                const uint8_t *p = s->data + i;
                size_t size = MIN2(step, s->size - i), n;
                FramePiece piece;
                int r;

                while ((r = frame_next(&parser, &p, &size, &piece)) > 0) {
                        n = strlen(out);
                        if (piece.position != expected)
                                n += (size_t)snprintf(out + n, room - n,
                                                      "%d:", (int)piece.position);
                        if (piece.type == FRAME_END)
                                (void)snprintf(out + n, room - n, "$");
                        else
                                (void)snprintf(out + n, room - n, "%.*s", (int)piece.size,
                                               (const char *)piece.data);
                        expected = piece.position + piece.size;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static void test_frame(void **state)
{
        static const uint8_t expected[FRAME_HEADER] = { 8, 7, 6, 5, 4, 3, 2, 1, 2, 1, 0, 0,
                                                        0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0 };
        Frame frame = { .position = 0x0102030405060708, .missed = 0x0102, .size = 0x0203 };
        uint8_t buffer[FRAME_HEADER];
        Frame back = { 0 };

        memset(buffer, 0xff, sizeof(buffer));
        frame_encode(&frame, buffer);
        assert_memory_equal(buffer, expected, sizeof(expected));
        assert_int_equal(frame_decode(buffer, &back), 0);
        assert_true(back.position == frame.position && back.missed == frame.missed);
        assert_int_equal(back.size, frame.size);
}

static void expect_no_frame(Frame frame, uint8_t reserved)
{
        uint8_t buffer[FRAME_HEADER];
        Frame back;

        frame_encode(&frame, buffer);
        buffer[FRAME_HEADER - 1] = reserved;
        assert_int_equal(frame_decode(buffer, &back), -EBADMSG);
}

static void test_frame_nonsense(void **state)
{
        expect_no_frame((Frame){ .size = 1 }, 1);
        expect_no_frame((Frame){ .size = FRAME_MAX - FRAME_HEADER + 1 }, 0);
        expect_no_frame((Frame){ .position = 4, .missed = 5, .size = 1 }, 0);
        expect_no_frame((Frame){ .position = UINT64_MAX, .size = 1 }, 0);
}

static void test_any_cut(void **state)
{
        Stream s = { .size = 0 };

        add_frame(&s, 0, 0, "hello ");
        add_frame(&s, 6, 0, "world");
        add_frame(&s, 1000, 989, "later");
        add_frame(&s, 1005, 0, "");
        for (size_t step = 1; step <= s.size; step++) {
                char out[128];

                assert_int_equal(parse(&s, step, out, sizeof(out)), 0);
                assert_string_equal(out, "0:hello world1000:later$");
        }
}

static void test_after_the_end(void **state)
{
        Stream s = { .size = 0 };
        char out[128];

        add_frame(&s, 0, 0, "");
        s.data[s.size++] = 0;
        assert_int_equal(parse(&s, s.size, out, sizeof(out)), -EBADMSG);
        assert_string_equal(out, "0:$");
}

static void test_out_of_step(void **state)
{
        Stream s = { .size = 0 };
        char out[128];

        add_frame(&s, 0, 0, "x");
        s.data[FRAME_HEADER - 1] = 1;
        assert_int_equal(parse(&s, s.size, out, sizeof(out)), -EBADMSG);
        s.size = 0;
        add_frame(&s, UINT64_MAX, 0, "xy");
        assert_int_equal(parse(&s, s.size, out, sizeof(out)), -EBADMSG);
}

static void test_half(void **state)
{
        Stream s = { .size = 0 };
        char out[128];

        add_frame(&s, 5, 0, "half");
        s.size -= 2;
        assert_int_equal(parse(&s, s.size, out, sizeof(out)), 0);
        assert_string_equal(out, "5:ha");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "writes a frame as its layout says", test_frame },
                { "refuses a frame that cannot be", test_frame_nonsense },
                { "gives the same pieces however the stream is cut", test_any_cut },
                { "takes nothing behind the end", test_after_the_end },
                { "notices a stream that is out of step", test_out_of_step },
                { "gives what is there of a chunk before the rest has come", test_half },
        };

        return cmocka_run_group_tests_name("basic/frame", tests, NULL, NULL);
}
