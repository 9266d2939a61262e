/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/limits.h"

typedef struct LimitCase {
        Limit limit;
        uint64_t value;
        int result;
} LimitCase;

static void test_bounds(void **state)
{
        static const LimitCase cases[] = {
                { LIMIT_MEMORY_MAX, 1 << 20, 0 },
                { LIMIT_MEMORY_MAX, (1 << 20) - 1, -ERANGE },
                { LIMIT_MEMORY_MAX, 0, -ERANGE },
                { LIMIT_MEMORY_MAX, UINT64_MAX, 0 },
                { LIMIT_MEMORY_MAX, UINT64_MAX - 1, -ERANGE },
                { LIMIT_MEMORY_HIGH, 1 << 20, 0 },
                { LIMIT_MEMORY_HIGH, 4096, -ERANGE },
                { LIMIT_MEMORY_SWAP_MAX, 0, 0 },
                { LIMIT_MEMORY_SWAP_MAX, UINT64_MAX, 0 },
                { LIMIT_CPU_WEIGHT, 0, -ERANGE },
                { LIMIT_CPU_WEIGHT, 1, 0 },
                { LIMIT_CPU_WEIGHT, 10000, 0 },
                { LIMIT_CPU_WEIGHT, 10001, -ERANGE },
                { LIMIT_CPU_WEIGHT, UINT64_MAX, -ERANGE },
                { LIMIT_CPU_QUOTA, 999, -ERANGE },
                { LIMIT_CPU_QUOTA, 1000, 0 },
                { LIMIT_CPU_QUOTA, 2 * USEC_PER_SEC, 0 },
                { LIMIT_CPU_QUOTA, UINT64_MAX, 0 },
                { LIMIT_TASKS_MAX, 1, -ERANGE },
                { LIMIT_TASKS_MAX, 2, 0 },
                { LIMIT_TASKS_MAX, 4194304, 0 },
                { LIMIT_TASKS_MAX, 4194305, -ERANGE },
                { LIMIT_TASKS_MAX, UINT64_MAX, 0 },
                { LIMIT_IO_WEIGHT, 0, -ERANGE },
                { LIMIT_IO_WEIGHT, 10000, 0 },
                { LIMIT_IO_WEIGHT, UINT64_MAX, -ERANGE },
                { LIMIT_DISK_MAX, (1 << 20) - 1, -ERANGE },
                { LIMIT_DISK_MAX, 1 << 20, 0 },
                { LIMIT_DISK_MAX, UINT64_C(1) << 60, 0 },
                { LIMIT_DISK_MAX, (UINT64_C(1) << 60) + 1, -ERANGE },
                { LIMIT_DISK_MAX, UINT64_MAX, 0 },
                { LIMIT_DISK_INODES_MAX, 15, -ERANGE },
                { LIMIT_DISK_INODES_MAX, 16, 0 },
                { LIMIT_DISK_INODES_MAX, UINT32_MAX, 0 },
                { LIMIT_DISK_INODES_MAX, UINT64_C(1) << 32, -ERANGE },
                { LIMIT_DISK_INODES_MAX, UINT64_MAX, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const LimitCase *c = &cases[i];
                Limits limits = { .set = 0 };

                if (limits_set(&limits, c->limit, c->value, NULL) != c->result)
                        fail_msg("case %zu is not answered with %d", i, c->result);
                assert_int_equal(limits.set, c->result < 0 ? 0 : 1U << c->limit);
                assert_int_equal(limits.values[c->limit], c->result < 0 ? 0 : c->value);
        }
}

static void test_keeps_others(void **state)
{
        Limits limits = { .set = 0 };

        assert_int_equal(limits_set(&limits, LIMIT_TASKS_MAX, 100, NULL), 0);
        assert_int_equal(limits_set(&limits, LIMIT_CPU_WEIGHT, 50, NULL), 0);
        assert_int_equal(limits_set(&limits, LIMIT_TASKS_MAX, 0, NULL), -ERANGE);
        assert_true(limits_has(&limits, LIMIT_TASKS_MAX));
        assert_true(limits_has(&limits, LIMIT_CPU_WEIGHT));
        assert_false(limits_has(&limits, LIMIT_IO_WEIGHT));
        assert_int_equal(limits.values[LIMIT_TASKS_MAX], 100);
        assert_int_equal(limits.values[LIMIT_CPU_WEIGHT], 50);
}

static void test_fault(void **state)
{
        Limits limits = { .set = 0 };
        Fault fault = FAULT_INIT;

        (void)limits_set(&limits, LIMIT_CPU_WEIGHT, 0, &fault);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_string_equal(fault.text, "CPUWeight: 0 is not from 1 to 10000");
        fault = FAULT_INIT;
        (void)limits_set(&limits, LIMIT_TASKS_MAX, 1, &fault);
        assert_string_equal(fault.text, "TasksMax: 1 is not from 2 to 4194304 or infinity");
}

static void test_unknown(void **state)
{
        Limits limits = { .set = 0 };

        assert_int_equal(limits_set(&limits, _LIMIT_MAX, 1, NULL), -EINVAL);
        assert_int_equal(limits_set(&limits, _LIMIT_INVALID, 1, NULL), -EINVAL);
        assert_int_equal(limits.set, 0);
}

static void test_names(void **state)
{
        static const char *const names[_LIMIT_MAX] = {
                "MemoryMax", "MemoryHigh", "MemorySwapMax", "CPUWeight",     "CPUQuotaPerSecUSec",
                "TasksMax",  "IOWeight",   "DiskMax",       "DiskInodesMax",
        };

        for (int i = 0; i < _LIMIT_MAX; i++) {
                assert_string_equal(limit_to_string((Limit)i), names[i]);
                assert_int_equal(limit_from_string(names[i]), i);
        }
        assert_null(limit_to_string(_LIMIT_MAX));
        assert_null(limit_to_string(_LIMIT_INVALID));
        assert_int_equal(limit_from_string("memorymax"), _LIMIT_INVALID);
        assert_int_equal(limit_from_string(""), _LIMIT_INVALID);
}

static void test_changes(void **state)
{
        Limits limits = { .set = 0 }, changes = { .set = 0 };

        assert_int_equal(limits_set(&limits, LIMIT_TASKS_MAX, 100, NULL), 0);
        assert_int_equal(limits_set(&limits, LIMIT_CPU_WEIGHT, 50, NULL), 0);
        assert_int_equal(limits_add_device(&limits, DEVICE_LIMIT_READ_IOPS, "/dev/a", 1, NULL), 0);
        assert_int_equal(limits_add_device(&limits, DEVICE_LIMIT_WRITE_IOPS, "/dev/a", 2, NULL), 0);
        assert_int_equal(limits_set(&changes, LIMIT_TASKS_MAX, 200, NULL), 0);
        assert_int_equal(limits_add_device(&changes, DEVICE_LIMIT_READ_IOPS, "/dev/b", 3, NULL), 0);
        assert_int_equal(limits_set_cpus(&changes, "1", NULL), 0);
        assert_int_equal(limits_change(&limits, &changes), 0);
        assert_int_equal(limits.values[LIMIT_TASKS_MAX], 200);
        assert_int_equal(limits.values[LIMIT_CPU_WEIGHT], 50);
        assert_true(limits.has_cpus);
        assert_int_equal(limits.devices.n_items, 2);
        assert_null(device_limits_find(&limits.devices, DEVICE_LIMIT_READ_IOPS, "/dev/a"));
        assert_non_null(device_limits_find(&limits.devices, DEVICE_LIMIT_READ_IOPS, "/dev/b"));
        assert_non_null(device_limits_find(&limits.devices, DEVICE_LIMIT_WRITE_IOPS, "/dev/a"));
        limits_done(&changes);
        /* An empty list, given, takes back; not given, it does nothing. */
        changes.devices_set = 1U << DEVICE_LIMIT_WRITE_IOPS;
        assert_int_equal(limits_change(&limits, &changes), 0);
        assert_int_equal(limits.devices.n_items, 1);
        assert_true(limits_has_devices(&limits, DEVICE_LIMIT_WRITE_IOPS));
        limits_done(&limits);
}

static void test_copies(void **state)
{
        Limits limits = { .set = 0 }, copy;

        assert_true(limits_are_empty(&limits));
        assert_int_equal(limits_set_cpus(&limits, "0-1", NULL), 0);
        assert_false(limits_are_empty(&limits));
        assert_int_equal(limits_add_device(&limits, DEVICE_LIMIT_READ_IOPS, "/dev/a", 1, NULL), 0);
        assert_int_equal(limits_copy(&limits, &copy), 0);
        assert_true(limits_are_equal(&limits, &copy));
        limits_done(&limits);
        assert_false(limits_are_equal(&limits, &copy));
        assert_string_equal(copy.devices.items[0].node, "/dev/a");
        assert_int_equal(limits_set_cpus(&copy, "x", NULL), -EINVAL);
        assert_int_equal(cpu_set_size(&copy.cpus), 1);
        limits_done(&copy);
}

static void test_validates(void **state)
{
        Limits limits = { .set = 0 };
        Fault fault = FAULT_INIT;

        limits.set = 1U << LIMIT_TASKS_MAX;
        assert_int_equal(limits_validate(&limits, &fault), -ERANGE);
        assert_non_null(strstr(fault.text, "TasksMax: 0"));
        limits.values[LIMIT_TASKS_MAX] = 5;
        assert_int_equal(limits_validate(&limits, NULL), 0);
        assert_int_equal(device_limits_push(&limits.devices, DEVICE_LIMIT_READ_IOPS, "/srv", 1), 0);
        assert_int_equal(limits_validate(&limits, NULL), -EINVAL);
        limits_done(&limits);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes each limit within its bounds and sets nothing else", test_bounds },
                { "keeps what was set when another is refused", test_keeps_others },
                { "names limit, value and bounds", test_fault },
                { "refuses a number that is no limit", test_unknown },
                { "spells limits as systemd does", test_names },
                { "changes what is given, list by list", test_changes },
                { "copies with all that belongs to it", test_copies },
                { "finds out of bounds what came from elsewhere", test_validates },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
