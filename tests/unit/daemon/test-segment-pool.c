/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/segment-pool.h"

static uint32_t acquire(SegmentPool *pool, const char *name)
{
        uint32_t number = 0;

        assert_int_equal(segment_pool_acquire(pool, name, &number, NULL), 0);
        assert_int_not_equal(number, 0);
        return number;
}

static void test_one_number_a_name(void **state)
{
        _drop_(drop_segment_pool) SegmentPool *pool = NULL;
        uint32_t blue, red;

        assert_int_equal(segment_pool_new(&pool), 0);
        blue = acquire(pool, "blue");
        red = acquire(pool, "red");
        assert_int_not_equal(blue, red);
        assert_int_equal(acquire(pool, "blue"), blue);
        /* One of two is still in it. */
        segment_pool_release(pool, "blue");
        assert_int_equal(acquire(pool, "blue"), blue);
}

static void test_no_number_twice(void **state)
{
        _drop_(drop_segment_pool) SegmentPool *pool = NULL;
        uint32_t first;

        assert_int_equal(segment_pool_new(&pool), 0);
        first = acquire(pool, "blue");
        segment_pool_release(pool, "blue");
        assert_int_not_equal(acquire(pool, "red"), first);
        assert_int_not_equal(acquire(pool, "blue"), first);
        segment_pool_release(pool, "green"); /* nobody is in it */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "has one number for a name, as long as anybody is in it",
                  test_one_number_a_name },
                { "gives no number to another name", test_no_number_twice },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
