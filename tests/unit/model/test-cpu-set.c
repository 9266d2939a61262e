/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/cpu-set.h"

static void expect_text(const char *text, const char *expected)
{
        char back[CPU_SET_TEXT_MAX];
        CpuSet set;

        assert_int_equal(cpu_set_parse(text, &set), 0);
        cpu_set_format(&set, back);
        assert_string_equal(back, expected);
}

static void test_parses(void **state)
{
        expect_text("", "");
        expect_text("0", "0");
        expect_text("0-3,5", "0-3,5");
        expect_text("5,0-3", "0-3,5");
        expect_text("0,1,2", "0-2");
        expect_text("0-1 3\n", "0-1,3");
        expect_text(",,7,", "7");
        expect_text("1022-1023", "1022-1023");
        expect_text("0-4,2-8", "0-8");
}

static void test_refuses(void **state)
{
        static const char *const bad[] = { "x",   "-1",  "1-", "3-1",   "1--2",
                                           "0x1", "1.5", "+1", "1-2-3", "1;2" };
        CpuSet set;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (cpu_set_parse(bad[i], &set) != -EINVAL)
                        fail_msg("'%s' is taken", bad[i]);
        assert_int_equal(cpu_set_parse("1024", &set), -ERANGE);
        assert_int_equal(cpu_set_parse("0-99999999999999999999", &set), -ERANGE);
}

/* The longest text there can be, back and forth. */
static void test_holds_all(void **state)
{
        CpuSet set, back;
        char text[CPU_SET_TEXT_MAX];

        for (size_t i = 0; i < CPU_SET_BYTES; i++)
                set.bits[i] = 0x55;
        cpu_set_format(&set, text);
        assert_int_equal(cpu_set_parse(text, &back), 0);
        assert_true(cpu_set_is_equal(&set, &back));
}

static void test_bytes(void **state)
{
        static const uint8_t mask[] = { 0x2f, 0, 0 };
        uint8_t large[CPU_SET_BYTES + 1] = { 1 };
        CpuSet set, same;

        assert_int_equal(cpu_set_from_bytes(mask, sizeof(mask), &set), 0);
        assert_int_equal(cpu_set_parse("0-3,5", &same), 0);
        assert_true(cpu_set_is_equal(&set, &same));
        assert_int_equal(cpu_set_size(&set), 1);
        assert_int_equal(cpu_set_from_bytes(large, sizeof(large), &set), 0);
        large[CPU_SET_BYTES] = 1;
        assert_int_equal(cpu_set_from_bytes(large, sizeof(large), &set), -ERANGE);
        assert_int_equal(cpu_set_from_bytes(NULL, 0, &set), 0);
        assert_int_equal(cpu_set_size(&set), 0);
}

static void test_beyond(void **state)
{
        CpuSet set, online;

        assert_int_equal(cpu_set_parse("0-7", &online), 0);
        assert_int_equal(cpu_set_parse("0,7", &set), 0);
        assert_int_equal(cpu_set_first_beyond(&set, &online), -1);
        assert_int_equal(cpu_set_parse("7-9", &set), 0);
        assert_int_equal(cpu_set_first_beyond(&set, &online), 8);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads numbers and ranges, and writes the shortest text", test_parses },
                { "refuses what is no list of processors", test_refuses },
                { "has room for the longest text", test_holds_all },
                { "reads systemd's bit mask", test_bytes },
                { "finds the first processor that is not there", test_beyond },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
