/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl/top-view.h"

#define WARN_PERMYRIAD 7500
#define BAD_PERMYRIAD 9000
#define NAME_LEAST 8

typedef enum Column {
        COLUMN_NAME,
        COLUMN_STATE,
        COLUMN_CPU,
        COLUMN_CPU_BAR,
        COLUMN_CPU_CURVE,
        COLUMN_MEMORY,
        COLUMN_MEMORY_SHARE,
        COLUMN_MEMORY_BAR,
        COLUMN_MEMORY_CURVE,
        COLUMN_NETWORK,
        COLUMN_IO,
        COLUMN_TASKS,
        COLUMN_UPTIME,
        _COLUMN_MAX,
        _COLUMN_INVALID = -22,
} Column;

/* Who comes first when there is no room for all; the name takes what is left. */
static const struct {
        const char *title;
        size_t width;
        unsigned rank;
        UsageOrder order;
        int is_left;
} columns[_COLUMN_MAX] = {
        [COLUMN_NAME] = { "NAME", NAME_LEAST, 0, USAGE_ORDER_NAME, 1 },
        [COLUMN_STATE] = { "STATE", 10, 9, _USAGE_ORDER_INVALID, 1 },
        [COLUMN_CPU] = { "CPU%", 8, 1, USAGE_ORDER_CPU, 0 },
        [COLUMN_CPU_BAR] = { "", 10, 7, _USAGE_ORDER_INVALID, 1 },
        [COLUMN_CPU_CURVE] = { "CPU HISTORY", 20, 10, _USAGE_ORDER_INVALID, 1 },
        [COLUMN_MEMORY] = { "MEM", 7, 2, USAGE_ORDER_MEMORY, 0 },
        [COLUMN_MEMORY_SHARE] = { "MEM%", 7, 4, _USAGE_ORDER_INVALID, 0 },
        [COLUMN_MEMORY_BAR] = { "", 10, 8, _USAGE_ORDER_INVALID, 1 },
        [COLUMN_MEMORY_CURVE] = { "MEM HISTORY", 20, 12, _USAGE_ORDER_INVALID, 1 },
        [COLUMN_NETWORK] = { "NET/S", 8, 5, USAGE_ORDER_NETWORK, 0 },
        [COLUMN_IO] = { "IO/S", 8, 6, USAGE_ORDER_IO, 0 },
        [COLUMN_TASKS] = { "TASKS", 6, 3, USAGE_ORDER_TASKS, 0 },
        [COLUMN_UPTIME] = { "UPTIME", 10, 11, USAGE_ORDER_UPTIME, 0 },
};

/* Widths, 0 for a column that is left out. */
static void make_layout(size_t width, size_t ret[_COLUMN_MAX])
{
        size_t used = 0;

        memset(ret, 0, sizeof(*ret) * _COLUMN_MAX);
        if (width < NAME_LEAST) {
                ret[COLUMN_NAME] = width;
                return;
        }
        for (unsigned rank = 0; rank < _COLUMN_MAX; rank++)
                for (int i = 0; i < _COLUMN_MAX; i++) {
                        size_t needed = columns[i].width + (used > 0);

                        if (columns[i].rank != rank || used + needed > width)
                                continue;
                        ret[i] = columns[i].width;
                        used += needed;
                }
        ret[COLUMN_NAME] += MIN2(width - used, (size_t)(64 - NAME_LEAST));
}

/* Exactly @width columns. */
static void add_cell(TopLine *line, const char *text, size_t width, int is_left, TopColor color)
{
        _drop_(drop_free) char *escaped = text_escape(text), *shown = NULL;
        TopCell *cell = &line->cells[line->n_cells];
        int padding;

        if (escaped)
                shown = text_ellipsize(escaped, width);
        if (!shown || line->n_cells >= TOP_CELLS_MAX)
                return;
        padding = (int)(width - MIN2(text_width(shown), width));
        (void)snprintf(cell->text, sizeof(cell->text), "%*s%s%*s", is_left ? 0 : padding, "", shown,
                       is_left ? padding : 0, "");
        cell->color = color;
        line->n_cells++;
}

void top_view_format_head(const TopView *view, size_t width, TopLine *ret)
{
        size_t widths[_COLUMN_MAX];

        ret->n_cells = 0;
        make_layout(width, widths);
        for (int i = 0; i < _COLUMN_MAX; i++) {
                int is_order = columns[i].order == view->order;
                char title[32];

                (void)snprintf(title, sizeof(title), "%s%s", columns[i].title,
                               !is_order          ? ""
                               : view->is_reverse ? "^"
                                                  : "v");
                if (widths[i] > 0)
                        add_cell(ret, title, widths[i], columns[i].is_left, TOP_COLOR_NONE);
        }
}

static const char *block(const TopView *view, unsigned eighths)
{
        static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
        static const char *const signs[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };

        return view->has_unicode ? blocks[MIN2(eighths, 8U)] : signs[MIN2(eighths, 8U)];
}

void top_view_format_bar(const TopView *view, uint64_t permyriad, size_t width,
                         char ret[TOP_CELL_MAX])
{
        uint64_t filled = permyriad == USAGE_UNKNOWN
                                  ? 0
                                  : (MIN2(permyriad, UINT64_C(10000)) * width + 5000) / 10000;
        size_t n = 0;

        ret[0] = 0;
        for (size_t i = 0; i < width && n + 8 < TOP_CELL_MAX; i++) {
                const char *sign = i < filled ? block(view, 8) : view->has_unicode ? "·" : ".";

                n += (size_t)snprintf(ret + n, TOP_CELL_MAX - n, "%s", sign);
        }
}

/* Of the @n newest that are known; 0: none. */
static uint64_t history_max(const Usage *usage, const uint64_t history[USAGE_HISTORY], size_t n)
{
        uint64_t max = 0;

        for (size_t i = 0; i < n && i < usage->n_history; i++) {
                uint64_t value = usage_history_get(history, usage, i);

                if (value != USAGE_UNKNOWN)
                        max = MAX2(max, value);
        }
        return max;
}

void top_view_format_curve(const TopView *view, const Usage *usage,
                           const uint64_t history[USAGE_HISTORY], uint64_t whole, size_t width,
                           char ret[TOP_CELL_MAX])
{
        size_t n = 0;

        width = MIN2(width, (size_t)USAGE_HISTORY);
        if (whole == 0)
                whole = history_max(usage, history, width);
        ret[0] = 0;
        for (size_t i = width; i > 0 && n + 8 < TOP_CELL_MAX; i--) {
                uint64_t value = USAGE_UNKNOWN;
                unsigned eighths = 0;

                if (i <= usage->n_history)
                        value = usage_history_get(history, usage, i - 1);
                if (value != USAGE_UNKNOWN && value > 0 && whole > 0)
                        eighths = MAX2(1U, (unsigned)(MIN2(value, whole) * 8 / whole));
                n += (size_t)snprintf(ret + n, TOP_CELL_MAX - n, "%s", block(view, eighths));
        }
}

static TopColor share_color(uint64_t permyriad)
{
        if (permyriad == USAGE_UNKNOWN)
                return TOP_COLOR_NONE;
        if (permyriad >= BAD_PERMYRIAD)
                return TOP_COLOR_BAD;
        return permyriad >= WARN_PERMYRIAD ? TOP_COLOR_WARN : TOP_COLOR_GOOD;
}

static TopColor state_color(const char *state)
{
        if (strcmp(state, "active") == 0)
                return TOP_COLOR_GOOD;
        if (strcmp(state, "failed") == 0)
                return TOP_COLOR_BAD;
        return strcmp(state, "stopped") == 0 ? TOP_COLOR_DIM : TOP_COLOR_WARN;
}

static void format_bytes(uint64_t bytes, char ret[TOP_CELL_MAX])
{
        char text[TEXT_BYTES_MAX];

        if (bytes == USAGE_UNKNOWN) {
                (void)snprintf(ret, TOP_CELL_MAX, "-");
                return;
        }
        text_format_bytes(bytes, text);
        (void)snprintf(ret, TOP_CELL_MAX, "%s", text);
}

static void format_number(uint64_t number, char ret[TOP_CELL_MAX])
{
        if (number == USAGE_UNKNOWN)
                (void)snprintf(ret, TOP_CELL_MAX, "-");
        else
                (void)snprintf(ret, TOP_CELL_MAX, "%" PRIu64, number);
}

static void format_uptime(uint64_t usec, char ret[TOP_CELL_MAX])
{
        char text[TEXT_SPAN_MAX] = "-";

        if (usec != USAGE_UNKNOWN)
                text_format_span(usec, text);
        (void)snprintf(ret, TOP_CELL_MAX, "%s", text);
}

/* What a container may use of a processor is what its bar is full at. */
static uint64_t cpu_whole(const Usage *usage)
{
        return usage->cpu_quota_permyriad == USAGE_UNKNOWN || usage->cpu_quota_permyriad == 0
                       ? 10000
                       : usage->cpu_quota_permyriad;
}

static uint64_t cpu_share(const Usage *usage)
{
        if (usage->cpu_permyriad == USAGE_UNKNOWN)
                return USAGE_UNKNOWN;
        return usage->cpu_permyriad * 10000 / cpu_whole(usage);
}

/* Only when it is nearly used up: a number in green would say nothing. */
static TopColor tasks_color(const Usage *usage)
{
        if (usage->tasks == USAGE_UNKNOWN || usage->tasks_max == USAGE_UNKNOWN)
                return TOP_COLOR_NONE;
        return usage->tasks >= usage->tasks_max - usage->tasks_max / 10 ? TOP_COLOR_BAD
                                                                        : TOP_COLOR_NONE;
}

static TopColor format_column(const TopView *view, Column column, const Usage *usage, size_t width,
                              char ret[TOP_CELL_MAX])
{
        switch (column) {
        case COLUMN_NAME:
                (void)snprintf(ret, TOP_CELL_MAX, "%s", usage->name);
                break;
        case COLUMN_STATE:
                (void)snprintf(ret, TOP_CELL_MAX, "%s", usage->state);
                return state_color(usage->state);
        case COLUMN_CPU:
                usage_format_permyriad(usage->cpu_permyriad, ret);
                return share_color(cpu_share(usage));
        case COLUMN_CPU_BAR:
                top_view_format_bar(view, cpu_share(usage), width, ret);
                return share_color(cpu_share(usage));
        case COLUMN_CPU_CURVE:
                top_view_format_curve(view, usage, usage->cpu_history, 0, width, ret);
                break;
        case COLUMN_MEMORY:
                format_bytes(usage->memory_bytes, ret);
                break;
        case COLUMN_MEMORY_SHARE:
                usage_format_permyriad(usage->memory_permyriad, ret);
                return share_color(usage->memory_permyriad);
        case COLUMN_MEMORY_BAR:
                top_view_format_bar(view, usage->memory_permyriad, width, ret);
                return share_color(usage->memory_permyriad);
        case COLUMN_MEMORY_CURVE:
                top_view_format_curve(view, usage, usage->memory_history, 10000, width, ret);
                break;
        case COLUMN_NETWORK:
                format_bytes(usage->network_rate, ret);
                break;
        case COLUMN_IO:
                format_bytes(usage->io_rate, ret);
                break;
        case COLUMN_TASKS:
                format_number(usage->tasks, ret);
                return tasks_color(usage);
        case COLUMN_UPTIME:
                format_uptime(usage->uptime_usec, ret);
                break;
        case _COLUMN_MAX:
        case _COLUMN_INVALID:
                ret[0] = 0;
                break;
        }
        return TOP_COLOR_NONE;
}

void top_view_format_row(const TopView *view, const Usage *usage, size_t width, TopLine *ret)
{
        size_t widths[_COLUMN_MAX];

        ret->n_cells = 0;
        make_layout(width, widths);
        for (int i = 0; i < _COLUMN_MAX; i++) {
                char text[TOP_CELL_MAX];
                TopColor color;

                if (widths[i] == 0)
                        continue;
                color = format_column(view, (Column)i, usage, widths[i], text);
                add_cell(ret, text, widths[i], columns[i].is_left, color);
        }
}

static uint64_t add_known(uint64_t sum, uint64_t value)
{
        return value == USAGE_UNKNOWN ? sum : sum + MIN2(value, UINT64_MAX - sum);
}

void top_view_format_summary(const TopView *view, const UsageTable *table, size_t width,
                             TopLine *ret)
{
        uint64_t cpu = 0, memory = 0, tasks = 0;
        char bytes[TEXT_BYTES_MAX], host[TEXT_BYTES_MAX], share[USAGE_TEXT_MAX], text[256];
        size_t n_active = 0;

        for (size_t i = 0; i < table->n_rows; i++) {
                cpu = add_known(cpu, table->rows[i]->cpu_permyriad);
                memory = add_known(memory, table->rows[i]->memory_bytes);
                tasks = add_known(tasks, table->rows[i]->tasks);
                n_active += strcmp(table->rows[i]->state, "active") == 0;
        }
        text_format_bytes(memory, bytes);
        text_format_bytes(table->host_memory_bytes, host);
        usage_format_permyriad(cpu, share);
        (void)snprintf(text, sizeof(text),
                       "%zu containers, %zu active  CPU %s  Memory %s of %s  Tasks %" PRIu64 "%s",
                       table->n_rows, n_active, share, bytes, host, tasks,
                       view->is_paused ? "  [paused]" : "");
        ret->n_cells = 0;
        add_cell(ret, text, width, 1, TOP_COLOR_NONE);
}

void top_view_clamp(TopView *view, size_t n_rows)
{
        size_t last = n_rows > view->n_shown ? n_rows - view->n_shown : 0;

        view->first = MIN2(view->first, last);
}

static int choose_order(TopView *view, UsageOrder order)
{
        view->is_reverse = order == view->order ? !view->is_reverse : 0;
        view->order = order;
        view->first = 0;
        return 1;
}

static int key_scroll(TopView *view, int key, size_t n_rows)
{
        size_t page = MAX2(view->n_shown, (size_t)1);

        if (key == TOP_KEY_UP || key == 'k')
                view->first -= view->first > 0;
        else if (key == TOP_KEY_DOWN || key == 'j')
                view->first++;
        else if (key == TOP_KEY_PAGE_UP)
                view->first -= MIN2(view->first, page);
        else if (key == TOP_KEY_PAGE_DOWN)
                view->first += page;
        else if (key == TOP_KEY_HOME)
                view->first = 0;
        else if (key == TOP_KEY_END)
                view->first = n_rows;
        else
                return 0;
        top_view_clamp(view, n_rows);
        return 1;
}

int top_view_key(TopView *view, int key, size_t n_rows)
{
        static const char letters[] = "ncmwitu"; /* as UsageOrder */
        const char *letter = key > 0 && key < 128 ? strchr(letters, key) : NULL;
        int step = key == TOP_KEY_RIGHT || key == '>' ? 1 : _USAGE_ORDER_MAX - 1;

        if (letter)
                return choose_order(view, (UsageOrder)(letter - letters));
        switch (key) {
        case 'q':
        case 'Q':
        case 3:  /* ^C */
        case 28: /* ^\ */
                view->is_ended = 1;
                return 1;
        case 'r':
                view->is_reverse = !view->is_reverse;
                return 1;
        case ' ':
        case 'p':
                view->is_paused = !view->is_paused;
                return 1;
        case TOP_KEY_LEFT:
        case TOP_KEY_RIGHT:
        case '<':
        case '>':
                view->order = (UsageOrder)(((int)view->order + step) % _USAGE_ORDER_MAX);
                view->is_reverse = 0;
                return 1;
        default:
                return key_scroll(view, key, n_rows);
        }
}
