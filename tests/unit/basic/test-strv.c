/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "basic/strv.h"

static void expect(char *const *v, char *const *expected)
{
        assert_int_equal(strv_length(v), strv_length(expected));
        for (size_t i = 0; expected[i]; i++)
                assert_string_equal(v[i], expected[i]);
}

#define STRV(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })
#define EXPECT(v, ...) expect((v), STRV(__VA_ARGS__))

static void test_empty(void **state)
{
        _drop_(drop_strv) char **copy = NULL;

        assert_int_equal(strv_length(NULL), 0);
        assert_null(strv_free(NULL));
        assert_int_equal(strv_copy(NULL, &copy), 0);
        assert_non_null(copy);
        assert_null(copy[0]);
        assert_true(strv_equal(NULL, copy));
}

static void test_append(void **state)
{
        _drop_(drop_strv) char **v = NULL;
        char text[] = "b";

        assert_int_equal(strv_append(&v, "a"), 0);
        assert_int_equal(strv_append(&v, text), 0);
        text[0] = 'x';
        assert_int_equal(strv_append(&v, ""), 0);
        EXPECT(v, "a", "b", "");
}

static void test_copy(void **state)
{
        _drop_(drop_strv) char **v = NULL, **copy = NULL;

        assert_int_equal(strv_append(&v, "a"), 0);
        assert_int_equal(strv_append(&v, "b"), 0);
        assert_int_equal(strv_copy(v, &copy), 0);
        v[0][0] = 'x';
        EXPECT(copy, "a", "b");
}

static void test_equal(void **state)
{
        assert_true(strv_equal(STRV("a", "b"), STRV("a", "b")));
        assert_false(strv_equal(STRV("a", "b"), STRV("b", "a")));
        assert_false(strv_equal(STRV("a", "b"), STRV("a")));
        assert_false(strv_equal(STRV("a"), STRV(NULL)));
        assert_true(strv_equal(STRV(NULL), NULL));
}

static void test_env_set(void **state)
{
        _drop_(drop_strv) char **v = NULL;

        assert_int_equal(strv_env_set(&v, "PATH=/bin"), 0);
        assert_int_equal(strv_env_set(&v, "PATHS=x"), 0);
        assert_int_equal(strv_env_set(&v, "PATH=/usr/bin=1"), 0);
        assert_int_equal(strv_env_set(&v, "EMPTY="), 0);
        EXPECT(v, "PATH=/usr/bin=1", "PATHS=x", "EMPTY=");
}

static void test_env_set_bad(void **state)
{
        _drop_(drop_strv) char **v = NULL;

        assert_int_equal(strv_env_set(&v, "NOVALUE"), -EINVAL);
        assert_int_equal(strv_env_set(&v, "=value"), -EINVAL);
        assert_int_equal(strv_env_set(&v, ""), -EINVAL);
        assert_null(v);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes NULL for an empty vector", test_empty },
                { "appends copies and keeps the end", test_append },
                { "copies deeply", test_copy },
                { "compares texts, order and length", test_equal },
                { "replaces a variable of the very same key only", test_env_set },
                { "refuses a variable without key or '='", test_env_set_bad },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
