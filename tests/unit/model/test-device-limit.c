/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/device-limit.h"

#define READ DEVICE_LIMIT_READ_BANDWIDTH
#define WRITE DEVICE_LIMIT_WRITE_BANDWIDTH

static int setup(void **state)
{
        static DeviceLimits limits;

        limits = (DeviceLimits){ NULL, 0 };
        *state = &limits;
        return 0;
}

static int teardown(void **state)
{
        device_limits_done(*state);
        return 0;
}

static void test_adds(void **state)
{
        DeviceLimits *limits = *state;

        assert_int_equal(device_limits_add(limits, READ, "/dev/sda", 1000, NULL), 0);
        assert_int_equal(device_limits_add(limits, WRITE, "/dev/sda", 2000, NULL), 0);
        assert_int_equal(device_limits_add(limits, READ, "/dev/disk/by-id/x", UINT64_MAX, NULL), 0);
        assert_int_equal(limits->n_items, 3);
        assert_int_equal(device_limits_find(limits, WRITE, "/dev/sda")->value, 2000);
        assert_null(device_limits_find(limits, DEVICE_LIMIT_READ_IOPS, "/dev/sda"));
}

static void expect_fault(DeviceLimits *limits, const char *node, uint64_t value, int error,
                         const char *text)
{
        Fault fault = FAULT_INIT;
        size_t n = limits->n_items;

        assert_int_equal(device_limits_add(limits, READ, node, value, &fault), error);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_non_null(strstr(fault.text, "IOReadBandwidthMax: "));
        assert_non_null(strstr(fault.text, text));
        assert_int_equal(limits->n_items, n);
}

static void test_refuses(void **state)
{
        DeviceLimits *limits = *state;
        char node[300];

        assert_int_equal(device_limits_add(limits, READ, "/dev/sda", 1000, NULL), 0);
        expect_fault(limits, "/dev/sda", 1, -EINVAL, "/dev/sda is given twice");
        expect_fault(limits, "/dev/sdb", 0, -ERANGE, "0 for /dev/sdb");
        expect_fault(limits, "/srv/x", 1, -EINVAL, "'/srv/x' is not a device node");
        expect_fault(limits, "/dev", 1, -EINVAL, "'/dev' is not a device node");
        expect_fault(limits, "/dev/../srv", 1, -EINVAL, "/dev/../srv");
        expect_fault(limits, "sda", 1, -EINVAL, "sda");
        memset(node, 'a', sizeof(node));
        memcpy(node, "/dev/", 5);
        node[DEVICE_NODE_MAX + 1] = 0;
        expect_fault(limits, node, 1, -EINVAL, "is not a device node");
        assert_int_equal(device_limits_add(limits, _DEVICE_LIMIT_KIND_MAX, "/dev/sdb", 1, NULL),
                         -EINVAL);
}

static void test_bounded(void **state)
{
        DeviceLimits *limits = *state;
        char node[32];

        for (int i = 0; i < DEVICE_LIMITS_MAX; i++) {
                (void)snprintf(node, sizeof(node), "/dev/sd%d", i);
                assert_int_equal(device_limits_add(limits, READ, node, 1, NULL), 0);
        }
        expect_fault(limits, "/dev/one-more", 1, -E2BIG, "more than 64");
        assert_int_equal(device_limits_push(limits, READ, "/dev/one-more", 1), -E2BIG);
}

static void test_clears_kind(void **state)
{
        DeviceLimits *limits = *state;

        assert_int_equal(device_limits_add(limits, READ, "/dev/sda", 1, NULL), 0);
        assert_int_equal(device_limits_add(limits, WRITE, "/dev/sda", 2, NULL), 0);
        assert_int_equal(device_limits_add(limits, READ, "/dev/sdb", 3, NULL), 0);
        device_limits_clear(limits, READ);
        assert_int_equal(limits->n_items, 1);
        assert_int_equal(limits->items[0].value, 2);
}

static void test_compares(void **state)
{
        DeviceLimits *limits = *state, other = { NULL, 0 };

        assert_int_equal(device_limits_add(limits, READ, "/dev/sda", 1, NULL), 0);
        assert_int_equal(device_limits_add(limits, WRITE, "/dev/sdb", 2, NULL), 0);
        assert_int_equal(device_limits_add(&other, WRITE, "/dev/sdb", 2, NULL), 0);
        assert_false(device_limits_are_equal(limits, &other));
        assert_int_equal(device_limits_append(&other, limits, READ), 0);
        assert_true(device_limits_are_equal(limits, &other));
        other.items[0].value = 3;
        assert_false(device_limits_are_equal(limits, &other));
        device_limits_done(&other);
}

#define SENTENCE(sentence, test)                      \
        {                                             \
                sentence, test, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                SENTENCE("keeps limits by kind and device", test_adds),
                SENTENCE("refuses what is no device, and a device twice", test_refuses),
                SENTENCE("bounds their number", test_bounded),
                SENTENCE("forgets one kind and keeps the others", test_clears_kind),
                SENTENCE("compares lists in any order", test_compares),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
