/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/path.h"

static void test_normal(void **state)
{
        static const char *const paths[] = {
                "/",      "/a",   "/a/b",   "/.a",       "/..a",
                "/a/...", "/a b", "/a:b,c", "/\xc3\xbc", "/a/.b/..c/d"
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (!path_is_normal(paths[i]))
                        fail_msg("'%s' is refused", paths[i]);
}

#define TWO \
        "/" \
        "/" /* apart, so that it is not taken for a comment */

static void test_complaints(void **state)
{
        static const struct {
                const char *path, *text;
        } cases[] = {
                { "", "F: part '' is not an absolute path" },
                { "x", "F: part 'x' is not an absolute path" },
                { "./x", "F: part './x' is not an absolute path" },
                { "//", "F: part '//' has a doubled or trailing slash" },
                { "/a/", "F: part '/a/' has a doubled or trailing slash" },
                { "//a", "F: part '//a' has a doubled or trailing slash" },
                { "/a" TWO "b", "F: part '/a" TWO "b' has a doubled or trailing slash" },
                { "/.", "F: part '/.' has a '.' component" },
                { "/a/./b", "F: part '/a/./b' has a '.' component" },
                { "/..", "F: part '/..' has a '..' component" },
                { "/a/../b", "F: part '/a/../b' has a '..' component" },
                { "/a\nb", "F: part '/a?b' contains control characters" },
                { "/\x7f", "F: part '/?' contains control characters" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Fault fault = FAULT_INIT;

                assert_false(path_is_normal(cases[i].path));
                assert_int_equal(path_check(cases[i].path, "F", "part", &fault), -EINVAL);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_string_equal(fault.text, cases[i].text);
        }
}

static void test_whole_field(void **state)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(path_check("/a", "RootDirectory", NULL, &fault), 0);
        assert_int_equal(fault.kind, FAULT_NONE);
        assert_int_equal(path_check("a", "RootDirectory", NULL, &fault), -EINVAL);
        assert_string_equal(fault.text, "RootDirectory: 'a' is not an absolute path");
}

static void test_length(void **state)
{
        char path[PATH_MAX + 1];

        memset(path, 'p', sizeof(path));
        path[0] = '/';
        path[PATH_MAX - 1] = 0;
        assert_true(path_is_normal(path));
        path[PATH_MAX - 1] = 'p';
        path[PATH_MAX] = 0;
        assert_false(path_is_normal(path));
}

static void test_printable(void **state)
{
        assert_true(string_is_printable(""));
        assert_true(string_is_printable("a b\xc3\xbc~"));
        assert_false(string_is_printable("a\tb"));
        assert_false(string_is_printable("\x1b[0m"));
        assert_false(string_is_printable("a\x7f"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes the one normal spelling of absolute paths", test_normal },
                { "says why another spelling is refused", test_complaints },
                { "names the field alone when it has no parts", test_whole_field },
                { "takes paths as long as the kernel does", test_length },
                { "tells control characters from text", test_printable },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
