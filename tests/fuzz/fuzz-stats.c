/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first byte chooses the file, the rest is its text. Nothing that a kernel says, or a driver in
 * the name of a device, leads out of bounds. */

#include "cgroup/stats-parse.h"
#include "fuzz.h"

static const StatsKey keys[] = {
        { "anon", STAT_MEMORY_ANON },
        { "oom_kill", STAT_OOM_KILLS },
        { "usage_usec", STAT_CPU_USAGE, .multiply = 1000 },
        { "throttled_time", STAT_CPU_THROTTLED, .divide = 1000 },
        { NULL },
};

static void parse(int kind, const char *text, Stats *stats)
{
        switch (kind % 8) {
        case 0:
                stats_parse_keyed(text, keys, stats);
                break;
        case 1:
                stats_parse_number(text, STAT_MEMORY_MAX, stats);
                break;
        case 2:
                stats_parse_cpu_max(text, stats);
                break;
        case 3:
                stats_parse_io(text, stats);
                break;
        case 4:
                stats_parse_blkio(text, 0, stats);
                break;
        case 5:
                stats_parse_blkio(text, 1, stats);
                break;
        case 6:
                stats_parse_pressure(text, STAT_IO_PRESSURE_SOME, stats);
                break;
        case 7:
                stats_parse_cfs(text, text, stats);
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint64_t read_bytes = 0;
        Stats stats = { 0 };
        char *text;

        if (size == 0)
                return 0;
        text = fuzz_string(data + 1, size - 1);
        parse(data[0], text, &stats);
        free(text);

        PROMISE(stats.n_devices <= STATS_DEVICES_MAX);
        PROMISE(stats.set >> 1 >> (_STAT_MAX - 1) == 0);
        for (int i = 0; i < _STAT_MAX; i++)
                PROMISE(stats_has(&stats, (Stat)i) || stats.values[i] == 0);
        for (uint32_t i = 0; i < stats.n_devices; i++)
                read_bytes = MAX2(read_bytes, stats.devices[i].read_bytes);
        PROMISE(read_bytes <= stats.values[STAT_IO_READ_BYTES]);
        PROMISE(stats.values[STAT_IO_PRESSURE_SOME_AVG10] <= 10099);
        return 0;
}
