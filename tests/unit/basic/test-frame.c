/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "journal/frame.h"

typedef struct Stream {
        uint8_t data[512];
        size_t size;
} Stream;

static void add_frame(Stream *s, uint64_t position, uint64_t missed, const char *text)
{
        WshdFrame frame = { .position = position,
                            .missed = missed,
                            .size = (uint32_t)strlen(text) };

        wshd_frame_encode(&frame, s->data + s->size);
        memcpy(s->data + s->size + WSHD_FRAME_HEADER, text, frame.size);
        s->size += WSHD_FRAME_HEADER + frame.size;
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
        s.data[WSHD_FRAME_HEADER - 1] = 1;
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
                { "gives the same pieces however the stream is cut", test_any_cut },
                { "takes nothing behind the end", test_after_the_end },
                { "notices a stream that is out of step", test_out_of_step },
                { "gives what is there of a chunk before the rest has come", test_half },
        };

        return cmocka_run_group_tests_name("journal/frame", tests, NULL, NULL);
}
