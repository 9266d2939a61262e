/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl/json.h"
#include "ctl/text.h"
#include "ctl/usage.h"

static Usage *usage_free(Usage *usage)
{
        free(usage->name);
        free(usage);
        return NULL;
}

void usage_table_done(UsageTable *table)
{
        for (size_t i = 0; i < table->n_rows; i++)
                usage_free(table->rows[i]);
        free(table->rows);
        table->rows = NULL;
        table->n_rows = table->room = 0;
}

static int compare_names(const void *a, const void *b)
{
        const Usage *const *one = a, *const *other = b;

        return strcmp((*one)->name, (*other)->name);
}

/* Among the first @n_sorted, which are in the order of names. */
static Usage *table_find(UsageTable *table, size_t n_sorted, const char *name)
{
        Usage key = { .name = (char *)(uintptr_t)name }, *p = &key;
        Usage **found = NULL;

        if (n_sorted > 0)
                found = bsearch(&p, table->rows, n_sorted, sizeof(*table->rows), compare_names);
        return found ? *found : NULL;
}

static Usage *table_add(UsageTable *table, const char *name)
{
        Usage *usage;

        if (table->n_rows == table->room) {
                size_t room = table->room ? table->room * 2 : 16;
                Usage **rows = reallocarray(table->rows, room, sizeof(*rows));

                if (!rows)
                        return NULL;
                table->rows = rows;
                table->room = room;
        }
        usage = calloc(1, sizeof(*usage));
        if (!usage)
                return NULL;
        usage->name = strdup(name);
        if (!usage->name)
                return usage_free(usage);
        table->rows[table->n_rows++] = usage;
        return usage;
}

/* @value of @whole without overflow; at most UINT32_MAX. */
static uint64_t to_permyriad(uint64_t value, uint64_t whole)
{
        double share;

        if (whole == 0 || value == USAGE_UNKNOWN || whole == USAGE_UNKNOWN)
                return USAGE_UNKNOWN;
        share = (double)value / (double)whole * 10000.0;
        return share > (double)UINT32_MAX ? UINT32_MAX : (uint64_t)(share + 0.5);
}

/* Growth in a second of a counter. One that went back has begun anew, with another life of the
 * container. */
static uint64_t to_rate(uint64_t before, uint64_t now, uint64_t usec)
{
        if (before == USAGE_UNKNOWN || now == USAGE_UNKNOWN || now < before || usec == 0)
                return USAGE_UNKNOWN;
        return (uint64_t)((double)(now - before) * (double)USEC_PER_SEC / (double)usec);
}

static uint64_t add_known(uint64_t a, uint64_t b)
{
        if (a == USAGE_UNKNOWN || b == USAGE_UNKNOWN)
                return a == USAGE_UNKNOWN ? b : a;
        return a > UINT64_MAX - 1 - b ? UINT64_MAX - 1 : a + b;
}

static uint64_t get(struct json_object *stats, const char *key)
{
        return json_get_u64(stats, key, USAGE_UNKNOWN);
}

static void take_memory(Usage *usage, struct json_object *stats, uint64_t host_bytes)
{
        uint64_t current = get(stats, "MemoryCurrent");
        uint64_t inactive = json_get_u64(stats, "MemoryInactiveFile", 0);
        uint64_t max = get(stats, "MemoryMax");

        usage->memory_bytes = current;
        if (current != USAGE_UNKNOWN)
                usage->memory_bytes = current > inactive ? current - inactive : 0;
        usage->memory_max_bytes = host_bytes > 0 ? MIN2(max, host_bytes) : max;
        usage->memory_permyriad = to_permyriad(usage->memory_bytes, usage->memory_max_bytes);
}

static void take_rates(Usage *usage, struct json_object *stats, uint64_t now_usec)
{
        uint64_t cpu = get(stats, "CPUUsageNSec");
        uint64_t network = add_known(usage->receive_bytes, usage->transmit_bytes);
        uint64_t io = add_known(usage->read_bytes, usage->write_bytes);
        uint64_t usec = usage->sampled_usec > 0 ? now_usec - usage->sampled_usec : 0;
        uint64_t cpu_rate = to_rate(usage->cpu_nsec, cpu, usec);

        usage->cpu_permyriad = to_permyriad(cpu_rate, UINT64_C(1000000000));
        usage->network_rate = to_rate(usage->network_bytes, network, usec);
        usage->io_rate = to_rate(usage->io_bytes, io, usec);
        usage->cpu_nsec = cpu;
        usage->network_bytes = network;
        usage->io_bytes = io;
        usage->sampled_usec = now_usec;
}

static void take_quota(Usage *usage, struct json_object *stats)
{
        uint64_t quota = get(stats, "CPUQuotaPerSecUSec");

        usage->cpu_quota_permyriad = to_permyriad(quota, USEC_PER_SEC);
}

static void remember(Usage *usage)
{
        usage->cpu_history[usage->history_end] = usage->cpu_permyriad;
        usage->memory_history[usage->history_end] = usage->memory_permyriad;
        usage->history_end = (usage->history_end + 1) % USAGE_HISTORY;
        usage->n_history = MIN2(usage->n_history + 1, (size_t)USAGE_HISTORY);
}

static void usage_take(Usage *usage, struct json_object *stats, uint64_t host_bytes,
                       uint64_t now_usec)
{
        (void)snprintf(usage->state, sizeof(usage->state), "%s",
                       json_get_string(stats, "State", "?"));
        (void)snprintf(usage->slice, sizeof(usage->slice), "%s",
                       json_get_string(stats, "Slice", ""));
        usage->receive_bytes = get(stats, "NetworkReceiveBytes");
        usage->transmit_bytes = get(stats, "NetworkTransmitBytes");
        usage->read_bytes = get(stats, "IOReadBytes");
        usage->write_bytes = get(stats, "IOWriteBytes");
        usage->tasks = get(stats, "TasksCurrent");
        usage->tasks_max = get(stats, "TasksMax");
        usage->oom_kills = get(stats, "OOMKills");
        usage->uptime_usec = get(stats, "UptimeUSec");
        usage->memory_pressure_permyriad = get(stats, "MemoryPressureSomeAvg10");
        take_memory(usage, stats, host_bytes);
        take_quota(usage, stats);
        take_rates(usage, stats, now_usec);
        remember(usage);
        usage->is_seen = 1;
}

static void drop_unseen(UsageTable *table)
{
        size_t n = 0;

        for (size_t i = 0; i < table->n_rows; i++) {
                if (table->rows[i]->is_seen)
                        table->rows[n++] = table->rows[i];
                else
                        usage_free(table->rows[i]);
        }
        table->n_rows = n;
}

int usage_table_update(UsageTable *table, struct json_object *stats, uint64_t now_usec)
{
        size_t n_known = table->n_rows;
        int r = 0;

        usage_table_sort(table, USAGE_ORDER_NAME, 0);
        for (size_t i = 0; i < n_known; i++)
                table->rows[i]->is_seen = 0;
        if (json_object_is_type(stats, json_type_object)) {
                json_object_object_foreach(stats, name, values)
                {
                        Usage *usage = table_find(table, n_known, name);

                        if (!usage)
                                usage = table_add(table, name);
                        if (usage)
                                usage_take(usage, values, table->host_memory_bytes, now_usec);
                        else
                                r = -ENOMEM;
                }
        }
        drop_unseen(table);
        return r;
}

static const char *const order_table[_USAGE_ORDER_MAX] = {
        [USAGE_ORDER_NAME] = "name",     [USAGE_ORDER_CPU] = "cpu",
        [USAGE_ORDER_MEMORY] = "memory", [USAGE_ORDER_NETWORK] = "network",
        [USAGE_ORDER_IO] = "io",         [USAGE_ORDER_TASKS] = "tasks",
        [USAGE_ORDER_UPTIME] = "uptime",
};

const char *usage_order_to_string(UsageOrder order)
{
        return (int)order >= 0 && order < _USAGE_ORDER_MAX ? order_table[order] : NULL;
}

UsageOrder usage_order_from_string(const char *s)
{
        for (int i = 0; i < _USAGE_ORDER_MAX; i++)
                if (strcmp(order_table[i], s) == 0)
                        return (UsageOrder)i;
        return _USAGE_ORDER_INVALID;
}

static uint64_t sort_value(const Usage *usage, UsageOrder order)
{
        switch (order) {
        case USAGE_ORDER_CPU:
                return usage->cpu_permyriad;
        case USAGE_ORDER_MEMORY:
                return usage->memory_bytes;
        case USAGE_ORDER_NETWORK:
                return usage->network_rate;
        case USAGE_ORDER_IO:
                return usage->io_rate;
        case USAGE_ORDER_TASKS:
                return usage->tasks;
        case USAGE_ORDER_UPTIME:
                return usage->uptime_usec;
        case USAGE_ORDER_NAME:
        case _USAGE_ORDER_MAX:
        case _USAGE_ORDER_INVALID:
                break;
        }
        return 0;
}

typedef struct SortKey {
        UsageOrder order;
        int is_reverse;
} SortKey;

static int compare(const void *a, const void *b, void *userdata)
{
        const Usage *one = *(Usage *const *)a, *other = *(Usage *const *)b;
        const SortKey *key = userdata;
        uint64_t x = sort_value(one, key->order), y = sort_value(other, key->order);
        int sign = key->is_reverse ? -1 : 1;

        if (key->order == USAGE_ORDER_NAME)
                return sign * strcmp(one->name, other->name);
        if (x == y)
                return strcmp(one->name, other->name);
        if (x == USAGE_UNKNOWN || y == USAGE_UNKNOWN)
                return x == USAGE_UNKNOWN ? 1 : -1;
        return x < y ? sign : -sign;
}

void usage_table_sort(UsageTable *table, UsageOrder order, int is_reverse)
{
        SortKey key = { order, is_reverse };

        if (table->n_rows > 1)
                qsort_r(table->rows, table->n_rows, sizeof(*table->rows), compare, &key);
}

void usage_format_permyriad(uint64_t permyriad, char ret[USAGE_TEXT_MAX])
{
        if (permyriad == USAGE_UNKNOWN)
                (void)snprintf(ret, USAGE_TEXT_MAX, "-");
        else
                (void)snprintf(ret, USAGE_TEXT_MAX, "%" PRIu64 ".%02" PRIu64 "%%", permyriad / 100,
                               permyriad % 100);
}

static void format_bytes(uint64_t bytes, char ret[TEXT_BYTES_MAX])
{
        if (bytes == USAGE_UNKNOWN)
                (void)snprintf(ret, TEXT_BYTES_MAX, "-");
        else
                text_format_bytes(bytes, ret);
}

void usage_format_pair(uint64_t one, uint64_t other, char ret[USAGE_TEXT_MAX])
{
        char a[TEXT_BYTES_MAX], b[TEXT_BYTES_MAX];

        format_bytes(one, a);
        format_bytes(other, b);
        if (one == USAGE_UNKNOWN && other == USAGE_UNKNOWN)
                (void)snprintf(ret, USAGE_TEXT_MAX, "-");
        else
                (void)snprintf(ret, USAGE_TEXT_MAX, "%.20s / %.20s", a, b);
}
