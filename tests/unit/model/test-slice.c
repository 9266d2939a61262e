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

#include "model/slice.h"

static void expect(const char *text, const char *expected)
{
        char *unit = NULL;

        assert_int_equal(slice_parse(text, &unit, NULL), 0);
        assert_string_equal(unit, expected);
        assert_true(slice_is_valid(unit));
        free(unit);
}

static void test_names(void **state)
{
        expect("web", "warden-web.slice");
        expect("warden-web.slice", "warden-web.slice");
        expect("web-eu", "warden-web-eu.slice");
        expect("a.b_C9", "warden-a.b_C9.slice");
        expect("warden", "warden-warden.slice");
}

static void test_refuses(void **state)
{
        static const char *const bad[] = {
                "",
                "-",
                "a-",
                "-a",
                "a--b",
                ".a",
                "a/b",
                "../x",
                "a b",
                "a\n",
                "warden-web",
                "web.slice",
                "warden-.slice",
                "warden--a.slice",
                "warden.slice",
                "system.slice",
                ".slice",
                "\xc3\xa4",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Fault fault = FAULT_INIT;
                char *unit = NULL;

                if (slice_parse(bad[i], &unit, &fault) != -EINVAL)
                        fail_msg("'%s' is taken as %s", bad[i], unit);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_memory_equal(fault.text, "Slice: ", 7);
                assert_false(slice_is_valid(bad[i]));
        }
}

static void test_length(void **state)
{
        char text[SLICE_NAME_MAX + 2], *unit = NULL;

        memset(text, 'a', sizeof(text));
        text[SLICE_NAME_MAX] = 0;
        assert_int_equal(slice_parse(text, &unit, NULL), 0);
        free(unit);
        text[SLICE_NAME_MAX] = 'a';
        text[SLICE_NAME_MAX + 1] = 0;
        assert_int_equal(slice_parse(text, &unit, NULL), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes a name and the unit's name for the same slice", test_names },
                { "refuses what is no slice below its own", test_refuses },
                { "bounds the length of a name", test_length },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
