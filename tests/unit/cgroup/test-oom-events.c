/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cgroup/oom-events.h"

static void test_counter(void **state)
{
        uint64_t n = 42;

        assert_int_equal(oom_events_parse("low 0\nhigh 0\nmax 31\noom 4\noom_kill 3\n"
                                          "oom_group_kill 0\n",
                                          &n),
                         0);
        assert_int_equal(n, 3);
        assert_int_equal(
                oom_events_parse("oom_kill_disable 0\nunder_oom 1\noom_kill 18446744073709551615",
                                 &n),
                0);
        assert_true(n == UINT64_MAX);
}

static void test_no_counter(void **state)
{
        static const char *const texts[] = {
                "",
                "\n\n",
                "oom_kill_disable 0\nunder_oom 0\n",
                "oom_kill \n",
                "oom_kill x\n",
                "oom_kill 99999999999999999999999999\n",
                "oom_kill 18446744073709551616\n",
                " oom_kill 1\n",
        };
        uint64_t n = 42;

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                assert_int_equal(oom_events_parse(texts[i], &n), -ENODATA);
        assert_int_equal(n, 42);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads the counter of both kinds of file", test_counter },
                { "says when there is no counter", test_no_counter },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
