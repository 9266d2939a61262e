/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"
#include "model/slice.h"

struct json_object;

/* What containers use, made of one answer of GetStats after the other: rates are differences of two
 * of them, and some are kept for a curve. No clock is read here and nothing is asked for. */

#define USAGE_HISTORY 120
#define USAGE_UNKNOWN UINT64_MAX

/* CPU: ten thousandths of one processor's time, so that 10000 is 100 %. */
typedef struct Usage {
        char *name;
        char state[16];
        char slice[SLICE_UNIT_MAX]; /* that it shares with others; "": none */
        uint64_t cpu_permyriad; /* USAGE_UNKNOWN until there are two answers; so are all rates */
        uint64_t cpu_quota_permyriad; /* USAGE_UNKNOWN: none */
        uint64_t memory_bytes;        /* without what the kernel drops first, as docker counts it */
        uint64_t memory_max_bytes;    /* the limit, or the host's memory where that is less */
        uint64_t memory_permyriad;    /* of memory_max_bytes */
        uint64_t receive_bytes, transmit_bytes, read_bytes, write_bytes; /* since the beginning */
        uint64_t network_rate, io_rate; /* bytes a second, both directions */
        uint64_t tasks, tasks_max;
        uint64_t oom_kills;
        uint64_t uptime_usec;
        uint64_t memory_pressure_permyriad;

        /* The newest is at history_end - 1, and so on backwards, modulo USAGE_HISTORY. */
        uint64_t cpu_history[USAGE_HISTORY], memory_history[USAGE_HISTORY]; /* permyriad */
        size_t history_end, n_history;

        uint64_t cpu_nsec, network_bytes, io_bytes; /* of the last answer */
        uint64_t sampled_usec;                      /* its time; 0: there was none */
        int is_seen;
} Usage;

typedef struct UsageTable {
        Usage **rows;
        size_t n_rows, room;
        uint64_t host_memory_bytes;
} UsageTable;

#define USAGE_TABLE_INIT ((UsageTable){ 0 })

void usage_table_done(UsageTable *table);

/* Takes an answer: {NAME: {KEY: VALUE}}. Containers that are not in it are forgotten.
 * @now_usec   when it came, by a clock that does not go back
 * Returns     0; -ENOMEM, with the table usable */
int usage_table_update(UsageTable *table, struct json_object *stats, uint64_t now_usec);

typedef enum UsageOrder {
        USAGE_ORDER_NAME,
        USAGE_ORDER_CPU,
        USAGE_ORDER_MEMORY,
        USAGE_ORDER_NETWORK,
        USAGE_ORDER_IO,
        USAGE_ORDER_TASKS,
        USAGE_ORDER_UPTIME,
        _USAGE_ORDER_MAX,
        _USAGE_ORDER_INVALID = -22,
} UsageOrder;

const char *usage_order_to_string(UsageOrder order);
UsageOrder usage_order_from_string(const char *s);

/* The largest first, names from A; what is equal, or not known, by name, unknown last.
 * @is_reverse   the other way round, but unknown still last */
void usage_table_sort(UsageTable *table, UsageOrder order, int is_reverse);

/* The @i-th newest value of a history. */
static inline uint64_t usage_history_get(const uint64_t history[USAGE_HISTORY], const Usage *usage,
                                         size_t i)
{
        return history[(usage->history_end + USAGE_HISTORY - 1 - i) % USAGE_HISTORY];
}

/* "12.34%", "-" when it is not known. */
#define USAGE_TEXT_MAX 48
void usage_format_permyriad(uint64_t permyriad, char ret[USAGE_TEXT_MAX]);

/* "12.3M / 64M": "-" for one that is not known, "- / -" becomes "-". */
void usage_format_pair(uint64_t one, uint64_t other, char ret[USAGE_TEXT_MAX]);
