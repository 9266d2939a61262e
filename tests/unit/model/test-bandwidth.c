/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/bandwidth.h"

#define MIB (UINT64_C(1) << 20)

static int set(BandwidthLimits *limits, const char *name, uint64_t rate, uint64_t burst,
               Fault *fault)
{
        Bandwidth bandwidth = { rate, burst };

        return bandwidth_limits_set(limits, name, &bandwidth, fault);
}

static void test_directions(void **state)
{
        BandwidthLimits limits = { .set = 0 };

        assert_null(bandwidth_limits_name(&limits));
        assert_int_equal(set(&limits, "BandwidthTransmitMax", 5000, 0, NULL), 0);
        assert_false(bandwidth_limits_has(&limits, BANDWIDTH_RECEIVE));
        assert_true(bandwidth_limits_has(&limits, BANDWIDTH_TRANSMIT));
        assert_string_equal(bandwidth_limits_name(&limits), "BandwidthTransmitMax");
        limits = (BandwidthLimits){ .set = 0 };
        assert_int_equal(set(&limits, "BandwidthMax", 5000, 2000, NULL), 0);
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++) {
                const char *name = bandwidth_direction_to_string((BandwidthDirection)i);

                assert_int_equal(bandwidth_direction_from_string(name), i);
                assert_true(bandwidth_limits_has(&limits, (BandwidthDirection)i));
                assert_int_equal(limits.of[i].rate, 5000);
                assert_int_equal(limits.of[i].burst, 2000);
        }
        assert_int_equal(bandwidth_direction_from_string("BandwidthMax"), -EINVAL);
        assert_null(bandwidth_direction_to_string(_BANDWIDTH_DIRECTION_MAX));
}

static void refuse(const char *name, uint64_t rate, uint64_t burst, int error, const char *text)
{
        BandwidthLimits limits = { .set = 0 };
        Fault fault = FAULT_INIT;

        assert_int_equal(set(&limits, name, rate, burst, &fault), error);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_non_null(strstr(fault.text, name));
        if (!strstr(fault.text, text))
                fail_msg("%s", fault.text);
        assert_int_equal(limits.set, 0);
}

static void test_ranges(void **state)
{
        BandwidthLimits limits = { .set = 0 };

        refuse("BandwidthMax", 0, 0, -ERANGE, "a rate of 0 is not from 1000 to");
        refuse("BandwidthReceiveMax", 999, 0, -ERANGE, "999");
        refuse("BandwidthTransmitMax", UINT64_C(1000000000001), 0, -ERANGE, "infinity");
        refuse("BandwidthMax", 1000, 589, -ERANGE, "a burst of 589 is not from 590 to");
        refuse("BandwidthMax", 1000, 1024 * MIB + 1, -ERANGE, "burst");
        refuse("BandwidthMax", UINT64_MAX, 1, -ERANGE, "burst");
        assert_int_equal(set(&limits, "BandwidthReceiveMax", 1000, 590, NULL), 0);
        assert_int_equal(set(&limits, "BandwidthTransmitMax", UINT64_MAX, 1024 * MIB, NULL), 0);
        assert_int_equal(bandwidth_limits_validate(&limits, NULL), 0);
        limits.of[BANDWIDTH_TRANSMIT].rate = 1;
        assert_int_equal(bandwidth_limits_validate(&limits, NULL), -ERANGE);
        limits.set = 1U << BANDWIDTH_RECEIVE;
        assert_int_equal(bandwidth_limits_validate(&limits, NULL), 0);
}

static void test_twice(void **state)
{
        BandwidthLimits limits = { .set = 0 };
        Fault fault = FAULT_INIT;

        assert_int_equal(set(&limits, "BandwidthReceiveMax", 1000, 0, NULL), 0);
        assert_int_equal(set(&limits, "BandwidthMax", 2000, 0, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "BandwidthReceiveMax: is given twice"));
        assert_false(bandwidth_limits_has(&limits, BANDWIDTH_TRANSMIT));
        assert_int_equal(limits.of[BANDWIDTH_RECEIVE].rate, 1000);
}

static void test_change(void **state)
{
        BandwidthLimits limits = { .set = 0 }, changes = { .set = 0 }, before;

        assert_int_equal(set(&limits, "BandwidthMax", 1000, 0, NULL), 0);
        before = limits;
        assert_true(bandwidth_limits_are_equal(&limits, &before));
        bandwidth_limits_change(&limits, &changes);
        assert_true(bandwidth_limits_are_equal(&limits, &before));
        assert_int_equal(set(&changes, "BandwidthTransmitMax", 1000, 3000, NULL), 0);
        bandwidth_limits_change(&limits, &changes);
        assert_false(bandwidth_limits_are_equal(&limits, &before));
        assert_false(bandwidth_limits_are_equal(&limits, &changes));
        assert_int_equal(limits.of[BANDWIDTH_RECEIVE].burst, 0);
        assert_int_equal(limits.of[BANDWIDTH_TRANSMIT].burst, 3000);
}

/* A packet must fit, at every rate and MTU; memory is bounded, at every rate. */
static void test_burst(void **state)
{
        static const uint64_t rates[] = { 1000, 1000000, UINT64_C(1000000000), UINT64_C(1) << 39 };
        static const uint32_t mtus[] = { 576, 1500, 65535 };

        for (size_t i = 0; i < ELEMENTSOF(rates); i++)
                for (size_t k = 0; k < ELEMENTSOF(mtus); k++) {
                        Bandwidth bandwidth = { .rate = rates[i] };
                        uint64_t burst = bandwidth_burst(&bandwidth, mtus[k]);
                        uint64_t queue = bandwidth_queue(&bandwidth, mtus[k]);

                        assert_true(burst >= bandwidth_packet(mtus[k]) && burst <= 4 * MIB);
                        assert_true(queue >= 10 * (uint64_t)mtus[k] && queue <= 16 * MIB);
                }
        assert_int_equal(bandwidth_packet(1500), 1514);
        assert_int_equal(bandwidth_burst(&(Bandwidth){ .rate = 1000000 }, 1500), 20000);
        assert_int_equal(bandwidth_queue(&(Bandwidth){ .rate = 1000000 }, 1500), 50000);
        assert_int_equal(bandwidth_burst(&(Bandwidth){ .rate = 1000000, .burst = 7000 }, 1500),
                         7000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "limits one direction or both", test_directions },
                { "says what a rate and a burst can be", test_ranges },
                { "takes no direction twice", test_twice },
                { "changes what is given, and nothing else", test_change },
                { "chooses a burst that lets a packet through, and bounds memory", test_burst },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
