/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup/stats-parse.h"

static const StatsKey keys[] = {
        { "anon", STAT_MEMORY_ANON },
        { "file", STAT_MEMORY_FILE },
        { "usage_usec", STAT_CPU_USAGE, .multiply = 1000 },
        { "throttled_time", STAT_CPU_THROTTLED, .divide = 1000 },
        { NULL },
};

static void assert_stat(const Stats *stats, Stat stat, uint64_t value)
{
        if (!stats_has(stats, stat))
                fail_msg("%s is not known", stat_to_string(stat));
        if (stats->values[stat] != value)
                fail_msg("%s is %llu, not %llu", stat_to_string(stat),
                         (unsigned long long)stats->values[stat], (unsigned long long)value);
}

static void test_keyed(void **state)
{
        Stats stats = { 0 };

        stats_parse_keyed("anon 4096\nfile 81920\nfile_mapped 7\nusage_usec 12\n"
                          "throttled_time 5999\n",
                          keys, &stats);
        assert_stat(&stats, STAT_MEMORY_ANON, 4096);
        assert_stat(&stats, STAT_MEMORY_FILE, 81920);
        assert_stat(&stats, STAT_CPU_USAGE, 12000);
        assert_stat(&stats, STAT_CPU_THROTTLED, 5);
        assert_false(stats_has(&stats, STAT_MEMORY_KERNEL));
}

static void test_keyed_rubbish(void **state)
{
        static const char *const texts[] = {
                "",          "\n\n",      "anon",       "anon ",     "anon x\n",
                " anon 1\n", "anon\t1\n", "anon 1 2\n", "anon -1\n", "anonymous 1\n",
                "anon 1x\n", "xanon 1\n", "anon  1\n",  "ANON 1\n",  "anon 18446744073709551616\n",
        };
        Stats stats = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                stats_parse_keyed(texts[i], keys, &stats);
        assert_true(stats.set == 0);
}

/* A unit is smaller than ours: the number is as large as can be, never small again. */
static void test_keyed_overflow(void **state)
{
        Stats stats = { 0 };

        stats_parse_keyed("usage_usec 18446744073709551615\nanon 18446744073709551615", keys,
                          &stats);
        assert_stat(&stats, STAT_CPU_USAGE, UINT64_MAX);
        assert_stat(&stats, STAT_MEMORY_ANON, UINT64_MAX);
}

static void test_number(void **state)
{
        Stats stats = { 0 };

        stats_parse_number("123\n", STAT_MEMORY_CURRENT, &stats);
        assert_stat(&stats, STAT_MEMORY_CURRENT, 123);
        stats_parse_number("max\n", STAT_TASKS_MAX, &stats);
        assert_stat(&stats, STAT_TASKS_MAX, UINT64_MAX);
        stats_parse_number("9223372036854771712\n", STAT_MEMORY_MAX, &stats);
        assert_stat(&stats, STAT_MEMORY_MAX, UINT64_MAX);
        stats_parse_number("67108864\n", STAT_MEMORY_MAX, &stats);
        assert_stat(&stats, STAT_MEMORY_MAX, 67108864);
        stats_parse_number("9223372036854771712\n", STAT_MEMORY_PEAK, &stats);
        assert_stat(&stats, STAT_MEMORY_PEAK, 9223372036854771712ULL);
        stats_parse_number("", STAT_MEMORY_ANON, &stats);
        stats_parse_number("maximum\n", STAT_MEMORY_ANON, &stats);
        stats_parse_number("12\n13\n", STAT_MEMORY_FILE, &stats);
        assert_false(stats_has(&stats, STAT_MEMORY_ANON));
        assert_stat(&stats, STAT_MEMORY_FILE, 12);
}

static void test_quota(void **state)
{
        Stats stats = { 0 };

        stats_parse_cpu_max("garbage\n", &stats);
        stats_parse_cpu_max("50000\n", &stats);
        stats_parse_cpu_max("50000 0\n", &stats);
        stats_parse_cpu_max("18446744073709551615 1\n", &stats);
        stats_parse_cfs("50000\n", "0\n", &stats);
        assert_true(stats.set == 0);
        stats_parse_cpu_max("150000 100000\n", &stats);
        assert_stat(&stats, STAT_CPU_QUOTA, 1500000);
        stats_parse_cpu_max("max 100000\n", &stats);
        assert_stat(&stats, STAT_CPU_QUOTA, UINT64_MAX);
        stats_parse_cfs("25000\n", "50000\n", &stats);
        assert_stat(&stats, STAT_CPU_QUOTA, 500000);
        stats_parse_cfs("-1\n", "100000\n", &stats);
        assert_stat(&stats, STAT_CPU_QUOTA, UINT64_MAX);
}

static void test_io(void **state)
{
        Stats stats = { 0 };

        stats_parse_io("8:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=5 dios=6\n"
                       "254:16 rbytes=1 wbytes=2 rios=3 wios=4\n",
                       &stats);
        assert_stat(&stats, STAT_IO_READ_BYTES, 101);
        assert_stat(&stats, STAT_IO_WRITE_BYTES, 22);
        assert_stat(&stats, STAT_IO_READ_OPERATIONS, 6);
        assert_stat(&stats, STAT_IO_WRITE_OPERATIONS, 8);
        assert_int_equal(stats.n_devices, 2);
        assert_int_equal(stats.devices[1].major, 254);
        assert_int_equal(stats.devices[1].minor, 16);
        assert_int_equal(stats.devices[0].read_bytes, 100);
        assert_int_equal(stats.devices[1].write_operations, 4);
}

static void test_io_none(void **state)
{
        Stats stats = { 0 };

        stats_parse_io("", &stats);
        assert_stat(&stats, STAT_IO_READ_BYTES, 0);
        stats_parse_io("\n8:0\n:0 rbytes=1\n8 rbytes=1\n99999999999:1 rbytes=1\n"
                       "8:0 rbytes=\n8:0 rbytes=x wbytes\n",
                       &stats);
        assert_stat(&stats, STAT_IO_READ_BYTES, 0);
        assert_stat(&stats, STAT_IO_WRITE_OPERATIONS, 0);
}

static void test_blkio(void **state)
{
        Stats stats = { 0 };

        stats_parse_blkio("8:0 Read 4096\n8:0 Write 100\n8:0 Sync 1\n8:0 Total 4196\n"
                          "8:16 Read 4\n8:16 Write 0\nTotal 4200\n",
                          0, &stats);
        stats_parse_blkio("8:0 Read 7\n8:0 Write 8\nTotal 15\n", 1, &stats);
        assert_stat(&stats, STAT_IO_READ_BYTES, 4100);
        assert_stat(&stats, STAT_IO_WRITE_BYTES, 100);
        assert_stat(&stats, STAT_IO_READ_OPERATIONS, 7);
        assert_stat(&stats, STAT_IO_WRITE_OPERATIONS, 8);
        assert_int_equal(stats.n_devices, 2);
        assert_int_equal(stats.devices[0].read_operations, 7);
}

static void test_many_devices(void **state)
{
        char text[65536];
        Stats stats = { 0 };
        int n = 0;

        for (int i = 0; i < 1000; i++)
                n += snprintf(text + n, sizeof(text) - (size_t)n, "8:%d rbytes=1 wbytes=2\n", i);
        stats_parse_io(text, &stats);
        assert_stat(&stats, STAT_IO_READ_BYTES, 1000);
        assert_stat(&stats, STAT_IO_WRITE_BYTES, 2000);
        assert_int_equal(stats.n_devices, STATS_DEVICES_MAX);
}

static void test_io_saturates(void **state)
{
        Stats stats = { 0 };

        stats_parse_io("8:0 rbytes=18446744073709551615\n8:0 rbytes=18446744073709551615\n",
                       &stats);
        assert_stat(&stats, STAT_IO_READ_BYTES, UINT64_MAX);
        assert_true(stats.devices[0].read_bytes == UINT64_MAX);
}

static void test_pressure(void **state)
{
        Stats stats = { 0 };

        stats_parse_pressure("some avg10=12.34 avg60=5.00 avg300=1.00 total=123456\n"
                             "full avg10=100.00 avg60=0.00 avg300=0.00 total=42\n",
                             STAT_MEMORY_PRESSURE_SOME, &stats);
        assert_stat(&stats, STAT_MEMORY_PRESSURE_SOME, 123456);
        assert_stat(&stats, STAT_MEMORY_PRESSURE_SOME_AVG10, 1234);
        assert_stat(&stats, STAT_MEMORY_PRESSURE_FULL, 42);
        assert_stat(&stats, STAT_MEMORY_PRESSURE_FULL_AVG10, 10000);
        stats_parse_pressure("some avg10=0.01 total=7\n", STAT_CPU_PRESSURE_SOME, &stats);
        assert_stat(&stats, STAT_CPU_PRESSURE_SOME, 7);
        assert_stat(&stats, STAT_CPU_PRESSURE_SOME_AVG10, 1);
        assert_false(stats_has(&stats, STAT_CPU_PRESSURE_FULL));
}

static void test_pressure_rubbish(void **state)
{
        static const char *const texts[] = {
                "",
                "some\n",
                "some avg10= total=\n",
                "some avg10=1 total=x\n",
                "some avg10=1.2\n",
                "some avg10=101.00\n",
                "none avg10=1.00 total=1\n",
                "some total\n",
                "full",
        };
        Stats stats = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                stats_parse_pressure(texts[i], STAT_IO_PRESSURE_SOME, &stats);
        assert_true(stats.set == 0);
}

/* The keys are an interface: none twice, none forgotten. */
static void test_names(void **state)
{
        for (int i = 0; i < _STAT_MAX; i++) {
                assert_non_null(stat_to_string((Stat)i));
                assert_int_equal(stat_from_string(stat_to_string((Stat)i)), i);
        }
        assert_null(stat_to_string(_STAT_MAX));
        assert_null(stat_to_string(_STAT_INVALID));
        assert_int_equal(stat_from_string("memorycurrent"), _STAT_INVALID);
        assert_string_equal(stat_to_string(STAT_IO_PRESSURE_SOME + 3), "IOPressureFullAvg10");
}

static void assert_survives(const Stats *stats, size_t n_words)
{
        uint64_t packed[STATS_PACKED_MAX + 1];
        Stats unpacked;

        packed[n_words] = 42;
        assert_int_equal(stats_pack(stats, packed), n_words);
        assert_true(packed[n_words] == 42);
        memset(&unpacked, 0xff, sizeof(unpacked));
        assert_int_equal(stats_unpack(packed, &unpacked), n_words);
        assert_true(unpacked.set == stats->set);
        assert_int_equal(unpacked.n_devices, stats->n_devices);
        for (int i = 0; i < _STAT_MAX; i++)
                if (stats_has(stats, (Stat)i))
                        assert_true(unpacked.values[i] == stats->values[i]);
        assert_memory_equal(unpacked.devices, stats->devices,
                            stats->n_devices * sizeof(StatsDevice));
}

static void test_pack(void **state)
{
        Stats stats = { .set = 0 };

        assert_survives(&stats, 2);
        stats_set(&stats, STAT_MEMORY_CURRENT, 0);
        stats_set(&stats, STAT_UPTIME, UINT64_MAX);
        assert_survives(&stats, 4);
        for (int i = 0; i < _STAT_MAX; i++)
                stats_set(&stats, (Stat)i, (uint64_t)i << 40);
        for (uint32_t i = 0; i < STATS_DEVICES_MAX; i++)
                stats.devices[i] = (StatsDevice){ UINT32_MAX - i, i, UINT64_MAX, i, 7, 8 };
        stats.n_devices = STATS_DEVICES_MAX;
        assert_survives(&stats, STATS_PACKED_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes the lines of its keys, in our units", test_keyed },
                { "passes over what is no line of a key", test_keyed_rubbish },
                { "does not wrap around", test_keyed_overflow },
                { "knows both words for no limit", test_number },
                { "turns quota and period into time in a second", test_quota },
                { "sums up the devices of v2 and keeps each", test_io },
                { "knows that nothing was read or written", test_io_none },
                { "sums up the devices of v1 and keeps each", test_blkio },
                { "keeps a bounded number of devices and the right sums", test_many_devices },
                { "stops sums at the largest number", test_io_saturates },
                { "reads totals and averages of pressure", test_pressure },
                { "passes over what is no pressure", test_pressure_rubbish },
                { "has one key for each number", test_names },
                { "packs what is known, and no more", test_pack },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
