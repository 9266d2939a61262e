/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "wire/firewall-counters.h"

static void test_round_trip(void **state)
{
        FirewallCounters counters = { .refused = { 3, 300 }, .forged = { UINT64_MAX, 0 } }, back;
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;

        counters.rules[0] = (FirewallCount){ 1, 60 };
        counters.rules[EGRESS_RULES_MAX - 1] = (FirewallCount){ 0, 1 };
        assert_int_equal(firewall_counters_encode(&counters, &w), 0);
        assert_int_equal(firewall_counters_decode(w.data, w.size, &back), 0);
        assert_memory_equal(&back, &counters, sizeof(back));
}

static void test_nothing(void **state)
{
        const FirewallCounters counters = { 0 };
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        FirewallCounters back;

        assert_int_equal(firewall_counters_encode(&counters, &w), 0);
        assert_int_equal(w.size, 0);
        assert_int_equal(firewall_counters_decode(NULL, 0, &back), 0);
        assert_memory_equal(&back, &counters, sizeof(back));
}

static void test_refuses(void **state)
{
        const FirewallCounters counters = { .refused = { 3, 300 } };
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        FirewallCounters back = { .forged = { 1, 1 } };

        assert_int_equal(firewall_counters_encode(&counters, &w), 0);
        for (size_t n = 1; n < w.size; n++)
                assert_int_equal(firewall_counters_decode(w.data, n, &back), -EBADMSG);
        /* The same one again. */
        assert_int_equal(firewall_counters_encode(&counters, &w), 0);
        assert_int_equal(firewall_counters_decode(w.data, w.size, &back), -EBADMSG);
        assert_int_equal(back.forged.packets, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads back what it wrote", test_round_trip, NULL, NULL, NULL },
                { "says nothing of nothing", test_nothing, NULL, NULL, NULL },
                { "refuses what is cut short, and what is there twice", test_refuses, NULL, NULL,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
