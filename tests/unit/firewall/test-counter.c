/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against the kernel, in a network namespace of its own. What a packet counts is shown on a real
 * system (tests/system/egress.bats); here it is what becomes of a count. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "firewall/counter.h"
#include "made-tables.h"

/* As if rule 2 of container 1 and its interface had counted. */
static void count(MadeTables *f)
{
        const char text[] =
                "add counter inet warden rule-00000000001-2 { packets 7 bytes 700 }\n"
                "add element inet warden refused { \"w-00000000001\" counter packets 3 bytes 300 "
                "}\n"
                "add element inet warden forged { \"w-00000000001\" counter packets 1 bytes 90 }\n";
        Fault fault = FAULT_INIT;

        assert_runs(f, FIREWALL_REBUILD, NULL, 0);
        if (transaction_run(f->transaction, text, &fault) < 0)
                fail_msg("%s", fault.text);
}

static void assert_count(const FirewallCount *count, uint64_t packets, uint64_t bytes)
{
        assert_int_equal(count->packets, packets);
        assert_int_equal(count->bytes, bytes);
}

static void assert_counted(MadeTables *f, const FirewallContainer *c)
{
        FirewallCounters counters;

        assert_int_equal(counters_read(f->netfilter, c, &counters), 0);
        assert_count(&counters.rules[1], 7, 700);
        assert_count(&counters.rules[0], 0, 0);
        assert_count(&counters.refused, 3, 300);
        assert_count(&counters.forged, 1, 90);
}

static void test_changes(void **state)
{
        FirewallContainer c = made_container_full(1), fewer = c;
        FirewallCounters counters;
        MadeTables *f = *state;

        count(f);
        assert_runs(f, FIREWALL_ADD, &c, 1);
        assert_counted(f, &c);
        /* The last one is taken back, and given again. */
        fewer.n_rules--;
        fewer.retired_rules = egress_number_bit(c.rules[fewer.n_rules].number);
        assert_runs(f, FIREWALL_RULES, &fewer, 1);
        assert_counted(f, &fewer);
        assert_runs(f, FIREWALL_RULES, &c, 1);
        assert_counted(f, &c);
        assert_runs(f, FIREWALL_REMOVE, &c, 1);
        assert_int_equal(counters_read(f->netfilter, &c, &counters), 0);
        assert_count(&counters.rules[1], 0, 0);
        assert_count(&counters.refused, 0, 0);
        made_container_done(&c);
}

static void test_begins_anew(void **state)
{
        FirewallContainer c = made_container_full(1), without = c;
        FirewallCounters counters;
        MadeTables *f = *state;

        count(f);
        assert_runs(f, FIREWALL_ADD, &c, 1);
        without.rules = c.rules + 2;
        without.n_rules = c.n_rules - 2;
        without.retired_rules = egress_number_bit(1) | egress_number_bit(2);
        assert_runs(f, FIREWALL_RULES, &without, 1);
        assert_runs(f, FIREWALL_RULES, &c, 1);
        assert_int_equal(counters_read(f->netfilter, &c, &counters), 0);
        assert_count(&counters.rules[1], 0, 0);
        assert_count(&counters.refused, 3, 300);
        made_container_done(&c);
}

static void test_rebuild(void **state)
{
        FirewallContainer c[] = { made_container_full(1), made_container_plain(2) };
        _drop_(drop_counter_list) CounterList *list = NULL;
        Fault fault = FAULT_INIT;
        MadeTables *f = *state;

        count(f);
        assert_runs(f, FIREWALL_ADD, c, 2);
        assert_int_equal(counter_list_read(f->netfilter, &list), 0);
        assert_count(counter_list_find_rule(list, c[0].id, 2), 7, 700);
        assert_count(counter_list_find_rule(list, c[0].id, 1), 0, 0);
        assert_count(counter_list_find_element(list, COUNTER_SET_REFUSED, "w-00000000001"), 3, 300);
        assert_count(counter_list_find_element(list, COUNTER_SET_REFUSED, "w-00000000002"), 0, 0);
        if (made_tables_run(f, FIREWALL_REBUILD, c, 2, list, &fault) < 0)
                fail_msg("%s", fault.text);
        assert_counted(f, &c[0]);
        made_container_done(&c[0]);
        made_container_done(&c[1]);
}

/* More than one message of the kernel's. */
static void test_many(void **state)
{
        static FirewallContainer c[500];
        _drop_(drop_counter_list) CounterList *list = NULL;
        MadeTables *f = *state;

        count(f);
        for (unsigned i = 0; i < ELEMENTSOF(c); i++)
                c[i] = made_container_plain(ELEMENTSOF(c) - i);
        assert_runs(f, FIREWALL_ADD, c, ELEMENTSOF(c));
        assert_int_equal(counter_list_read(f->netfilter, &list), 0);
        assert_count(counter_list_find_element(list, COUNTER_SET_FORGED, "w-00000000001"), 1, 90);
}

static void test_without_tables(void **state)
{
        FirewallContainer c = made_container_full(1);
        _drop_(drop_counter_list) CounterList *list = NULL;
        FirewallCounters counters;
        MadeTables *f = *state;

        assert_int_equal(counters_read(f->netfilter, &c, &counters), 0);
        assert_count(&counters.rules[1], 0, 0);
        assert_int_equal(counter_list_read(f->netfilter, &list), 0);
        assert_count(counter_list_find_rule(list, c.id, 2), 0, 0);
        assert_count(counter_list_find_rule(NULL, c.id, 2), 0, 0);
        made_container_done(&c);
}

#define CASE(name, test)                                                  \
        {                                                                 \
                name, test, made_tables_setup, made_tables_teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("goes on counting when rules are added and taken back", test_changes),
                CASE("counts from nothing for a rule that comes after one", test_begins_anew),
                CASE("goes on counting in tables that are made anew", test_rebuild),
                CASE("finds one among many containers", test_many),
                CASE("counts nothing without tables", test_without_tables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
