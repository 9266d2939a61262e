/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/oom-count.h"

#define UNIT "warden-17ah2kqg0v3.scope"

static int find(const char *text, char path[256])
{
        char copy[1024];

        (void)snprintf(copy, sizeof(copy), "%s", text);
        (void)snprintf(path, 256, "untouched");
        return oom_count_find(copy, UNIT, path, 256);
}

static void test_v2(void **state)
{
        char path[256];

        assert_int_equal(find("0::/warden.slice/" UNIT "\n", path), 0);
        assert_string_equal(path, "/sys/fs/cgroup/warden.slice/" UNIT "/memory.events");
        assert_int_equal(find("0::/warden.slice/" UNIT "/below/it\n", path), 0);
        assert_string_equal(path, "/sys/fs/cgroup/warden.slice/" UNIT "/memory.events");
}

static void test_v1(void **state)
{
        static const char text[] = "12:pids:/warden.slice/" UNIT "\n"
                                   "0::/warden.slice/" UNIT "\n"
                                   "7:cpu,memory:/warden.slice/" UNIT "\n"
                                   "1:name=systemd:/warden.slice/" UNIT "\n";
        char path[256];

        assert_int_equal(find(text, path), 0);
        assert_string_equal(path, "/sys/fs/cgroup/memory/warden.slice/" UNIT "/memory.oom_control");
}

/* Without limits of memory, v1 has the processes further up: what is counted there is not ours. */
static void test_strangers(void **state)
{
        char path[256];

        assert_int_equal(find("7:memory:/warden.slice\n0::/warden.slice/" UNIT "\n", path),
                         -ENODATA);
        assert_int_equal(find("0::/warden.slice/" UNIT ".other\n", path), -ENODATA);
        assert_int_equal(find("0::/x" UNIT "\n", path), -ENODATA);
        assert_int_equal(find("3:memory_tests:/" UNIT "\n", path), -ENODATA);
        assert_int_equal(find("", path), -ENODATA);
        assert_int_equal(find("no colons\n1:one\n", path), -ENODATA);
        assert_string_equal(path, "untouched");
}

static void test_room(void **state)
{
        char text[] = "0::/" UNIT "\n", path[16] = "";

        assert_int_equal(oom_count_find(text, UNIT, path, sizeof(path)), -ENAMETOOLONG);
}

static void test_counter(void **state)
{
        uint64_t n = 42;

        assert_int_equal(oom_count_parse("low 0\nhigh 0\nmax 31\noom 4\noom_kill 3\n"
                                         "oom_group_kill 0\n",
                                         &n),
                         0);
        assert_int_equal(n, 3);
        assert_int_equal(
                oom_count_parse("oom_kill_disable 0\nunder_oom 1\noom_kill 18446744073709551615",
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
                assert_int_equal(oom_count_parse(texts[i], &n), -ENODATA);
        assert_int_equal(n, 42);
}

/* We run in no unit of that name. */
static void test_real(void **state)
{
        uint64_t n = 42;

        assert_int_equal(oom_count_read((uint32_t)getpid(), UNIT, &n), -ENODATA);
        assert_int_equal(oom_count_read(INT32_MAX, UNIT, &n), -ENOENT);
        assert_int_equal(n, 42);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "finds memory.events where there is one hierarchy", test_v2 },
                { "prefers the hierarchy that has the controller", test_v1 },
                { "does not take the counter of others", test_strangers },
                { "refuses a path that is too long", test_room },
                { "reads the counter of both kinds of file", test_counter },
                { "says when there is no counter", test_no_counter },
                { "reads nothing of a process outside of the unit", test_real },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
