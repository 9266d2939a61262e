/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/bus/bus-cgroup.h"

#define UNIT "warden-0123456789a.scope"

static void assert_cut(const char *path, const char *expected)
{
        char buffer[256];

        (void)snprintf(buffer, sizeof(buffer), "%s", path);
        assert_int_equal(bus_cgroup_cut(buffer, UNIT), expected ? 0 : -ENODATA);
        assert_string_equal(buffer, expected ? expected : path);
}

static void test_keeps_scope(void **state)
{
        assert_cut("/warden.slice/" UNIT, "/warden.slice/" UNIT);
}

static void test_cuts_below(void **state)
{
        assert_cut("/warden.slice/" UNIT "/payload/x", "/warden.slice/" UNIT);
        assert_cut("/warden.slice/" UNIT "/bad\xff\xfe", "/warden.slice/" UNIT);
        assert_cut("/warden.slice/" UNIT "/" UNIT, "/warden.slice/" UNIT);
}

static void test_wants_whole_component(void **state)
{
        assert_cut("/warden.slice/x" UNIT, NULL);
        assert_cut("/warden.slice/" UNIT "x", NULL);
        assert_cut("/warden.slice/x" UNIT "/" UNIT "/y", "/warden.slice/x" UNIT "/" UNIT);
        assert_cut("/system.slice/other.service", NULL);
        assert_cut("/", NULL);
        assert_cut("", NULL);
        assert_cut(UNIT, NULL);
}

static void test_mode(void **state)
{
        const char *mode = bus_cgroup_mode();

        assert_true(strcmp(mode, "unified") == 0 || strcmp(mode, "hybrid") == 0 ||
                    strcmp(mode, "legacy") == 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "keeps the path of a scope", test_keeps_scope, NULL, NULL, NULL },
                { "cuts what the container named", test_cuts_below, NULL, NULL, NULL },
                { "takes whole components only", test_wants_whole_component, NULL, NULL, NULL },
                { "knows one of three modes", test_mode, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests_name("bus-cgroup", tests, NULL, NULL);
}
