/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/strv.h"
#include "model/environment.h"

#define STRV(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static void test_good(void **state)
{
        size_t total = 100;

        assert_int_equal(environment_validate(NULL, 0, NULL, NULL), 0);
        assert_int_equal(environment_validate(STRV("A=1", "B=", "C==x=\ny\t", "A=2", "a.b-c d=1"),
                                              1000, &total, NULL),
                         0);
        assert_int_equal(total, 100 + 3 + 2 + 8 + 3 + 9 + 5 * 9);
}

static void refuse(const char *entry, int error, const char *text)
{
        Fault fault = FAULT_INIT;
        size_t total = 5;

        assert_int_equal(environment_validate(STRV("A=1", entry), 1 << 20, &total, &fault), error);
        assert_string_equal(fault.text, text);
        assert_int_equal(total, 5);
}

static void test_bad(void **state)
{
        refuse("", -EINVAL, "Environment: an entry has no '=': every one is KEY=VALUE");
        refuse("SECRET", -EINVAL, "Environment: an entry has no '=': every one is KEY=VALUE");
        refuse("=x", -EINVAL, "Environment: an entry has nothing before its '='");
        refuse("A\nB=x", -EINVAL, "Environment: key 'A?B' contains control characters");
}

static void test_no_secrets(void **state)
{
        Fault fault = FAULT_INIT;
        char *big = calloc(1, STRING_MAX + 2);

        assert_non_null(big);
        memset(big, 's', STRING_MAX + 1);
        memcpy(big, "KEY=secret", 10);
        assert_int_equal(environment_validate(STRV(big), SIZE_MAX, NULL, &fault), -E2BIG);
        assert_string_equal(fault.text, "Environment: 'KEY' is longer than 131071 bytes");
        big[STRING_MAX] = 0;
        assert_int_equal(environment_validate(STRV(big), SIZE_MAX, NULL, NULL), 0);
        free(big);
}

static void test_total(void **state)
{
        char **two = STRV("A=1", "B=1");

        assert_int_equal(environment_validate(two, 2 * STRING_COST(3), NULL, NULL), 0);
        assert_int_equal(environment_validate(two, 2 * STRING_COST(3) - 1, NULL, NULL), -E2BIG);
}

static void test_count(void **state)
{
        char entry[] = "A=1", **many = calloc(ENVIRONMENT_MAX + 2, sizeof(char *));

        assert_non_null(many);
        for (size_t i = 0; i < ENVIRONMENT_MAX; i++)
                many[i] = entry;
        assert_int_equal(environment_validate(many, SIZE_MAX, NULL, NULL), 0);
        many[ENVIRONMENT_MAX] = entry;
        assert_int_equal(environment_validate(many, SIZE_MAX, NULL, NULL), -E2BIG);
        free(many);
}

static void expect_merge(char *const *under, char *const *over, char *const *expected)
{
        _drop_(drop_free) const char **merged = NULL;

        assert_int_equal(environment_merge(under, over, &merged), 0);
        for (size_t i = 0; expected[i]; i++) {
                assert_non_null(merged[i]);
                assert_string_equal(merged[i], expected[i]);
        }
        assert_null(merged[strv_length(expected)]);
}

static void test_merge(void **state)
{
        expect_merge(NULL, NULL, STRV(NULL));
        expect_merge(STRV("A=1"), NULL, STRV("A=1"));
        expect_merge(NULL, STRV("A=1"), STRV("A=1"));
        expect_merge(STRV("PATH=/bin", "HOME=/"), STRV("TERM=vt", "PATH=/usr/bin"),
                     STRV("PATH=/usr/bin", "HOME=/", "TERM=vt"));
        expect_merge(STRV("A=1", "AA=2", "A=3"), STRV("AAA=4", "A="), STRV("A=", "AA=2", "AAA=4"));
        expect_merge(STRV("Z=1", "Y=1", "X=1"), STRV("W=1"), STRV("Z=1", "Y=1", "X=1", "W=1"));
}

static void test_merge_many(void **state)
{
        _drop_(drop_free) const char **merged = NULL;
        char **under = calloc(ENVIRONMENT_MAX + 1, sizeof(char *));
        char **over = calloc(ENVIRONMENT_MAX + 1, sizeof(char *));

        assert_non_null(under);
        assert_non_null(over);
        for (int i = 0; i < ENVIRONMENT_MAX; i++) {
                assert_true(asprintf(&under[i], "KEY_%d=under", i) > 0);
                assert_true(asprintf(&over[i], "KEY_%d=over", ENVIRONMENT_MAX - i) > 0);
        }
        assert_int_equal(environment_merge(under, over, &merged), 0);
        assert_string_equal(merged[0], "KEY_0=under");
        for (int i = 1; i < ENVIRONMENT_MAX; i++)
                assert_ptr_equal(merged[i], over[ENVIRONMENT_MAX - i]);
        assert_ptr_equal(merged[ENVIRONMENT_MAX], over[0]);
        assert_null(merged[ENVIRONMENT_MAX + 1]);
        strv_free(under);
        strv_free(over);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes newlines and '=' in values and counts as execve does", test_good },
                { "refuses entries without a proper key", test_bad },
                { "bounds an entry, and never quotes a value", test_no_secrets },
                { "bounds the whole to the byte", test_total },
                { "bounds the number of entries", test_count },
                { "merges by key: the later counts, in the earlier's place", test_merge },
                { "merges the largest environments", test_merge_many },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
