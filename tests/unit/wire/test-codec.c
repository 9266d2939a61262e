/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/strv.h"
#include "wire/codec.h"

static void test_layout(void **state)
{
        static const uint8_t expected[] = {
                0x34, 0x12, 8, 0, 0, 0, 8,   7,   6, 5, 4, 3, 2,    1, /* a number */
                2,    0,    3, 0, 0, 0, 'h', 'i', 0,                   /* a string */
                3,    0,    7, 0, 0, 0, 4,   0,   1, 0, 0, 0, 0xff,    /* a sequence of one */
        };
        WireWriter w = WIRE_WRITER_INIT;
        size_t mark;

        wire_put_u64(&w, 0x1234, UINT64_C(0x0102030405060708));
        wire_put_string(&w, 2, "hi");
        mark = wire_begin(&w, 3);
        wire_put_bytes(&w, 4, "\xff", 1);
        wire_end(&w, mark);
        assert_int_equal(w.error, 0);
        assert_int_equal(w.size, sizeof(expected));
        assert_memory_equal(w.data, expected, sizeof(expected));
        wire_writer_done(&w);
        assert_null(w.data);
}

static void test_read_back(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        WireReader r;
        WireField f;
        const char *s;
        uint64_t number;

        wire_put_u64(&w, 1, UINT64_MAX);
        wire_put_string(&w, 65535, "");
        wire_put_bytes(&w, 3, NULL, 0);
        r = WIRE_READER(w.data, w.size);
        assert_int_equal(wire_next(&r, &f), 1);
        assert_int_equal(f.tag, 1);
        assert_int_equal(wire_get_u64(&f, &number), 0);
        assert_true(number == UINT64_MAX);
        assert_int_equal(wire_next(&r, &f), 1);
        assert_int_equal(f.tag, 65535);
        assert_int_equal(wire_get_string(&f, &s), 0);
        assert_string_equal(s, "");
        assert_int_equal(wire_next(&r, &f), 1);
        assert_int_equal(f.size, 0);
        assert_int_equal(wire_next(&r, &f), 0);
        assert_int_equal(wire_next(&r, &f), 0);
        wire_writer_done(&w);
}

static void test_nesting(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        size_t outer, inner;
        WireReader r;
        WireField f;

        outer = wire_begin(&w, 1);
        inner = wire_begin(&w, 2);
        wire_put_string(&w, 3, "deep");
        wire_end(&w, inner);
        wire_end(&w, outer);
        r = WIRE_READER(w.data, w.size);
        for (uint16_t tag = 1; tag <= 3; tag++) {
                assert_int_equal(wire_next(&r, &f), 1);
                assert_int_equal(f.tag, tag);
                assert_int_equal(r.offset, r.size);
                r = WIRE_READER(f.data, f.size);
        }
        assert_string_equal(f.data, "deep");
        wire_writer_done(&w);
}

static void test_null_strings(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;

        wire_put_string(&w, 1, NULL);
        wire_put_strv(&w, 1, NULL);
        assert_int_equal(w.size, 0);
        assert_int_equal(w.error, 0);
        wire_writer_done(&w);
}

static void test_fixed(void **state)
{
        uint8_t buffer[20];
        WireWriter w = WIRE_WRITER_FIXED(buffer, 14);

        buffer[14] = 0xaa;
        wire_put_u64(&w, 1, 7);
        assert_int_equal(w.error, 0);
        assert_int_equal(w.size, 14);
        wire_put_bytes(&w, 2, NULL, 0);
        assert_int_equal(w.error, -EMSGSIZE);
        wire_put_u64(&w, 3, 7);
        assert_int_equal(w.size, 14);
        assert_int_equal(buffer[14], 0xaa);
        wire_writer_done(&w); /* the buffer is ours */
}

static void test_fixed_nested(void **state)
{
        uint8_t buffer[9];
        WireWriter w = WIRE_WRITER_FIXED(buffer, sizeof(buffer));
        size_t mark = wire_begin(&w, 1);

        wire_put_u64(&w, 2, 7);
        assert_int_equal(w.error, -EMSGSIZE);
        wire_end(&w, mark);
        assert_int_equal(w.error, -EMSGSIZE);
        wire_end(&w, wire_begin(&w, 3));
        assert_int_equal(w.size, 6);
}

static void test_growth(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        WireReader r;
        WireField f;
        uint64_t number;
        size_t mark = wire_begin(&w, 1);

        for (uint64_t i = 0; i < 10000; i++)
                wire_put_u64(&w, 2, i);
        wire_end(&w, mark);
        assert_int_equal(w.error, 0);
        r = WIRE_READER(w.data, w.size);
        assert_int_equal(wire_next(&r, &f), 1);
        assert_int_equal(f.size, 140000);
        r = WIRE_READER(f.data, f.size);
        for (uint64_t i = 0; i < 10000; i++) {
                assert_int_equal(wire_next(&r, &f), 1);
                assert_int_equal(wire_get_u64(&f, &number), 0);
                assert_int_equal(number, i);
        }
        wire_writer_done(&w);
}

static void test_truncation(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;

        wire_put_u64(&w, 1, 1);
        wire_put_string(&w, 2, "text");
        for (size_t size = 0; size < w.size; size++) {
                WireReader r = WIRE_READER(w.data, size);
                WireField f;
                int k;

                while ((k = wire_next(&r, &f)) > 0)
                        assert_true(f.data + f.size <= w.data + size);
                /* Only between two fields may it end. */
                assert_int_equal(k, size == 0 || size == 14 ? 0 : -EBADMSG);
        }
        wire_writer_done(&w);
}

static void test_oversized(void **state)
{
        static const uint8_t data[] = { 1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
        WireReader r = WIRE_READER(data, sizeof(data));
        WireField f;

        assert_int_equal(wire_next(&r, &f), -EBADMSG);
        assert_int_equal(r.offset, 0);
        r = WIRE_READER(NULL, 0);
        assert_int_equal(wire_next(&r, &f), 0);
}

static WireField field(const void *data, size_t size)
{
        return (WireField){ .tag = 1, .data = data, .size = size };
}

static void test_numbers(void **state)
{
        static const uint8_t big[8] = { 0, 0, 0, 0, 1 }, small[8] = { 0xff, 0xff, 0xff, 0xff };
        static const uint8_t one[8] = { 1 }, two[8] = { 2 };
        WireField f = field(big, 8);
        uint64_t u64 = 5;
        uint32_t u32 = 5;
        int flag = 5;

        assert_int_equal(wire_get_u32(&f, &u32), -EBADMSG);
        assert_int_equal(wire_get_u64(&f, &u64), 0);
        assert_true(u64 == UINT64_C(1) << 32);
        f = field(small, 8);
        assert_int_equal(u32, 5);
        assert_int_equal(wire_get_u32(&f, &u32), 0);
        assert_int_equal(u32, UINT32_MAX);
        f = field(big, 7);
        assert_int_equal(wire_get_u64(&f, &u64), -EBADMSG);
        assert_int_equal(wire_get_u32(&f, &u32), -EBADMSG);
        f = field(two, 8);
        assert_int_equal(wire_get_flag(&f, &flag), -EBADMSG);
        assert_int_equal(flag, 5);
        f = field(one, 8);
        assert_int_equal(wire_get_flag(&f, &flag), 0);
        assert_int_equal(flag, 1);
}

static void test_strings(void **state)
{
        const char *s = "untouched";
        WireField f = field("", 0);

        assert_int_equal(wire_get_string(&f, &s), -EBADMSG);
        f = field("abc", 3); /* the NUL is outside */
        assert_int_equal(wire_get_string(&f, &s), -EBADMSG);
        f = field("a\0b", 4);
        assert_int_equal(wire_get_string(&f, &s), -EBADMSG);
        f = field("a\0", 3);
        assert_int_equal(wire_get_string(&f, &s), -EBADMSG);
        assert_string_equal(s, "untouched");
        f = field("abc", 4);
        assert_int_equal(wire_get_string(&f, &s), 0);
        assert_string_equal(s, "abc");
}

static void test_dup(void **state)
{
        char *s = NULL;
        WireField f = field("first", 6);

        assert_int_equal(wire_dup_string(&f, &s), 0);
        f = field("bad", 3);
        assert_int_equal(wire_dup_string(&f, &s), -EBADMSG);
        assert_string_equal(s, "first");
        f = field("second", 7);
        assert_int_equal(wire_dup_string(&f, &s), 0);
        assert_string_equal(s, "second");
        free(s);
}

static void test_dup_strv(void **state)
{
        _drop_(drop_strv) char **v = NULL, **none = NULL, **bad = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        wire_put_string(&w, 1, "a");
        wire_put_u64(&w, 2, 7);
        wire_put_string(&w, 1, "");
        assert_int_equal(wire_dup_strv(WIRE_READER(w.data, w.size), 1, &v), 0);
        assert_int_equal(strv_length(v), 2);
        assert_string_equal(v[0], "a");
        assert_string_equal(v[1], "");
        assert_int_equal(wire_dup_strv(WIRE_READER(w.data, w.size), 3, &none), 0);
        assert_non_null(none);
        assert_null(none[0]);
        assert_int_equal(wire_dup_strv(WIRE_READER(w.data, w.size - 1), 1, &bad), -EBADMSG);
        wire_put_bytes(&w, 1, "x", 1);
        assert_int_equal(wire_dup_strv(WIRE_READER(w.data, w.size), 1, &bad), -EBADMSG);
        assert_null(bad);
        wire_writer_done(&w);
}

static void test_once(void **state)
{
        uint64_t seen = 0;

        assert_int_equal(wire_once(&seen, 1), 0);
        assert_int_equal(wire_once(&seen, 63), 0);
        assert_int_equal(wire_once(&seen, 1), -EBADMSG);
        assert_int_equal(wire_once(&seen, 63), -EBADMSG);
        assert_int_equal(wire_once(&seen, 64), -EBADMSG);
        assert_true(seen == (UINT64_C(1) << 63 | 2));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "lays fields out little-endian, tag, size, bytes", test_layout },
                { "reads back what it wrote", test_read_back },
                { "nests sequences", test_nesting },
                { "writes nothing for no string", test_null_strings },
                { "stays within a buffer that does not grow", test_fixed },
                { "stays within it in nested sequences too", test_fixed_nested },
                { "grows, and fills in the size of a sequence that has moved", test_growth },
                { "notices each cut inside a field", test_truncation },
                { "believes no size beyond the end", test_oversized },
                { "takes numbers of the right size and range only", test_numbers },
                { "takes strings with one NUL, at the end", test_strings },
                { "keeps the old string when the new one is bad", test_dup },
                { "collects the strings of one tag", test_dup_strv },
                { "notices a tag that comes twice", test_once },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
