/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "basic/parse.h"

typedef struct NumberCase {
        const char *text;
        int result;
        uint64_t value;
} NumberCase;

static void walk(int (*parse)(const char *, uint64_t *), const NumberCase *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint64_t value = 4711;

                if (parse(cases[i].text, &value) != cases[i].result)
                        fail_msg("'%s' is not answered with %d", cases[i].text, cases[i].result);
                if (value != (cases[i].result < 0 ? 4711 : cases[i].value))
                        fail_msg("'%s' gives another value", cases[i].text);
        }
}

static void test_u64(void **state)
{
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "007", 0, 7 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE },
                { "99999999999999999999999", -ERANGE },
                { "", -EINVAL },
                { " 1", -EINVAL },
                { "1 ", -EINVAL },
                { "+1", -EINVAL },
                { "-1", -EINVAL },
                { "0x10", -EINVAL },
                { "1\n", -EINVAL },
        };

        walk(parse_u64, cases, ELEMENTSOF(cases));
}

static void test_u32(void **state)
{
        uint32_t value = 4711;

        assert_int_equal(parse_u32("4294967296", &value), -ERANGE);
        assert_int_equal(parse_u32("12a", &value), -EINVAL);
        assert_int_equal(value, 4711);
        assert_int_equal(parse_u32("4294967295", &value), 0);
        assert_int_equal(value, UINT32_MAX);
}

static void test_boolean(void **state)
{
        static const char *const yes[] = { "1", "yes", "YES", "true", "on", "y", "T" };
        static const char *const no[] = { "0", "no", "No", "false", "off", "n", "F" };
        static const char *const neither[] = { "", "2", "01", "yess", " yes", "ja" };
        int value;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                value = -1;
                assert_int_equal(parse_boolean(yes[i], &value), 0);
                assert_int_equal(value, 1);
        }
        for (size_t i = 0; i < ELEMENTSOF(no); i++) {
                value = -1;
                assert_int_equal(parse_boolean(no[i], &value), 0);
                assert_int_equal(value, 0);
        }
        value = -1;
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                assert_int_equal(parse_boolean(neither[i], &value), -EINVAL);
        assert_int_equal(value, -1);
}

static void test_size(void **state)
{
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "1048576", 0, 1048576 },
                { "1B", 0, 1 },
                { "512K", 0, 512 * 1024 },
                { "64M", 0, UINT64_C(64) << 20 },
                { "2G", 0, UINT64_C(2) << 30 },
                { "3T", 0, UINT64_C(3) << 40 },
                { "infinity", 0, UINT64_MAX },
                { "16777215T", 0, UINT64_C(16777215) << 40 },
                { "16777216T", -ERANGE },            /* 2^64 */
                { "18446744073709551615", -ERANGE }, /* would be infinity */
                { "18446744073709551614", 0, UINT64_MAX - 1 },
                { "", -EINVAL },
                { "M", -EINVAL },
                { "1m", -EINVAL },
                { "1MB", -EINVAL },
                { "1 M", -EINVAL },
                { "1.5M", -EINVAL },
                { "-1M", -EINVAL },
                { "Infinity", -EINVAL },
        };

        walk(parse_size_bytes, cases, ELEMENTSOF(cases));
}

static void test_time(void **state)
{
        static const NumberCase cases[] = {
                { "10", 0, 10 * USEC_PER_SEC },
                { "10s", 0, 10 * USEC_PER_SEC },
                { "10sec", 0, 10 * USEC_PER_SEC },
                { "250ms", 0, 250 * USEC_PER_MSEC },
                { "7us", 0, 7 },
                { "5min", 0, 300 * USEC_PER_SEC },
                { "5m", 0, 300 * USEC_PER_SEC },
                { "2h", 0, 7200 * USEC_PER_SEC },
                { "infinity", 0, USEC_INFINITY },
                { "18446744073710", -ERANGE },
                { "5M", -EINVAL },
                { "5 min", -EINVAL },
                { "1min 30s", -EINVAL },
                { "", -EINVAL },
        };

        walk(parse_time_usec, cases, ELEMENTSOF(cases));
}

static void test_signal(void **state)
{
        static const struct {
                const char *text;
                int result, value;
        } cases[] = {
                { "TERM", 0, SIGTERM },
                { "SIGTERM", 0, SIGTERM },
                { "sigkill", 0, SIGKILL },
                { "HUP", 0, SIGHUP },
                { "15", 0, 15 },
                { "64", 0, 64 },
                { "WINCH", 0, SIGWINCH },
                { "SYS", 0, SIGSYS },
                { "CHLD", 0, SIGCHLD },
                { "0", -ERANGE, -1 },
                { "65", -ERANGE, -1 },
                { "SIG", -EINVAL, -1 },
                { "", -EINVAL, -1 },
                { "SIGSIGTERM", -EINVAL, -1 },
                { "TERMINATE", -EINVAL, -1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int value = -1;

                if (parse_signal(cases[i].text, &value) != cases[i].result)
                        fail_msg("'%s' is not answered with %d", cases[i].text, cases[i].result);
                assert_int_equal(value, cases[i].value);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes digits and nothing else as a number, up to 64 bits", test_u64 },
                { "refuses what does not fit into 32 bits", test_u32 },
                { "takes systemd's words for yes and no", test_boolean },
                { "takes sizes with one upper-case unit of 1024", test_size },
                { "takes times with a unit, or seconds", test_time },
                { "takes signals by name, with and without SIG, and by number", test_signal },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
