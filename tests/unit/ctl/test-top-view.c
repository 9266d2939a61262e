/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/json.h"
#include "ctl/text.h"
#include "ctl/top-view.h"

#define SECOND UINT64_C(1000000)

static const char busy[] =
        "{\"web\": {\"State\": \"active\", \"CPUUsageNSec\": %llu, \"CPUQuotaPerSecUSec\": 500000,"
        " \"MemoryCurrent\": 980, \"MemoryMax\": 1000, \"TasksCurrent\": 49, \"TasksMax\": 50,"
        " \"UptimeUSec\": 90000000}, \"idle\": {\"State\": \"stopped\"}}";

static int make_table(void **state)
{
        static UsageTable table;

        table = (UsageTable){ .host_memory_bytes = 4096 };
        for (uint64_t i = 1; i <= 5; i++) {
                char text[512];
                json_object *stats;

                (void)snprintf(text, sizeof(text), busy,
                               (unsigned long long)(i * (i - 1) * 20000000));
                stats = json_tokener_parse(text);
                assert_int_equal(usage_table_update(&table, stats, i * SECOND), 0);
                json_object_put(stats);
        }
        usage_table_sort(&table, USAGE_ORDER_CPU, 0);
        *state = &table;
        return 0;
}

static int free_table(void **state)
{
        usage_table_done(*state);
        return 0;
}

static void join(const TopLine *line, char text[4096])
{
        text[0] = 0;
        for (size_t i = 0; i < line->n_cells; i++)
                (void)snprintf(text + strlen(text), 4096 - strlen(text), "%s%s", i > 0 ? " " : "",
                               line->cells[i].text);
}

/* Whatever the terminal is, no line is wider, and head and rows stand below each other. */
static void test_widths(void **state)
{
        const UsageTable *table = *state;
        TopView view = TOP_VIEW_INIT;
        char text[4096];
        TopLine line;

        for (int has_unicode = 0; has_unicode < 2; has_unicode++)
                for (size_t width = 1; width < 400; width++) {
                        size_t head_width;

                        view.has_unicode = has_unicode;
                        top_view_format_head(&view, width, &line);
                        assert_true(line.n_cells >= 1);
                        join(&line, text);
                        head_width = text_width(text);
                        assert_true(head_width <= width);
                        for (size_t i = 0; i < table->n_rows; i++) {
                                top_view_format_row(&view, table->rows[i], width, &line);
                                join(&line, text);
                                assert_int_equal(text_width(text), head_width);
                        }
                        top_view_format_summary(&view, table, width, &line);
                        join(&line, text);
                        assert_true(text_width(text) <= width);
                }
}

static void test_row(void **state)
{
        const UsageTable *table = *state;
        TopView view = TOP_VIEW_INIT;
        char text[4096];
        TopLine line;

        top_view_format_row(&view, table->rows[0], 60, &line);
        join(&line, text);
        assert_non_null(strstr(text, "web "));
        assert_non_null(strstr(text, " 16.00% "));
        assert_non_null(strstr(text, " 98.00% "));
        assert_non_null(strstr(text, " 49"));
        top_view_format_row(&view, table->rows[1], 200, &line);
        join(&line, text);
        assert_non_null(strstr(text, "stopped"));
        assert_non_null(strstr(text, " - "));
}

static void test_colors(void **state)
{
        const UsageTable *table = *state;
        TopView view = TOP_VIEW_INIT;
        int n_bad = 0, n_good = 0;
        TopLine line;

        top_view_format_row(&view, table->rows[0], 200, &line);
        for (size_t i = 0; i < line.n_cells; i++) {
                n_bad += line.cells[i].color == TOP_COLOR_BAD;   /* memory, its bar, tasks */
                n_good += line.cells[i].color == TOP_COLOR_GOOD; /* state, cpu, its bar */
        }
        assert_int_equal(n_bad, 3);
        assert_int_equal(n_good, 3);
}

static void test_head(void **state)
{
        TopView view = TOP_VIEW_INIT;
        char text[4096];
        TopLine line;

        top_view_format_head(&view, 80, &line);
        join(&line, text);
        assert_non_null(strstr(text, "CPU%v"));
        assert_null(strstr(text, "NAMEv"));
        view.order = USAGE_ORDER_NAME;
        view.is_reverse = 1;
        top_view_format_head(&view, 80, &line);
        join(&line, text);
        assert_non_null(strstr(text, "NAME^"));
}

static void test_summary(void **state)
{
        TopView view = TOP_VIEW_INIT;
        char text[4096];
        TopLine line;

        view.is_paused = 1;
        top_view_format_summary(&view, *state, 200, &line);
        join(&line, text);
        assert_non_null(strstr(text, "2 containers, 1 active  CPU 16.00%  Memory 980 of 4K  "
                                     "Tasks 49  [paused]"));
}

static void test_bar(void **state)
{
        TopView view = TOP_VIEW_INIT;
        char text[TOP_CELL_MAX];

        top_view_format_bar(&view, 5000, 10, text);
        assert_string_equal(text, "#####.....");
        top_view_format_bar(&view, UINT32_MAX, 4, text);
        assert_string_equal(text, "####");
        top_view_format_bar(&view, USAGE_UNKNOWN, 4, text);
        assert_string_equal(text, "....");
        top_view_format_bar(&view, 10000, 100000, text);
        assert_true(strlen(text) < TOP_CELL_MAX);
        view.has_unicode = 1;
        top_view_format_bar(&view, 5000, 2, text);
        assert_string_equal(text, "█·");
}

static void test_curve(void **state)
{
        const UsageTable *table = *state;
        const Usage *usage = table->rows[0];
        TopView view = TOP_VIEW_INIT;
        char text[TOP_CELL_MAX];

        /* Shares of 4, 8, 12 and 16 %, after one that is not known. */
        top_view_format_curve(&view, usage, usage->cpu_history, 0, 6, text);
        assert_string_equal(text, "  :=*#");
        top_view_format_curve(&view, usage, usage->cpu_history, 3200, 3, text);
        assert_string_equal(text, ":-=");
        view.has_unicode = 1;
        top_view_format_curve(&view, usage, usage->cpu_history, 0, 4, text);
        assert_string_equal(text, "▂▄▆█");
        top_view_format_curve(&view, table->rows[1], table->rows[1]->cpu_history, 0, 3, text);
        assert_string_equal(text, "   ");
        top_view_format_curve(&view, usage, usage->cpu_history, 0, 100000, text);
        assert_true(strlen(text) < TOP_CELL_MAX);
}

static void test_keys(void **state)
{
        TopView view = TOP_VIEW_INIT;

        assert_int_equal(top_view_key(&view, 'm', 5), 1);
        assert_int_equal(view.order, USAGE_ORDER_MEMORY);
        assert_int_equal(view.is_reverse, 0);
        assert_int_equal(top_view_key(&view, 'm', 5), 1);
        assert_int_equal(view.is_reverse, 1);
        assert_int_equal(top_view_key(&view, 'n', 5), 1);
        assert_int_equal(view.is_reverse, 0);
        assert_int_equal(top_view_key(&view, '<', 5), 1);
        assert_int_equal(view.order, USAGE_ORDER_UPTIME);
        assert_int_equal(top_view_key(&view, TOP_KEY_RIGHT, 5), 1);
        assert_int_equal(view.order, USAGE_ORDER_NAME);
        assert_int_equal(top_view_key(&view, ' ', 5), 1);
        assert_int_equal(view.is_paused, 1);
        assert_int_equal(top_view_key(&view, 'z', 5), 0);
        assert_int_equal(top_view_key(&view, 0, 5), 0);
        assert_int_equal(top_view_key(&view, -1, 5), 0);
        assert_int_equal(view.is_ended, 0);
        assert_int_equal(top_view_key(&view, 'q', 5), 1);
        assert_int_equal(view.is_ended, 1);
}

static void test_scroll(void **state)
{
        TopView view = TOP_VIEW_INIT;

        view.n_shown = 10;
        assert_int_equal(top_view_key(&view, TOP_KEY_UP, 25), 1);
        assert_int_equal(view.first, 0);
        assert_int_equal(top_view_key(&view, TOP_KEY_DOWN, 25), 1);
        assert_int_equal(view.first, 1);
        assert_int_equal(top_view_key(&view, TOP_KEY_PAGE_DOWN, 25), 1);
        assert_int_equal(view.first, 11);
        assert_int_equal(top_view_key(&view, TOP_KEY_PAGE_DOWN, 25), 1);
        assert_int_equal(view.first, 15);
        assert_int_equal(top_view_key(&view, TOP_KEY_END, 25), 1);
        assert_int_equal(view.first, 15);
        assert_int_equal(top_view_key(&view, TOP_KEY_PAGE_UP, 25), 1);
        assert_int_equal(view.first, 5);
        assert_int_equal(top_view_key(&view, TOP_KEY_HOME, 25), 1);
        assert_int_equal(view.first, 0);
        view.first = 20;
        top_view_clamp(&view, 4);
        assert_int_equal(view.first, 0);
}

#define CASE(name, f)                                 \
        {                                             \
                name, f, make_table, free_table, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("fits any width, and lines things up", test_widths),
                CASE("shows what is known of a container", test_row),
                CASE("gives colours to what is nearly used up", test_colors),
                CASE("marks the column that is sorted by", test_head),
                CASE("sums up", test_summary),
                CASE("draws bars", test_bar),
                CASE("draws curves, the newest to the right", test_curve),
                CASE("obeys keys", test_keys),
                CASE("scrolls as far as there is something", test_scroll),
        };

        (void)setlocale(LC_ALL, "C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
