/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>

#include <cmocka.h>

#include "ctl/exit-code.h"

static void test_job(void **state)
{
        assert_int_equal(exit_code_from_job(0, 0), 0);
        assert_int_equal(exit_code_from_job(1, 0), 1);
        assert_int_equal(exit_code_from_job(255, 0), 255);
}

static void test_signal(void **state)
{
        assert_int_equal(exit_code_from_job(-1, SIGKILL), 137);
        assert_int_equal(exit_code_from_job(0, SIGTERM), 143);
        assert_int_equal(exit_code_from_job(-1, 64), 192);
}

static void test_nonsense(void **state)
{
        assert_int_equal(exit_code_from_job(-1, 0), 125);
        assert_int_equal(exit_code_from_job(256, 0), 125);
        assert_int_equal(exit_code_from_job(-1, -3), 125);
        assert_int_equal(exit_code_from_job(-1, 1000), 125);
}

static void test_faults(void **state)
{
        for (int kind = 0; kind < _FAULT_MAX; kind++) {
                int expected = kind == FAULT_PROGRAM_NOT_FOUND        ? 127
                               : kind == FAULT_PROGRAM_NOT_EXECUTABLE ? 126
                                                                      : 125;

                assert_int_equal(exit_code_from_fault((FaultKind)kind), expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "is the job's own", test_job },
                { "is 128 and the signal", test_signal },
                { "is ours where the daemon's answer makes no sense", test_nonsense },
                { "tells the program's absence from all other faults", test_faults },
        };

        return cmocka_run_group_tests_name("ctl/exit-code", tests, NULL, NULL);
}
