/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ctl/table.h"
#include "ctl/text.h"

#define GAP 2          /* between columns */
#define SHRINK_LEAST 6 /* what is left of a column that gives way */

typedef struct Cell {
        char *text;
        size_t width;
        TableColor color;
} Cell;

struct Table {
        const TableColumn *columns;
        size_t n_columns;
        Cell *cells;
        size_t n_cells, room;
};

Table *table_new(const TableColumn *columns, size_t n_columns)
{
        Table *table = calloc(1, sizeof(*table));

        assert(n_columns > 0 && n_columns <= TABLE_COLUMNS_MAX);
        if (!table)
                return NULL;
        table->columns = columns;
        table->n_columns = n_columns;
        return table;
}

Table *table_free(Table *table)
{
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i].text);
        free(table->cells);
        free(table);
        return NULL;
}

int table_add(Table *table, TableColor color, const char *text)
{
        char *escaped;

        if (table->n_cells == table->room) {
                size_t room = table->room ? table->room * 2 : 64;
                Cell *cells = reallocarray(table->cells, room, sizeof(Cell));

                if (!cells)
                        return -ENOMEM;
                table->cells = cells;
                table->room = room;
        }
        escaped = text_escape(text);
        if (!escaped)
                return -ENOMEM;
        table->cells[table->n_cells++] = (Cell){ .text = escaped,
                                                 .width = text_width(escaped),
                                                 .color = color };
        return 0;
}

static size_t total_width(const size_t *widths, size_t n)
{
        size_t total = (n - 1) * GAP;

        for (size_t i = 0; i < n; i++)
                total += widths[i];
        return total;
}

/* One column less of the widest, until all fits or nothing can give way. */
static void shrink(const Table *table, size_t *widths, size_t width)
{
        size_t total = total_width(widths, table->n_columns);

        for (; total > width; total--) {
                size_t widest = table->n_columns;

                for (size_t i = 0; i < table->n_columns; i++)
                        if (table->columns[i].is_shrinkable && widths[i] > SHRINK_LEAST &&
                            (widest == table->n_columns || widths[i] >= widths[widest]))
                                widest = i;
                if (widest == table->n_columns)
                        return;
                widths[widest]--;
        }
}

static void measure(const Table *table, size_t width, int has_legend, size_t *ret_widths)
{
        for (size_t i = 0; i < table->n_columns; i++)
                ret_widths[i] = has_legend ? strlen(table->columns[i].title) : 0;
        for (size_t i = 0; i < table->n_cells; i++) {
                size_t *column = &ret_widths[i % table->n_columns];

                *column = MAX2(*column, table->cells[i].width);
        }
        shrink(table, ret_widths, width);
}

const char *table_color_begin(TableColor color)
{
        switch (color) {
        case TABLE_COLOR_NONE:
                break;
        case TABLE_COLOR_GREEN:
                return "\033[32m";
        case TABLE_COLOR_YELLOW:
                return "\033[33m";
        case TABLE_COLOR_RED:
                return "\033[31m";
        case TABLE_COLOR_DIM:
                return "\033[2m";
        }
        return "";
}

const char *table_color_end(TableColor color)
{
        return color == TABLE_COLOR_NONE ? "" : "\033[0m";
}

static int print_cell(const Table *table, FILE *out, size_t column, size_t width, const char *text,
                      TableColor color)
{
        _drop_(drop_free) char *shown = text_ellipsize(text, width);
        int is_last = column + 1 == table->n_columns;
        int padding;

        if (!shown)
                return -ENOMEM;
        padding = (int)(width - text_width(shown));
        if (table->columns[column].is_right)
                fprintf(out, "%*s", padding, "");
        fprintf(out, "%s%s%s", table_color_begin(color), shown, table_color_end(color));
        if (is_last)
                fputc('\n', out);
        else
                fprintf(out, "%*s", GAP + (table->columns[column].is_right ? 0 : padding), "");
        return 0;
}

int table_print(const Table *table, FILE *out, size_t width, int has_legend, int has_colors,
                const char *noun)
{
        size_t widths[TABLE_COLUMNS_MAX], n_rows = table->n_cells / table->n_columns;

        measure(table, width, has_legend, widths);
        for (size_t i = 0; has_legend && n_rows > 0 && i < table->n_columns; i++) {
                int r = print_cell(table, out, i, widths[i], table->columns[i].title,
                                   TABLE_COLOR_NONE);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n_rows * table->n_columns; i++) {
                const Cell *cell = &table->cells[i];
                size_t column = i % table->n_columns;
                int r = print_cell(table, out, column, widths[column], cell->text,
                                   has_colors ? cell->color : TABLE_COLOR_NONE);

                if (r < 0)
                        return r;
        }
        if (has_legend && noun)
                fprintf(out, "%s%zu %s%s.\n", n_rows > 0 ? "\n" : "", n_rows, noun,
                        n_rows == 1 ? "" : "s");
        return 0;
}
