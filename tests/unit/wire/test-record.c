/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/record.h"

static void test_layout(void **state)
{
        static const uint8_t expected[] = { 'W', 'D', 8, 0, 0, 0, 1, 0, 0, 0, 'C', 0, 0, 0 };
        WireWriter w = WIRE_WRITER_INIT;

        record_begin(&w, RECORD_CONTAINER, 1);
        assert_int_equal(w.size, sizeof(expected));
        assert_memory_equal(w.data, expected, sizeof(expected));
        wire_writer_done(&w);
}

static void test_open(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        WireReader r;
        WireField f;

        record_begin(&w, RECORD_JOB, 3);
        wire_put_u64(&w, 9, 1);
        assert_int_equal(record_open(w.data, w.size, RECORD_JOB, 3, &r), 0);
        assert_int_equal(wire_next(&r, &f), 1);
        assert_int_equal(f.tag, 9);
        wire_writer_done(&w);
}

static void test_others(void **state)
{
        WireWriter w = WIRE_WRITER_INIT, headless = WIRE_WRITER_INIT, text = WIRE_WRITER_INIT;
        WireReader r;

        record_begin(&w, RECORD_JOB, 3);
        assert_int_equal(record_open(w.data, w.size, RECORD_CONTAINER, 3, &r), -EBADMSG);
        assert_int_equal(record_open(w.data, w.size, RECORD_JOB, 2, &r), -EPROTONOSUPPORT);
        assert_int_equal(record_open(w.data, w.size, RECORD_JOB, 4, &r), -EPROTONOSUPPORT);
        for (size_t size = 0; size < w.size; size++)
                assert_int_equal(record_open(w.data, size, RECORD_JOB, 3, &r), -EBADMSG);
        wire_put_u64(&headless, 1, 3);
        assert_int_equal(record_open(headless.data, headless.size, RECORD_JOB, 3, &r), -EBADMSG);
        wire_put_string(&text, 0x4457, "J");
        assert_int_equal(record_open(text.data, text.size, RECORD_JOB, 3, &r), -EBADMSG);
        wire_writer_done(&w);
        wire_writer_done(&headless);
        wire_writer_done(&text);
}

static void test_text(void **state)
{
        assert_true(record_text_is_valid("a b", 3));
        assert_false(record_text_is_valid("a bc", 3));
        assert_false(record_text_is_valid("", 3));
        assert_false(record_text_is_valid("a\n", 3));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "starts with magic, version and kind", test_layout },
                { "leaves the reader behind the header", test_open },
                { "tells damage, another kind and another version apart", test_others },
                { "takes text that can be shown and bounded", test_text },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
