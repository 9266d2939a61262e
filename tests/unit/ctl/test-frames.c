/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/frames.h"

typedef struct Stream {
        uint8_t data[1024];
        size_t n;
} Stream;

static void put_le(Stream *stream, uint64_t value, size_t n)
{
        for (size_t i = 0; i < n; i++)
                stream->data[stream->n++] = (uint8_t)(value >> (8 * i));
}

static void put_frame(Stream *stream, uint64_t position, uint64_t missed, const char *text)
{
        put_le(stream, position, 8);
        put_le(stream, missed, 8);
        put_le(stream, strlen(text), 4);
        put_le(stream, 0, 4);
        memcpy(stream->data + stream->n, text, strlen(text));
        stream->n += strlen(text);
}

/* All of the stream in pieces of @step bytes. */
static int pass(Frames *frames, const Stream *stream, size_t step, char *out)
{
        *frames = (Frames){ .position = 0 };
        out[0] = 0;
        for (size_t i = 0; i < stream->n; i += step) {
                uint8_t piece[sizeof(stream->data)];
                size_t size = stream->n - i < step ? stream->n - i : step;
                int r;

                memcpy(piece, stream->data + i, size);
                r = frames_filter(frames, piece, &size);
                if (r < 0)
                        return r;
                strncat(out, (const char *)piece, size);
        }
        return 0;
}

static void test_pieces(void **state)
{
        Stream stream = { .n = 0 };
        Frames frames;
        char out[64];

        put_frame(&stream, 0, 0, "hello ");
        put_frame(&stream, 6, 0, "world");
        put_frame(&stream, 11, 0, "");
        for (size_t step = 1; step <= stream.n; step++) {
                assert_int_equal(pass(&frames, &stream, step, out), 0);
                assert_string_equal(out, "hello world");
                assert_int_equal(frames.position, 11);
                assert_int_equal(frames.missed_bytes, 0);
                assert_true(frames.parser.is_ended);
        }
}

static void test_gaps(void **state)
{
        Stream stream = { .n = 0 };
        Frames frames;
        char out[64];

        put_frame(&stream, 100, 100, "a");
        put_frame(&stream, 101, 0, "b");
        put_frame(&stream, 112, 10, "c");
        assert_int_equal(pass(&frames, &stream, 7, out), 0);
        assert_string_equal(out, "abc");
        assert_int_equal(frames.missed_bytes, 110);
        assert_int_equal(frames.position, 113);
        assert_false(frames.parser.is_ended);
}

/* A sum that does not fit is as many as there can be, not few. */
static void test_many_missed(void **state)
{
        Stream stream = { .n = 0 };
        Frames frames;
        char out[64];

        put_frame(&stream, UINT64_MAX - 1, UINT64_MAX - 1, "a");
        put_frame(&stream, UINT64_MAX - 1, UINT64_MAX - 1, "b");
        assert_int_equal(pass(&frames, &stream, 1, out), 0);
        assert_true(frames.missed_bytes == UINT64_MAX);
}

static void test_out_of_step(void **state)
{
        Stream stream = { .n = 0 };
        Frames frames;
        char out[64];

        put_frame(&stream, 0, 0, "a");
        stream.data[20] = 1; /* reserved */
        assert_int_equal(pass(&frames, &stream, 1, out), -EBADMSG);

        stream.n = 0;
        put_frame(&stream, UINT64_MAX, 0, "ab");
        assert_int_equal(pass(&frames, &stream, 1, out), -EBADMSG);

        stream.n = 0;
        put_frame(&stream, 0, 0, "");
        put_frame(&stream, 0, 0, "more");
        assert_int_equal(pass(&frames, &stream, 64, out), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes the headers out, however the bytes come", test_pieces },
                { "counts what was missed", test_gaps },
                { "does not count beyond what can be counted", test_many_missed },
                { "notices a stream that is out of step", test_out_of_step },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
