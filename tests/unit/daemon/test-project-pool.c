/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/project-pool.h"

#define BASE 1000U

static int setup(void **state)
{
        ProjectPool *pool;

        if (project_pool_new(BASE, 4, 0, &pool, NULL) < 0)
                return -1;
        *state = pool;
        return 0;
}

static int teardown(void **state)
{
        project_pool_free(*state);
        return 0;
}

static void test_goes_round(void **state)
{
        uint32_t id;

        for (uint32_t i = 0; i < 9; i++) {
                assert_int_equal(project_pool_acquire(*state, &id, NULL), 0);
                assert_int_equal(id, BASE + i % 4);
                project_pool_release(*state, id);
        }
}

static void test_begins_at_seed(void **state)
{
        _drop_(drop_project_pool) ProjectPool *pool = NULL;
        uint32_t id;

        assert_int_equal(project_pool_new(BASE, 4, 11, &pool, NULL), 0);
        assert_int_equal(project_pool_acquire(pool, &id, NULL), 0);
        assert_int_equal(id, BASE + 3);
        assert_int_equal(project_pool_acquire(pool, &id, NULL), 0);
        assert_int_equal(id, BASE);
}

static void test_exhausted(void **state)
{
        Fault fault = FAULT_INIT;
        uint32_t id;

        for (int i = 0; i < 4; i++)
                assert_int_equal(project_pool_acquire(*state, &id, NULL), 0);
        id = 7;
        assert_int_equal(project_pool_acquire(*state, &id, &fault), -ENOSPC);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        assert_non_null(strstr(fault.text, "ProjectPool="));
        assert_int_equal(id, 7);
        project_pool_release(*state, BASE + 2);
        assert_int_equal(project_pool_acquire(*state, &id, NULL), 0);
        assert_int_equal(id, BASE + 2);
}

static void test_reserved(void **state)
{
        Fault fault = FAULT_INIT;
        uint32_t id;

        assert_int_equal(project_pool_reserve(*state, BASE, NULL), 0);
        assert_int_equal(project_pool_reserve(*state, BASE, &fault), -EEXIST);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        assert_int_equal(project_pool_acquire(*state, &id, NULL), 0);
        assert_int_equal(id, BASE + 1);
        /* Of another configuration: not ours to count. */
        for (int i = 0; i < 2; i++) {
                assert_int_equal(project_pool_reserve(*state, BASE - 1, NULL), 0);
                assert_int_equal(project_pool_reserve(*state, BASE + 4, NULL), 0);
        }
        project_pool_release(*state, BASE + 4);
        project_pool_release(*state, UINT32_MAX);
}

static void test_without_worker(void **state)
{
        uint32_t id;

        for (int i = 0; i < 4; i++)
                assert_int_equal(project_pool_acquire(*state, &id, NULL), 0);
        project_pool_release_after(*state, id, NULL);
        assert_int_equal(project_pool_acquire(*state, &id, NULL), 0);
}

static void test_ranges(void **state)
{
        ProjectPool *pool = NULL;
        Fault fault = FAULT_INIT;

        assert_true(project_range_is_valid(1, 1));
        assert_true(project_range_is_valid(UINT32_MAX - 2, 1));
        assert_false(project_range_is_valid(UINT32_MAX - 1, 1));
        assert_false(project_range_is_valid(UINT32_MAX, UINT32_MAX));
        assert_false(project_range_is_valid(0, 10));
        assert_false(project_range_is_valid(10, 0));
        assert_true(project_range_is_valid(10, PROJECT_POOL_COUNT_MAX));
        assert_false(project_range_is_valid(10, PROJECT_POOL_COUNT_MAX + 1));
        assert_int_equal(project_pool_new(0, 1, 0, &pool, &fault), -EINVAL);
        assert_null(pool);
        assert_non_null(strstr(fault.text, "ProjectPool"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "gives each id a rest before it comes again", test_goes_round, setup, teardown },
                { "begins where it is told", test_begins_at_seed, setup, teardown },
                { "says so when all ids are leased", test_exhausted, setup, teardown },
                { "takes what was leased before, once", test_reserved, setup, teardown },
                { "gives back at once what nobody deletes", test_without_worker, setup, teardown },
                { "refuses ranges with 0, beyond the end, or too large", test_ranges, setup,
                  teardown },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
