/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/usage.h"

/* What the full-screen view shows and what its keys do, without a screen: lines are cells of text
 * with a colour, made to a width. */

typedef enum TopColor {
        TOP_COLOR_NONE,
        TOP_COLOR_GOOD,
        TOP_COLOR_WARN,
        TOP_COLOR_BAD,
        TOP_COLOR_DIM,
        _TOP_COLOR_MAX,
        _TOP_COLOR_INVALID = -22,
} TopColor;

#define TOP_CELL_MAX 512
#define TOP_CELLS_MAX 16

/* A line of cells with a blank between two, none of them wider than it was to be. */
typedef struct TopCell {
        char text[TOP_CELL_MAX];
        TopColor color;
} TopCell;

typedef struct TopLine {
        TopCell cells[TOP_CELLS_MAX];
        size_t n_cells;
} TopLine;

typedef enum TopKey {
        TOP_KEY_UP = 0x10000, /* above every character */
        TOP_KEY_DOWN,
        TOP_KEY_PAGE_UP,
        TOP_KEY_PAGE_DOWN,
        TOP_KEY_HOME,
        TOP_KEY_END,
        TOP_KEY_LEFT,
        TOP_KEY_RIGHT,
} TopKey;

typedef struct TopView {
        UsageOrder order;
        int is_reverse;
        int is_paused;
        int is_ended;    /* somebody wants to leave */
        size_t first;    /* row of the table that is shown on top */
        size_t n_shown;  /* rows that there is room for, set by who draws */
        int has_unicode; /* bars and curves may be drawn with its blocks */
} TopView;

#define TOP_VIEW_INIT ((TopView){ .order = USAGE_ORDER_CPU })

/* @key   a character or a TopKey. Returns 1 when what is shown has changed. */
int top_view_key(TopView *view, int key, size_t n_rows);

/* The first row such that none is wasted when there are fewer rows, or more room. */
void top_view_clamp(TopView *view, size_t n_rows);

/* The head of the table and a row of it, in @width columns. */
void top_view_format_head(const TopView *view, size_t width, TopLine *ret);
void top_view_format_row(const TopView *view, const Usage *usage, size_t width, TopLine *ret);

/* All together: how many, and the sums of what is known. One cell. */
void top_view_format_summary(const TopView *view, const UsageTable *table, size_t width,
                             TopLine *ret);

/* @width columns, filled to @permyriad. */
void top_view_format_bar(const TopView *view, uint64_t permyriad, size_t width,
                         char ret[TOP_CELL_MAX]);

/* The newest values to the right; each as high as its part of @whole, or of the largest where that
 * is 0. */
void top_view_format_curve(const TopView *view, const Usage *usage,
                           const uint64_t history[USAGE_HISTORY], uint64_t whole, size_t width,
                           char ret[TOP_CELL_MAX]);
