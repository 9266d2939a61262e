/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "init/stop.h"

#define NOW UINT64_C(1000)

static void test_ordinary(void **state)
{
        Stop stop = { 0 };

        assert_int_equal(stop_step(&stop, NOW, 1, 1), STOP_ACT_NONE);
        assert_int_equal(stop.state, STOP_NO);
        assert_int_equal(stop_begin(&stop, NOW, 50), STOP_ACT_TERM);
        assert_true(stop.deadline_usec == NOW + 50);
        assert_int_equal(stop_step(&stop, NOW + 49, 0, 1), STOP_ACT_NONE);
        assert_int_equal(stop_step(&stop, NOW + 49, 1, 1), STOP_ACT_EXIT);
}

static void test_grace_over(void **state)
{
        Stop stop = { 0 };

        (void)stop_begin(&stop, NOW, 50);
        assert_int_equal(stop_step(&stop, NOW + 50, 0, 1), STOP_ACT_KILL);
        assert_int_equal(stop_step(&stop, NOW + 51, 0, 1), STOP_ACT_NONE);
        assert_true(stop.deadline_usec == NOW + 50 + STOP_KILL_USEC);
        assert_int_equal(stop_step(&stop, NOW + 52, 1, 1), STOP_ACT_EXIT);
}

static void test_unkillable(void **state)
{
        Stop stop = { 0 };

        (void)stop_begin(&stop, NOW, 0);
        assert_int_equal(stop_step(&stop, NOW, 0, 1), STOP_ACT_KILL);
        assert_int_equal(stop_step(&stop, NOW + STOP_KILL_USEC - 1, 0, 1), STOP_ACT_NONE);
        assert_int_equal(stop_step(&stop, NOW + STOP_KILL_USEC, 0, 1), STOP_ACT_EXIT);
}

static void test_linger(void **state)
{
        Stop stop = { 0 };

        (void)stop_begin(&stop, NOW, 50);
        assert_int_equal(stop_step(&stop, NOW + 1, 1, 0), STOP_ACT_NONE);
        assert_int_equal(stop.state, STOP_LINGERING);
        /* Whether somebody has come in since is of no interest any more. */
        assert_int_equal(stop_step(&stop, NOW + STOP_LINGER_USEC, 0, 0), STOP_ACT_NONE);
        assert_int_equal(stop_step(&stop, NOW + 1 + STOP_LINGER_USEC, 0, 0), STOP_ACT_EXIT);
        assert_int_equal(stop_step(&stop, NOW + 2, 0, 1), STOP_ACT_EXIT);
}

static void test_again(void **state)
{
        Stop stop = { 0 };

        (void)stop_begin(&stop, NOW, 50);
        assert_int_equal(stop_begin(&stop, NOW + 1, 500), STOP_ACT_NONE);
        assert_true(stop.deadline_usec == NOW + 50);
        assert_int_equal(stop_begin(&stop, NOW + 1, 10), STOP_ACT_NONE);
        assert_true(stop.deadline_usec == NOW + 11);
        assert_int_equal(stop_step(&stop, NOW + 11, 0, 1), STOP_ACT_KILL);
        assert_int_equal(stop_begin(&stop, NOW + 12, 0), STOP_ACT_NONE);
        assert_int_equal(stop.state, STOP_KILLING);
        assert_true(stop.deadline_usec == NOW + 11 + STOP_KILL_USEC);
        (void)stop_step(&stop, NOW + 13, 1, 0);
        assert_int_equal(stop_begin(&stop, NOW + 14, 0), STOP_ACT_NONE);
        assert_int_equal(stop.state, STOP_LINGERING);
}

static void test_for_ever(void **state)
{
        Stop stop = { 0 };

        (void)stop_begin(&stop, NOW, UINT64_MAX - 10);
        assert_true(stop.deadline_usec == UINT64_MAX);
        assert_int_equal(stop_step(&stop, UINT64_MAX - 1, 0, 1), STOP_ACT_NONE);
        assert_int_equal(stop_step(&stop, NOW, 1, 1), STOP_ACT_EXIT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "asks, waits, and exits when nobody is left", test_ordinary, NULL, NULL, NULL },
                { "kills when the grace is over", test_grace_over, NULL, NULL, NULL },
                { "leaves what cannot be killed to the kernel", test_unkillable, NULL, NULL, NULL },
                { "lingers for clients, but not for long", test_linger, NULL, NULL, NULL },
                { "takes the shorter of two graces", test_again, NULL, NULL, NULL },
                { "waits for ever when asked to", test_for_ever, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests_name("init/stop", tests, NULL, NULL);
}
