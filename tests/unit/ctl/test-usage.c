/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/json.h"
#include "ctl/usage.h"

#define SECOND UINT64_C(1000000)

static int make_table(void **state)
{
        static UsageTable table;

        table = (UsageTable){ .host_memory_bytes = 1000 };
        *state = &table;
        return 0;
}

static int free_table(void **state)
{
        usage_table_done(*state);
        return 0;
}

static void update(UsageTable *table, uint64_t usec, const char *json)
{
        _drop_(drop_json) json_object *stats = json_tokener_parse(json);

        assert_non_null(stats);
        assert_int_equal(usage_table_update(table, stats, usec), 0);
}

static void assert_order(UsageTable *table, UsageOrder order, int is_reverse, const char *expected)
{
        char text[256] = "";

        usage_table_sort(table, order, is_reverse);
        for (size_t i = 0; i < table->n_rows; i++)
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
                               table->rows[i]->name);
        assert_string_equal(text, expected);
}

static void test_rates(void **state)
{
        UsageTable *table = *state;

        update(table, 10 * SECOND,
               "{\"a\": {\"CPUUsageNSec\": 1000000000, \"NetworkReceiveBytes\": 10, "
               "\"NetworkTransmitBytes\": 0, \"IOReadBytes\": 100, \"IOWriteBytes\": 5}}");
        assert_true(table->rows[0]->cpu_permyriad == USAGE_UNKNOWN);
        update(table, 12 * SECOND,
               "{\"a\": {\"CPUUsageNSec\": 4000000000, \"NetworkReceiveBytes\": 30, "
               "\"NetworkTransmitBytes\": 80, \"IOReadBytes\": 100, \"IOWriteBytes\": 5}}");
        assert_int_equal(table->rows[0]->cpu_permyriad, 15000);
        assert_int_equal(table->rows[0]->network_rate, 50);
        assert_int_equal(table->rows[0]->io_rate, 0);
}

static void test_restart(void **state)
{
        UsageTable *table = *state;

        update(table, 1 * SECOND, "{\"a\": {\"CPUUsageNSec\": 5000}}");
        update(table, 2 * SECOND, "{\"a\": {\"CPUUsageNSec\": 10}}");
        assert_true(table->rows[0]->cpu_permyriad == USAGE_UNKNOWN);
        update(table, 2 * SECOND, "{\"a\": {\"CPUUsageNSec\": 20}}");
        assert_true(table->rows[0]->cpu_permyriad == USAGE_UNKNOWN);
        update(table, 3 * SECOND, "{\"a\": {\"CPUUsageNSec\": 100000020}}");
        assert_int_equal(table->rows[0]->cpu_permyriad, 1000);
}

static void test_memory(void **state)
{
        UsageTable *table = *state;

        update(table, 1,
               "{\"a\": {\"MemoryCurrent\": 500, \"MemoryInactiveFile\": 100, \"MemoryMax\": 800},"
               " \"b\": {\"MemoryCurrent\": 50, \"MemoryInactiveFile\": 100,"
               "         \"MemoryMax\": 18446744073709551615}, \"c\": {}}");
        assert_order(table, USAGE_ORDER_NAME, 0, "abc");
        assert_int_equal(table->rows[0]->memory_bytes, 400);
        assert_int_equal(table->rows[0]->memory_permyriad, 5000);
        assert_int_equal(table->rows[1]->memory_bytes, 0);
        assert_int_equal(table->rows[1]->memory_max_bytes, 1000);
        assert_true(table->rows[2]->memory_bytes == USAGE_UNKNOWN);
        assert_true(table->rows[2]->memory_permyriad == USAGE_UNKNOWN);
}

static void test_forget(void **state)
{
        UsageTable *table = *state;

        update(table, 1, "{\"c\": {}, \"a\": {}, \"b\": {}}");
        assert_int_equal(table->n_rows, 3);
        update(table, 2, "{\"d\": {}, \"b\": {\"State\": \"stopped\"}}");
        assert_order(table, USAGE_ORDER_NAME, 0, "bd");
        assert_string_equal(table->rows[0]->state, "stopped");
        assert_int_equal(table->rows[0]->n_history, 2);
        assert_int_equal(table->rows[1]->n_history, 1);
        update(table, 3, "{}");
        assert_int_equal(table->n_rows, 0);
        update(table, 4, "[1]");
        assert_int_equal(table->n_rows, 0);
}

static void test_order(void **state)
{
        UsageTable *table = *state;

        update(table, 1,
               "{\"a\": {\"TasksCurrent\": 5, \"MemoryCurrent\": 1},"
               " \"b\": {\"TasksCurrent\": 9},"
               " \"c\": {\"TasksCurrent\": 5, \"MemoryCurrent\": 3}, \"d\": {}}");
        assert_order(table, USAGE_ORDER_TASKS, 0, "bacd");
        assert_order(table, USAGE_ORDER_TASKS, 1, "acbd");
        assert_order(table, USAGE_ORDER_MEMORY, 0, "cabd");
        assert_order(table, USAGE_ORDER_NAME, 1, "dcba");
        assert_order(table, USAGE_ORDER_CPU, 0, "abcd");
        for (int i = 0; i < _USAGE_ORDER_MAX; i++)
                assert_int_equal(usage_order_from_string(usage_order_to_string((UsageOrder)i)), i);
        assert_int_equal(usage_order_from_string("colour"), _USAGE_ORDER_INVALID);
}

/* What a row knows does not grow with the time that somebody looks. */
static void test_history(void **state)
{
        UsageTable *table = *state;
        const Usage *usage;

        for (uint64_t i = 0; i <= 3 * USAGE_HISTORY; i++) {
                char json[64];

                (void)snprintf(json, sizeof(json), "{\"a\": {\"CPUUsageNSec\": %llu}}",
                               (unsigned long long)(i * i * 100000));
                update(table, (i + 1) * SECOND, json);
        }
        usage = table->rows[0];
        assert_int_equal(usage->n_history, USAGE_HISTORY);
        assert_int_equal(usage_history_get(usage->cpu_history, usage, 0), usage->cpu_permyriad);
        for (size_t i = 1; i < USAGE_HISTORY; i++)
                assert_true(usage_history_get(usage->cpu_history, usage, i) <
                            usage_history_get(usage->cpu_history, usage, i - 1));
}

static void test_hostile_numbers(void **state)
{
        UsageTable *table = *state;

        update(table, 1,
               "{\"a\": {\"MemoryCurrent\": -5, \"TasksCurrent\": \"x\", \"State\": 7,"
               " \"NetworkReceiveBytes\": 18446744073709551614,"
               " \"NetworkTransmitBytes\": 18446744073709551614}, \"b\": 3}");
        assert_order(table, USAGE_ORDER_NAME, 0, "ab");
        assert_string_equal(table->rows[0]->state, "?");
        assert_true(table->rows[0]->tasks == USAGE_UNKNOWN);
        assert_true(table->rows[0]->network_bytes == UINT64_MAX - 1);
}

static void test_format(void **state)
{
        char text[USAGE_TEXT_MAX];

        usage_format_permyriad(12345, text);
        assert_string_equal(text, "123.45%");
        usage_format_permyriad(USAGE_UNKNOWN, text);
        assert_string_equal(text, "-");
        usage_format_pair(1536, 2048, text);
        assert_string_equal(text, "1.5K / 2K");
        usage_format_pair(1, USAGE_UNKNOWN, text);
        assert_string_equal(text, "1 / -");
        usage_format_pair(USAGE_UNKNOWN, USAGE_UNKNOWN, text);
        assert_string_equal(text, "-");
}

#define CASE(name, f)                                 \
        {                                             \
                name, f, make_table, free_table, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("makes rates of two answers", test_rates),
                CASE("makes no rate of a counter that began anew", test_restart),
                CASE("counts memory without what goes first, against the limit", test_memory),
                CASE("forgets containers that are gone", test_forget),
                CASE("sorts by each column, the unknown last", test_order),
                CASE("keeps a bounded history", test_history),
                CASE("takes whatever the numbers are", test_hostile_numbers),
                CASE("formats what is known and what is not", test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
