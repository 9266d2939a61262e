/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/storage.h"

static Limits make_limits(uint64_t bytes, uint64_t inodes)
{
        Limits limits = { .set = 0 };

        if (bytes > 0)
                assert_int_equal(limits_set(&limits, LIMIT_DISK_MAX, bytes, NULL), 0);
        if (inodes > 0)
                assert_int_equal(limits_set(&limits, LIMIT_DISK_INODES_MAX, inodes, NULL), 0);
        return limits;
}

static void test_names(void **state)
{
        for (int i = 0; i < _STORAGE_KIND_MAX; i++)
                assert_int_equal(storage_kind_from_string(storage_kind_to_string((StorageKind)i)),
                                 i);
        assert_true((int)storage_kind_from_string("") < 0);
        assert_true((int)storage_kind_from_string("Loop") < 0);
        assert_null(storage_kind_to_string(_STORAGE_KIND_MAX));
        assert_null(storage_kind_to_string(_STORAGE_KIND_INVALID));
}

static void test_limits(void **state)
{
        Limits none = make_limits(0, 0), one = make_limits(0, 100);
        Limits infinite = make_limits(UINT64_MAX, 0);

        assert_false(disk_limits_are_given(&none));
        assert_true(disk_limits_from(&none).bytes == UINT64_MAX);
        assert_true(disk_limits_from(&none).inodes == UINT64_MAX);
        assert_true(disk_limits_are_given(&one));
        assert_true(disk_limits_from(&one).bytes == UINT64_MAX);
        assert_int_equal(disk_limits_from(&one).inodes, 100);
        assert_true(disk_limits_are_given(&infinite));
}

static void test_loop(void **state)
{
        Limits none = make_limits(0, 0), infinite = make_limits(UINT64_MAX, 0);
        Limits small = make_limits(STORAGE_LOOP_MIN_BYTES - 1, 0);
        Limits least = make_limits(STORAGE_LOOP_MIN_BYTES, 0);
        Limits most = make_limits(STORAGE_LOOP_MAX_BYTES, 16);
        Limits large = make_limits(STORAGE_LOOP_MAX_BYTES + 1, 0);
        Fault fault = FAULT_INIT;

        assert_int_equal(storage_validate(STORAGE_LOOP, &none, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "needs DiskMax"));
        assert_int_equal(storage_validate(STORAGE_LOOP, &infinite, NULL), -EINVAL);
        assert_int_equal(storage_validate(STORAGE_LOOP, &small, NULL), -EINVAL);
        assert_int_equal(storage_validate(STORAGE_LOOP, &least, NULL), 0);
        assert_int_equal(storage_validate(STORAGE_LOOP, &most, NULL), 0);
        assert_int_equal(storage_validate(STORAGE_LOOP, &large, NULL), -EINVAL);
}

static void test_others(void **state)
{
        Limits none = make_limits(0, 0), small = make_limits(1 << 20, 16);
        Fault fault = FAULT_INIT;

        assert_int_equal(storage_validate(STORAGE_DIRECTORY, &none, NULL), 0);
        assert_int_equal(storage_validate(STORAGE_TMPFS, &none, NULL), 0);
        assert_int_equal(storage_validate(STORAGE_DIRECTORY, &small, NULL), 0);
        assert_int_equal(storage_validate(STORAGE_TMPFS, &small, NULL), 0);
        assert_int_equal(storage_validate(_STORAGE_KIND_INVALID, &none, &fault), -EINVAL);
        assert_int_equal(fault.kind, FAULT_INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads the names that it writes, and no others", test_names },
                { "takes what is not given for no limit", test_limits },
                { "asks for the size of an image, within ext4's bounds", test_loop },
                { "asks for nothing of a directory or a tmpfs", test_others },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
