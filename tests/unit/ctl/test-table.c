/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/table.h"

static const TableColumn columns[] = {
        { .title = "NAME", .is_shrinkable = 1 },
        { .title = "N", .is_right = 1 },
        { .title = "PATH", .is_shrinkable = 1 },
};

static Table *make_table(void)
{
        static const char *const cells[] = { "one",          "5",     "/srv",
                                             "another-name", "12345", "/usr/share/long/path" };
        Table *table = table_new(columns, ELEMENTSOF(columns));

        assert_non_null(table);
        for (size_t i = 0; i < ELEMENTSOF(cells); i++)
                assert_int_equal(
                        table_add(table, i == 0 ? TABLE_COLOR_GREEN : TABLE_COLOR_NONE, cells[i]),
                        0);
        return table;
}

static void expect_printed(const Table *table, size_t width, int has_legend, int has_colors,
                           const char *expected)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        assert_non_null(out);
        assert_int_equal(table_print(table, out, width, has_legend, has_colors, "thing"), 0);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, expected);
        free(text);
}

static void test_layout(void **state)
{
        Table *table = make_table();

        expect_printed(table, SIZE_MAX, 1, 0,
                       "NAME              N  PATH\n"
                       "one               5  /srv\n"
                       "another-name  12345  /usr/share/long/path\n"
                       "\n2 things.\n");
        table_free(table);
}

static void test_no_legend(void **state)
{
        Table *table = make_table();

        expect_printed(table, SIZE_MAX, 0, 0,
                       "one               5  /srv\n"
                       "another-name  12345  /usr/share/long/path\n");
        table_free(table);
}

static void test_shrink(void **state)
{
        Table *table = make_table();

        expect_printed(table, 33, 0, 0,
                       "one               5  /srv\n"
                       "another-name  12345  /usr/share/…\n");
        expect_printed(table, 29, 0, 0,
                       "one             5  /srv\n"
                       "another-n…  12345  /usr/shar…\n");
        table_free(table);
}

/* Too narrow for anything: wider than asked for, but every column can be told. */
static void test_narrow(void **state)
{
        Table *table = make_table();

        expect_printed(table, 5, 0, 0,
                       "one         5  /srv\n"
                       "anoth…  12345  /usr/…\n");
        table_free(table);
}

static void test_colors(void **state)
{
        Table *table = make_table();

        expect_printed(table, SIZE_MAX, 0, 1,
                       "\033[32mone\033[0m               5  /srv\n"
                       "another-name  12345  /usr/share/long/path\n");
        table_free(table);
}

static void test_empty(void **state)
{
        Table *table = table_new(columns, ELEMENTSOF(columns));

        expect_printed(table, SIZE_MAX, 1, 0, "0 things.\n");
        expect_printed(table, SIZE_MAX, 0, 0, "");
        table_free(table);
}

static void test_escaped(void **state)
{
        Table *table = table_new(columns, ELEMENTSOF(columns));

        assert_int_equal(table_add(table, TABLE_COLOR_NONE, "a\033[2Jb"), 0);
        assert_int_equal(table_add(table, TABLE_COLOR_NONE, "1"), 0);
        assert_int_equal(table_add(table, TABLE_COLOR_NONE, "ä"), 0);
        expect_printed(table, SIZE_MAX, 1, 0,
                       "NAME       N  PATH\n"
                       "a\\x1b[2Jb  1  ä\n"
                       "\n1 thing.\n");
        table_free(table);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "makes columns as wide as they must be", test_layout },
                { "leaves out the legend", test_no_legend },
                { "lets the widest column give way first", test_shrink },
                { "keeps something of every column", test_narrow },
                { "colours cells without counting the codes", test_colors },
                { "has no head without rows", test_empty },
                { "shows control characters instead of sending them", test_escaped },
        };

        if (!setlocale(LC_CTYPE, "C.UTF-8"))
                return EXIT_FAILURE;
        return cmocka_run_group_tests_name("ctl/table", tests, NULL, NULL);
}
