/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "ctl/text.h"

static void expect_escaped(const char *text, const char *expected)
{
        char *escaped = text_escape(text);

        assert_non_null(escaped);
        assert_string_equal(escaped, expected);
        free(escaped);
}

static void test_escape(void **state)
{
        expect_escaped("", "");
        expect_escaped("plain text", "plain text");
        expect_escaped("a\nb\tc\rd", "a\\nb\\tc\\rd");
        expect_escaped("\033[31mred", "\\x1b[31mred");
        expect_escaped("\x7f\x01", "\\x7f\\x01");
        expect_escaped("Grü\xc3\x9f", "Grü\xc3\x9f");
        expect_escaped("\xff\xc3", "\\xff\\xc3");
        /* U+009B is a control sequence introducer in one character. */
        expect_escaped("\xc2\x9bm", "\\xc2\\x9bm");
}

static void test_width(void **state)
{
        assert_int_equal(text_width(""), 0);
        assert_int_equal(text_width("abc"), 3);
        assert_int_equal(text_width("äöü"), 3);
        assert_int_equal(text_width("漢字"), 4);
        assert_int_equal(text_width("e\xcc\x81"), 1); /* a combining accent */
        assert_int_equal(text_width("\xff"), 1);
}

static void expect_ellipsized(const char *text, size_t width, const char *expected)
{
        char *shown = text_ellipsize(text, width);

        assert_non_null(shown);
        assert_string_equal(shown, expected);
        assert_true(text_width(shown) <= width);
        free(shown);
}

static void test_ellipsize(void **state)
{
        expect_ellipsized("abcdef", 6, "abcdef");
        expect_ellipsized("abcdef", 100, "abcdef");
        expect_ellipsized("abcdef", 5, "abcd…");
        expect_ellipsized("abcdef", 1, "…");
        expect_ellipsized("abcdef", 0, "");
        expect_ellipsized("", 0, "");
        expect_ellipsized("äöüß", 3, "äö…");
        expect_ellipsized("漢字漢字", 6, "漢字…"); /* half of a wide one cannot be shown */
}

static void test_utf8(void **state)
{
        static const char *const good[] = { "", "abc", "ä", "€", "😀", "\xf4\x8f\xbf\xbf" };
        static const char *const bad[] = {
                "\x80", /* begins in the middle */
                "\xc3", /* ends in the middle */
                "\xc3x",
                "\xc0\x80", /* longer than needed */
                "\xe0\x80\xaf",
                "\xf0\x80\x80\xaf",
                "\xed\xa0\x80",     /* half of a surrogate pair */
                "\xf4\x90\x80\x80", /* beyond the last character */
                "\xf8\x88\x80\x80\x80",
                "\xff",
                "good\xfe",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(text_is_utf8(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(text_is_utf8(bad[i]));
}

static void test_nearest(void **state)
{
        static const char *const words[] = {
                "create", "run", "exec", "list", "ls", "destroy", NULL
        };

        assert_string_equal(text_nearest("lsit", words), "list");
        assert_string_equal(text_nearest("exce", words), "exec");
        assert_string_equal(text_nearest("crate", words), "create");
        assert_string_equal(text_nearest("rnu", words), "run");
        assert_string_equal(text_nearest("destory", words), "destroy");
        assert_string_equal(text_nearest("dest", words), "destroy");
        assert_null(text_nearest("xyzzy", words));
        assert_null(text_nearest("", words));
        assert_null(text_nearest("r", words));
        assert_null(text_nearest("a-word-that-is-longer-than-any-name-of-ours", words));
}

static void expect_span(uint64_t usec, const char *expected)
{
        char text[TEXT_SPAN_MAX];

        text_format_span(usec, text);
        assert_string_equal(text, expected);
}

static void test_span(void **state)
{
        expect_span(0, "0s");
        expect_span(999999, "0s");
        expect_span(59 * USEC_PER_SEC, "59s");
        expect_span(60 * USEC_PER_SEC, "1min");
        expect_span(200 * USEC_PER_SEC, "3min 20s");
        expect_span(7500 * USEC_PER_SEC, "2h 5min");
        expect_span((5 * 86400 + 3 * 3600 + 59) * USEC_PER_SEC, "5d 3h");
        expect_span(UINT64_MAX, "213503982d 8h");
}

static void expect_bytes(uint64_t bytes, const char *expected)
{
        char text[TEXT_BYTES_MAX];

        text_format_bytes(bytes, text);
        assert_string_equal(text, expected);
}

static void test_bytes(void **state)
{
        expect_bytes(0, "0");
        expect_bytes(1023, "1023");
        expect_bytes(1024, "1K");
        expect_bytes(UINT64_C(512) << 20, "512M");
        expect_bytes((UINT64_C(3) << 30) / 2, "1.5G");
        expect_bytes(UINT64_C(2) << 40, "2T");
        expect_bytes(UINT64_MAX - 1, "16777215.9T");
        expect_bytes(UINT64_MAX, "infinity");
}

static void test_other_locale(void **state)
{
        assert_non_null(setlocale(LC_CTYPE, "C"));
        expect_ellipsized("abcdef", 4, "abc.");
        expect_escaped("\xc3\xa4", "\\xc3\\xa4");
        assert_true(text_is_utf8("ä"));
        assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "escapes what a terminal would obey", test_escape },
                { "knows how wide characters are", test_width },
                { "cuts to the width and says so", test_ellipsize },
                { "knows UTF-8 from what is not", test_utf8 },
                { "finds the word that was meant", test_nearest },
                { "writes times with two units", test_span },
                { "writes sizes for people", test_bytes },
                { "shows nothing that the locale cannot", test_other_locale },
        };

        if (!setlocale(LC_CTYPE, "C.UTF-8"))
                return EXIT_FAILURE;
        return cmocka_run_group_tests_name("ctl/text", tests, NULL, NULL);
}
