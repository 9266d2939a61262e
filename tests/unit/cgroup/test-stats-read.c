/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against folders that look like control groups. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/io.h"
#include "cgroup/stats.h"
#include "made-tree.h"

#define GROUP "/warden.slice/warden-1.scope"

static int make_top(void **state)
{
        return made_tree_setup(state, "/tmp/test-stats-XXXXXX");
}

static void assert_stat(const Stats *stats, Stat stat, uint64_t value)
{
        if (!stats_has(stats, stat))
                fail_msg("%s is not known", stat_to_string(stat));
        if (stats->values[stat] != value)
                fail_msg("%s is %llu, not %llu", stat_to_string(stat),
                         (unsigned long long)stats->values[stat], (unsigned long long)value);
}

static void test_unified(void **state)
{
        Stats stats = { 0 };

        made_tree_put(*state, "warden.slice/warden-1.scope/memory.current", "5000\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/memory.max", "max\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/memory.stat",
                      "anon 1\nfile 2\nkernel 3\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/memory.events", "oom 4\noom_kill 2\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/cpu.stat",
                      "usage_usec 7\nuser_usec 3\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/cpu.max", "20000 10000\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/io.stat", "8:0 rbytes=9 wbytes=1\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/io.pressure",
                      "some avg10=1.00 total=6\n");
        assert_int_equal(stats_read_group_below(*state, CGROUP_UNIFIED, GROUP, &stats), 0);
        assert_stat(&stats, STAT_MEMORY_CURRENT, 5000);
        assert_stat(&stats, STAT_MEMORY_MAX, UINT64_MAX);
        assert_stat(&stats, STAT_MEMORY_KERNEL, 3);
        assert_stat(&stats, STAT_OOM_KILLS, 2);
        assert_stat(&stats, STAT_CPU_USAGE, 7000);
        assert_stat(&stats, STAT_CPU_QUOTA, 2000000);
        assert_stat(&stats, STAT_IO_READ_BYTES, 9);
        assert_stat(&stats, STAT_IO_PRESSURE_SOME, 6);
        assert_false(stats_has(&stats, STAT_MEMORY_PEAK));
        assert_false(stats_has(&stats, STAT_TASKS_CURRENT));
}

static void write_v1(const char *top)
{
        made_tree_put(top, "memory" GROUP "/memory.usage_in_bytes", "5000\n");
        made_tree_put(top, "memory" GROUP "/memory.limit_in_bytes", "9223372036854771712\n");
        made_tree_put(top, "memory" GROUP "/memory.stat", "rss 1\ntotal_rss 2\ntotal_cache 3\n");
        made_tree_put(top, "memory" GROUP "/memory.oom_control", "under_oom 0\noom_kill 1\n");
        made_tree_put(top, "cpu" GROUP "/cpu.stat", "nr_periods 2\nthrottled_time 3000\n");
        made_tree_put(top, "cpu" GROUP "/cpu.cfs_quota_us", "-1\n");
        made_tree_put(top, "cpu" GROUP "/cpu.cfs_period_us", "100000\n");
        made_tree_put(top, "pids" GROUP "/pids.current", "4\n");
        made_tree_put(top, "blkio" GROUP "/blkio.throttle.io_service_bytes_recursive",
                      "8:0 Read 70\n8:0 Write 0\n");
}

static void test_legacy(void **state)
{
        Stats stats = { 0 };

        write_v1(*state);
        made_tree_put(*state, "systemd" GROUP "/tasks", "");
        made_tree_put(*state, "cpuacct" GROUP "/cpuacct.usage", "123456\n");
        assert_int_equal(stats_read_group_below(*state, CGROUP_LEGACY, GROUP, &stats), 0);
        assert_stat(&stats, STAT_MEMORY_CURRENT, 5000);
        assert_stat(&stats, STAT_MEMORY_MAX, UINT64_MAX);
        assert_stat(&stats, STAT_MEMORY_ANON, 2);
        assert_stat(&stats, STAT_OOM_KILLS, 1);
        assert_stat(&stats, STAT_CPU_USAGE, 123456);
        assert_stat(&stats, STAT_CPU_THROTTLED, 3);
        assert_stat(&stats, STAT_CPU_QUOTA, UINT64_MAX);
        assert_stat(&stats, STAT_TASKS_CURRENT, 4);
        assert_stat(&stats, STAT_IO_READ_BYTES, 70);
}

/* cpu and cpuacct are two mounts, which systemd does not expect, and has no group in the latter. */
static void test_hybrid(void **state)
{
        Stats stats = { 0 };

        write_v1(*state);
        made_tree_put(*state, "unified" GROUP "/cpu.stat", "usage_usec 5\n");
        made_tree_put(*state, "cpuacct/cpuacct.usage", "666\n");
        assert_int_equal(stats_read_group_below(*state, CGROUP_HYBRID, GROUP, &stats), 0);
        assert_stat(&stats, STAT_CPU_USAGE, 5000);
        assert_stat(&stats, STAT_CPU_PERIODS, 2);
}

static void test_gone(void **state)
{
        Stats stats = { 0 };

        assert_int_equal(io_mkdir_parents(*state, 0700), 0);
        assert_int_equal(stats_read_group_below(*state, CGROUP_UNIFIED, GROUP, &stats), -ENOENT);
        write_v1(*state);
        made_tree_put(*state, "systemd/tasks", "");
        assert_int_equal(stats_read_group_below(*state, CGROUP_LEGACY, GROUP, &stats), -ENOENT);
        assert_true(stats.set == 0);
}

/* Whoever may write there is root, but a mistake must not lead to a file of the host. */
static void test_link(void **state)
{
        Stats stats = { 0 };
        char path[512];

        made_tree_put(*state, "elsewhere", "42\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/pids.max", "max\n");
        (void)snprintf(path, sizeof(path), "%s" GROUP "/memory.current", (char *)*state);
        assert_int_equal(symlink("../../elsewhere", path), 0);
        assert_int_equal(stats_read_group_below(*state, CGROUP_UNIFIED, GROUP, &stats), 0);
        assert_false(stats_has(&stats, STAT_MEMORY_CURRENT));
        assert_stat(&stats, STAT_TASKS_MAX, UINT64_MAX);
}

static void test_long_file(void **state)
{
        static char text[200000];
        Stats stats = { 0 };
        int n = 0;

        while (n < 190000)
                n += snprintf(text + n, sizeof(text) - (size_t)n, "8:0 rbytes=1\n");
        made_tree_put(*state, "warden.slice/warden-1.scope/io.stat", text);
        assert_int_equal(stats_read_group_below(*state, CGROUP_UNIFIED, GROUP, &stats), 0);
        assert_stat(&stats, STAT_IO_READ_BYTES, 65535 / 13);
}

static void test_interface(void **state)
{
        Stats stats = { 0 };

        made_tree_put(*state, "w-1/statistics/rx_bytes", "100\n");
        made_tree_put(*state, "w-1/statistics/tx_bytes", "200\n");
        made_tree_put(*state, "w-1/statistics/tx_dropped", "3\n");
        assert_int_equal(stats_read_interface_below(*state, "w-1", &stats), 0);
        assert_stat(&stats, STAT_NETWORK_TRANSMIT_BYTES, 100);
        assert_stat(&stats, STAT_NETWORK_RECEIVE_BYTES, 200);
        assert_stat(&stats, STAT_NETWORK_RECEIVE_DROPPED, 3);
        assert_int_equal(stats_read_interface_below(*state, "w-2", &stats), -ENOENT);
        assert_int_equal(stats_read_interface_below(*state, "../w-1", &stats), -EINVAL);
        assert_int_equal(stats_read_interface_below(*state, "", &stats), -EINVAL);
}

#define CASE(name, f)                                       \
        {                                                   \
                name, f, make_top, made_tree_teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("reads the files of v2, and leaves out what is not there", test_unified),
                CASE("reads each controller of v1 in its hierarchy", test_legacy),
                CASE("takes CPU time from v2 where v1 counts none for us", test_hybrid),
                CASE("says that a group is gone", test_gone),
                CASE("follows no link", test_link),
                CASE("cuts a long file off after a whole line", test_long_file),
                CASE("swaps an interface's counters", test_interface),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
