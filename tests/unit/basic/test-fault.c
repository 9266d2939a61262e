/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/fault.h"

static void test_set(void **state)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(fault_set(&fault, FAULT_INVALID, -EINVAL, "Name: '%s' is bad", "x y"),
                         -EINVAL);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_int_equal(fault.error, -EINVAL);
        assert_string_equal(fault.text, "Name: 'x y' is bad");
}

static void test_first_wins(void **state)
{
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, FAULT_NOT_FOUND, -ENOENT, "inner");
        assert_int_equal(fault_set(&fault, FAULT_FAILED, -EIO, "outer"), -EIO);
        assert_int_equal(fault.kind, FAULT_NOT_FOUND);
        assert_int_equal(fault.error, -ENOENT);
        assert_string_equal(fault.text, "inner");
}

static void test_null(void **state)
{
        assert_int_equal(fault_set(NULL, FAULT_FAILED, -EIO, "%d", 1), -EIO);
        assert_int_equal(fault_prefix(NULL, "stage"), 0);
}

static void test_errno_text(void **state)
{
        Fault fault = FAULT_INIT;
        char expected[128];

        (void)snprintf(expected, sizeof(expected), "Cannot open: %s", strerror(ENOTDIR));
        errno = EPIPE;
        (void)fault_set(&fault, FAULT_FAILED, -ENOTDIR, "Cannot open: %m");
        assert_string_equal(fault.text, expected);
}

static void test_prefix(void **state)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(fault_prefix(&fault, "mount"), 0);
        assert_string_equal(fault.text, "");
        (void)fault_set(&fault, FAULT_FAILED, -EIO, "bad disk");
        assert_int_equal(fault_prefix(&fault, "overlay"), -EIO);
        assert_int_equal(fault_prefix(&fault, "root"), -EIO);
        assert_string_equal(fault.text, "root: overlay: bad disk");
}

static void test_bounds(void **state)
{
        Fault fault = FAULT_INIT;
        char big[2 * FAULT_TEXT_MAX];

        memset(big, 'a', sizeof(big) - 1);
        big[sizeof(big) - 1] = 0;
        (void)fault_set(&fault, FAULT_FAILED, -EIO, "%s", big);
        assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
        (void)fault_prefix(&fault, "b");
        assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
        assert_memory_equal(fault.text, "b: aa", 5);
        (void)fault_prefix(&fault, big);
        assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
        assert_memory_equal(fault.text, "aaaa", 4);
}

static void expect_text(const char *given, const char *shown)
{
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, FAULT_FAILED, -EIO, "%s", given);
        assert_string_equal(fault.text, shown);
}

static void test_utf8_kept(void **state)
{
        expect_text("gr\xc3\xbc\xc3\x9f \xe2\x86\x92 \xf0\x9f\x90\xa7",
                    "gr\xc3\xbc\xc3\x9f \xe2\x86\x92 \xf0\x9f\x90\xa7");
        expect_text("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
                    "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

static void test_unprintable(void **state)
{
        expect_text("a\nb\x1b[2Jc\x7f", "a?b?[2Jc?");
        expect_text("\xff\xc0\xaf", "???");      /* never in UTF-8 */
        expect_text("\xe0\x80\xaf", "???");      /* overlong */
        expect_text("\xed\xa0\x80", "???");      /* a surrogate */
        expect_text("\xf4\x90\x80\x80", "????"); /* beyond Unicode */
        expect_text("\xc2\x9bK", "??K");         /* CSI as one C1 character */
        expect_text("\xc2", "?");                /* cut off */
        expect_text("\xe2\x86 x", "?? x");       /* cut in the middle */
}

static void test_cut_character(void **state)
{
        Fault fault = FAULT_INIT;
        char big[FAULT_TEXT_MAX + 2];

        /* The two bytes of the last character stand on both sides of the end. */
        memset(big, 'a', sizeof(big));
        memcpy(big + FAULT_TEXT_MAX - 2, "\xc3\xbc", 3);
        (void)fault_set(&fault, FAULT_FAILED, -EIO, "%s", big);
        assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
        assert_int_equal(fault.text[FAULT_TEXT_MAX - 2], '?');
}

static void test_kinds(void **state)
{
        for (int i = 0; i < _FAULT_MAX; i++) {
                assert_non_null(fault_kind_to_string((FaultKind)i));
                assert_int_equal(fault_kind_from_string(fault_kind_to_string((FaultKind)i)), i);
        }
        assert_null(fault_kind_to_string(_FAULT_MAX));
        assert_null(fault_kind_to_string(_FAULT_INVALID));
        assert_int_equal(fault_kind_from_string("nonsense"), _FAULT_INVALID);
        assert_int_equal(fault_kind_from_string(""), _FAULT_INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "keeps kind, errno and the formatted text", test_set },
                { "keeps the first of two faults", test_first_wins },
                { "takes no fault at all", test_null },
                { "shows the given error for %m, not errno", test_errno_text },
                { "puts stages in front, the outermost first", test_prefix },
                { "cuts long texts and long stages at the end", test_bounds },
                { "keeps every kind of valid UTF-8", test_utf8_kept },
                { "replaces control characters and what is not UTF-8", test_unprintable },
                { "leaves no half character where a text was cut", test_cut_character },
                { "names every kind and finds it by its name", test_kinds },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
