/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "basic/macro.h"

/* Rows of text in columns that are as wide as they must be and, together, not wider than the
 * terminal: the widest of those that may shrink gives way first. */

typedef enum TableColor {
        TABLE_COLOR_NONE,
        TABLE_COLOR_GREEN,
        TABLE_COLOR_YELLOW,
        TABLE_COLOR_RED,
        TABLE_COLOR_DIM,
} TableColor;

typedef struct TableColumn {
        const char *title;
        int is_right;      /* numbers */
        int is_shrinkable; /* may end in an ellipsis */
} TableColumn;

typedef struct Table Table;

#define TABLE_COLUMNS_MAX 16

/* @columns   must live as long as the table */
Table *table_new(const TableColumn *columns, size_t n_columns);
Table *table_free(Table *table);
DEFINE_DROP(Table, table, table_free);

/* Fills the next cell, from left to right; after the last of a row a new row begins. Control
 * characters are shown escaped. Returns 0; -ENOMEM. */
int table_add(Table *table, TableColor color, const char *text);

/* @width        how many columns there are; SIZE_MAX: no bound
 * @has_legend   with the titles, and the count of rows as "N NOUN" below, if there is a @noun
 * @has_colors   else colours are left out
 * Returns 0; -ENOMEM. */
int table_print(const Table *table, FILE *out, size_t width, int has_legend, int has_colors,
                const char *noun);

/* @text between the codes of a colour. */
const char *table_color_begin(TableColor color);
const char *table_color_end(TableColor color);
