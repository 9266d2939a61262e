/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/uid-pool.h"

#define BASE (10 * UID_BLOCK)

static int setup(void **state)
{
        UidPool *pool;

        if (uid_pool_new(BASE, 4 * UID_BLOCK, &pool, NULL) < 0)
                return -1;
        *state = pool;
        return 0;
}

static int teardown(void **state)
{
        uid_pool_free(*state);
        return 0;
}

static void test_lowest_first(void **state)
{
        uint32_t first, second, again;

        assert_int_equal(uid_pool_acquire(*state, &first, NULL), 0);
        assert_int_equal(first, BASE);
        assert_int_equal(uid_pool_acquire(*state, &second, NULL), 0);
        assert_int_equal(second, BASE + UID_BLOCK);
        uid_pool_release(*state, first, UID_BLOCK);
        assert_int_equal(uid_pool_acquire(*state, &again, NULL), 0);
        assert_int_equal(again, BASE);
}

static void test_exhausted(void **state)
{
        Fault fault = FAULT_INIT;
        uint32_t base = 7;

        for (int i = 0; i < 4; i++)
                assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        base = 7;
        assert_int_equal(uid_pool_acquire(*state, &base, &fault), -ENOSPC);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        assert_non_null(strstr(fault.text, "PrivateUsers"));
        assert_int_equal(base, 7);
        uid_pool_release(*state, BASE + 2 * UID_BLOCK, UID_BLOCK);
        assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        assert_int_equal(base, BASE + 2 * UID_BLOCK);
}

static void test_reserve_skipped(void **state)
{
        uint32_t base;

        assert_int_equal(uid_pool_reserve(*state, BASE, UID_BLOCK, NULL), 0);
        assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        assert_int_equal(base, BASE + UID_BLOCK);
}

static void test_reserve_overlap(void **state)
{
        Fault fault = FAULT_INIT;
        uint32_t base;

        assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        /* Begins below the pool and ends with its last id in the first block. */
        assert_int_equal(uid_pool_reserve(*state, BASE - 100, 101, &fault), -EEXIST);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        /* Nothing of a refused range is taken. */
        assert_int_equal(uid_pool_reserve(*state, BASE, 2 * UID_BLOCK, NULL), -EEXIST);
        assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        assert_int_equal(base, BASE + UID_BLOCK);
}

static void test_reserve_part(void **state)
{
        uint32_t base;

        /* One id of a block takes the block. */
        assert_int_equal(uid_pool_reserve(*state, BASE + 5, 1, NULL), 0);
        assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        assert_int_equal(base, BASE + UID_BLOCK);
        uid_pool_release(*state, BASE + 5, 1);
        assert_int_equal(uid_pool_acquire(*state, &base, NULL), 0);
        assert_int_equal(base, BASE);
}

static void test_outside(void **state)
{
        /* Not ours to track: twice is fine, at both ends of the number space too. */
        for (int i = 0; i < 2; i++) {
                assert_int_equal(uid_pool_reserve(*state, 1, 1, NULL), 0);
                assert_int_equal(uid_pool_reserve(*state, UINT32_MAX - 10, 10, NULL), 0);
                assert_int_equal(uid_pool_reserve(*state, BASE + 4 * UID_BLOCK, UID_BLOCK, NULL),
                                 0);
        }
        uid_pool_release(*state, 1, 1);
}

static void test_bad_pool(void **state)
{
        static const struct {
                uint32_t base, count;
        } bad[] = {
                { BASE, 0 },
                { BASE, UID_BLOCK + 1 },
                { 0, UID_BLOCK },
                { UINT32_MAX - 1, UID_BLOCK },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Fault fault = FAULT_INIT;
                UidPool *pool = NULL;

                assert_int_equal(uid_pool_new(bad[i].base, bad[i].count, &pool, &fault), -EINVAL);
                assert_non_null(strstr(fault.text, "UIDPool"));
                assert_null(pool);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "gives the lowest free block first", test_lowest_first, setup, teardown, NULL },
                { "says that it is exhausted, and goes on after a release", test_exhausted, setup,
                  teardown, NULL },
                { "skips a block that was reserved", test_reserve_skipped, setup, teardown, NULL },
                { "refuses a range that touches a lease, and takes none of it",
                  test_reserve_overlap, setup, teardown, NULL },
                { "takes a whole block for a part of it", test_reserve_part, setup, teardown,
                  NULL },
                { "tracks nothing outside of itself", test_outside, setup, teardown, NULL },
                { "refuses a pool that is no range of whole blocks", test_bad_pool, NULL, NULL,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
