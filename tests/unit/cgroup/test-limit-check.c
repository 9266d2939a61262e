/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup/limit-check.h"

#define GROUP "/warden.slice/warden-x.scope"
#define MIB (UINT64_C(1) << 20)

/* A tree that looks like /sys/fs/cgroup, and "cpu" beside it. */
typedef struct Tree {
        char root[64];
        char cpu[80];
} Tree;

static int setup(void **state)
{
        static Tree tree;

        (void)snprintf(tree.root, sizeof(tree.root), "/tmp/warden-limit-check-XXXXXX");
        assert_non_null(mkdtemp(tree.root));
        (void)snprintf(tree.cpu, sizeof(tree.cpu), "%s/cpus", tree.root);
        *state = &tree;
        return 0;
}

static int teardown(void **state)
{
        const Tree *tree = *state;
        char command[128];

        (void)snprintf(command, sizeof(command), "rm -r %s", tree->root);
        return system(command);
}

static void make_file(const Tree *tree, const char *path, const char *text)
{
        char full[512];
        FILE *f;

        (void)snprintf(full, sizeof(full), "%s%s", tree->root, path);
        for (char *p = full + strlen(tree->root) + 1; (p = strchr(p, '/')); p++) {
                *p = 0;
                (void)mkdir(full, 0755);
                *p = '/';
        }
        f = fopen(full, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static Limits with(Limit limit, uint64_t value)
{
        Limits limits = { .set = 0 };

        assert_int_equal(limits_set(&limits, limit, value, NULL), 0);
        return limits;
}

static int possible(const Tree *tree, CgroupMode mode, const Limits *limits, Fault *fault)
{
        *fault = FAULT_INIT;
        return limit_check_possible_below(tree->root, tree->cpu, mode, limits, fault);
}

static int applied(const Tree *tree, CgroupMode mode, const Limits *limits, Fault *fault)
{
        *fault = FAULT_INIT;
        return limit_check_applied_below(tree->root, mode, GROUP, limits, fault);
}

static void test_v1_lacks(void **state)
{
        static const Limit lacking[] = { LIMIT_MEMORY_HIGH, LIMIT_MEMORY_SWAP_MAX };
        Limits cpus = { .set = 0 };
        Fault fault;

        make_file(*state, "/memory/x", "");
        make_file(*state, "/cpuset/x", "");
        for (size_t i = 0; i < ELEMENTSOF(lacking); i++) {
                Limits limits = with(lacking[i], 64 * MIB), none = with(lacking[i], UINT64_MAX);

                assert_int_equal(possible(*state, CGROUP_LEGACY, &limits, &fault), -EOPNOTSUPP);
                assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
                assert_non_null(strstr(fault.text, limit_to_string(lacking[i])));
                assert_non_null(strstr(fault.text, "v1 (legacy)"));
                assert_int_equal(possible(*state, CGROUP_HYBRID, &limits, &fault), -EOPNOTSUPP);
                assert_int_equal(possible(*state, CGROUP_LEGACY, &none, &fault), 0);
        }
        assert_int_equal(limits_set_cpus(&cpus, "0", NULL), 0);
        assert_int_equal(possible(*state, CGROUP_LEGACY, &cpus, &fault), -EOPNOTSUPP);
        assert_int_equal(limits_set_cpus(&cpus, "", NULL), 0);
        assert_int_equal(possible(*state, CGROUP_LEGACY, &cpus, &fault), 0);
}

static void test_controllers(void **state)
{
        Limits memory = with(LIMIT_MEMORY_MAX, 64 * MIB), tasks = with(LIMIT_TASKS_MAX, 10);
        Fault fault;

        assert_int_equal(possible(*state, CGROUP_HYBRID, &memory, &fault), -EOPNOTSUPP);
        assert_non_null(strstr(fault.text, "no cgroup controller 'memory'"));
        make_file(*state, "/memory/x", "");
        assert_int_equal(possible(*state, CGROUP_HYBRID, &memory, &fault), 0);
        assert_int_equal(possible(*state, CGROUP_UNIFIED, &memory, &fault), -EOPNOTSUPP);
        make_file(*state, "/cgroup.controllers", "cpuset xmemory memoryx pids\n");
        assert_int_equal(possible(*state, CGROUP_UNIFIED, &memory, &fault), -EOPNOTSUPP);
        assert_int_equal(possible(*state, CGROUP_UNIFIED, &tasks, &fault), 0);
        make_file(*state, "/cgroup.controllers", "cpuset memory\n");
        assert_int_equal(possible(*state, CGROUP_UNIFIED, &memory, &fault), 0);
}

static void test_cpus_there(void **state)
{
        Limits limits = { .set = 0 };
        Fault fault;

        make_file(*state, "/cgroup.controllers", "cpuset\n");
        make_file(*state, "/cpus/online", "0-3,6\n");
        assert_int_equal(limits_set_cpus(&limits, "0,6", NULL), 0);
        assert_int_equal(possible(*state, CGROUP_UNIFIED, &limits, &fault), 0);
        assert_int_equal(limits_set_cpus(&limits, "2-5", NULL), 0);
        assert_int_equal(possible(*state, CGROUP_UNIFIED, &limits, &fault), -EINVAL);
        assert_string_equal(fault.text,
                            "AllowedCPUs: there is no processor 4; this host has 0-3,6");
}

static void test_devices_there(void **state)
{
        Limits limits = { .set = 0 };
        Fault fault;

        make_file(*state, "/blkio/x", "");
        assert_int_equal(limits_add_device(&limits, DEVICE_LIMIT_READ_IOPS, "/dev/null", 1, NULL),
                         0);
        assert_int_equal(possible(*state, CGROUP_LEGACY, &limits, &fault), -EINVAL);
        assert_string_equal(fault.text, "IOReadIOPSMax: /dev/null is not a block device");
        limits_done(&limits);
        assert_int_equal(
                limits_add_device(&limits, DEVICE_LIMIT_READ_IOPS, "/dev/warden-none", 1, NULL), 0);
        assert_int_equal(possible(*state, CGROUP_LEGACY, &limits, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "/dev/warden-none: No such file"));
        limits_done(&limits);
}

typedef struct ReadBack {
        CgroupMode mode;
        const char *path, *text;
        Limit limit;
        uint64_t wanted;
        int result;
} ReadBack;

static void test_numbers(void **state)
{
        static const ReadBack cases[] = {
                { CGROUP_UNIFIED, GROUP "/memory.max", "67108864\n", LIMIT_MEMORY_MAX, 64 * MIB },
                { CGROUP_UNIFIED, GROUP "/memory.max", "67108864\n", LIMIT_MEMORY_MAX,
                  64 * MIB + 1 },
                { CGROUP_UNIFIED, GROUP "/memory.max", "max\n", LIMIT_MEMORY_MAX, 64 * MIB, -EIO },
                { CGROUP_UNIFIED, GROUP "/memory.high", "1048576\n", LIMIT_MEMORY_HIGH, MIB },
                { CGROUP_UNIFIED, GROUP "/memory.swap.max", "0\n", LIMIT_MEMORY_SWAP_MAX, 0 },
                { CGROUP_UNIFIED, GROUP "/cpu.weight", "300\n", LIMIT_CPU_WEIGHT, 300 },
                { CGROUP_UNIFIED, GROUP "/cpu.weight", "100\n", LIMIT_CPU_WEIGHT, 300, -EIO },
                { CGROUP_UNIFIED, GROUP "/cpu.max", "50000 100000\n", LIMIT_CPU_QUOTA, 500000 },
                { CGROUP_UNIFIED, GROUP "/cpu.max", "33333 100000\n", LIMIT_CPU_QUOTA, 333333 },
                { CGROUP_UNIFIED, GROUP "/cpu.max", "1000 1000000\n", LIMIT_CPU_QUOTA, 1000 },
                { CGROUP_UNIFIED, GROUP "/cpu.max", "max 100000\n", LIMIT_CPU_QUOTA, 500000, -EIO },
                { CGROUP_UNIFIED, GROUP "/pids.max", "64\n", LIMIT_TASKS_MAX, 64 },
                { CGROUP_UNIFIED, GROUP "/pids.max", "max\n", LIMIT_TASKS_MAX, 64, -EIO },
                { CGROUP_UNIFIED, GROUP "/io.weight", "default 1\n", LIMIT_IO_WEIGHT, 100 },
                { CGROUP_LEGACY, "/memory" GROUP "/memory.limit_in_bytes", "1048576\n",
                  LIMIT_MEMORY_MAX, MIB },
                { CGROUP_LEGACY, "/cpu" GROUP "/cpu.shares", "204\n", LIMIT_CPU_WEIGHT, 20 },
                { CGROUP_LEGACY, "/cpu" GROUP "/cpu.shares", "10\n", LIMIT_CPU_WEIGHT, 1 },
                { CGROUP_LEGACY, "/pids" GROUP "/pids.max", "64\n", LIMIT_TASKS_MAX, 63, -EIO },
                { CGROUP_LEGACY, "/blkio" GROUP "/blkio.weight", "1\n", LIMIT_IO_WEIGHT, 100 },
        };

        make_file(*state, GROUP "/memory.current", "0\n");
        make_file(*state, GROUP "/pids.current", "0\n");
        make_file(*state, GROUP "/io.stat", "");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Limits limits = with(cases[i].limit, cases[i].wanted);
                Fault fault;
                int r;

                make_file(*state, cases[i].path, cases[i].text);
                r = applied(*state, cases[i].mode, &limits, &fault);
                if (r != cases[i].result)
                        fail_msg("case %zu: %d %s", i, r, fault.text);
                assert_int_equal(fault.kind, r < 0 ? FAULT_FAILED : FAULT_NONE);
        }
}

static void test_quota_v1(void **state)
{
        Limits limits = with(LIMIT_CPU_QUOTA, 500000);
        Fault fault;

        make_file(*state, "/cpu" GROUP "/cpu.cfs_period_us", "100000\n");
        make_file(*state, "/cpu" GROUP "/cpu.cfs_quota_us", "50000\n");
        assert_int_equal(applied(*state, CGROUP_LEGACY, &limits, &fault), 0);
        make_file(*state, "/cpu" GROUP "/cpu.cfs_quota_us", "-1\n");
        assert_int_equal(applied(*state, CGROUP_LEGACY, &limits, &fault), -EIO);
}

static void test_names_usage(void **state)
{
        Limits limits = with(LIMIT_MEMORY_MAX, 8 * MIB);
        Fault fault;

        make_file(*state, "/memory" GROUP "/memory.limit_in_bytes", "67108864\n");
        make_file(*state, "/memory" GROUP "/memory.usage_in_bytes", "33554432\n");
        assert_int_equal(applied(*state, CGROUP_HYBRID, &limits, &fault), -EBUSY);
        assert_non_null(strstr(fault.text, "33554432 bytes are in use"));
        assert_non_null(strstr(fault.text, "8388608"));
        make_file(*state, "/memory" GROUP "/memory.usage_in_bytes", "1\n");
        assert_int_equal(applied(*state, CGROUP_HYBRID, &limits, &fault), -EIO);
}

static void test_missing_file(void **state)
{
        Limits limits = with(LIMIT_MEMORY_SWAP_MAX, 0), tasks = with(LIMIT_TASKS_MAX, 9);
        Fault fault;

        make_file(*state, GROUP "/memory.current", "0\n");
        assert_int_equal(applied(*state, CGROUP_UNIFIED, &limits, &fault), -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_non_null(strstr(fault.text, "MemorySwapMax: "));
        assert_int_equal(applied(*state, CGROUP_UNIFIED, &tasks, &fault), -EOPNOTSUPP);
}

static void test_cpus_back(void **state)
{
        Limits limits = { .set = 0 };
        Fault fault;

        assert_int_equal(limits_set_cpus(&limits, "0-2", NULL), 0);
        make_file(*state, GROUP "/cpuset.cpus", "0-2\n");
        assert_int_equal(applied(*state, CGROUP_UNIFIED, &limits, &fault), 0);
        make_file(*state, GROUP "/cpuset.cpus", "\n");
        assert_int_equal(applied(*state, CGROUP_UNIFIED, &limits, &fault), -EIO);
        /* Taken back: nothing may be left of them. */
        assert_int_equal(limits_set_cpus(&limits, "", NULL), 0);
        assert_int_equal(applied(*state, CGROUP_UNIFIED, &limits, &fault), 0);
        assert_int_equal(applied(*state, CGROUP_LEGACY, &limits, &fault), 0);
        make_file(*state, GROUP "/cpuset.cpus", "0-2\n");
        assert_int_equal(applied(*state, CGROUP_UNIFIED, &limits, &fault), -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
}

static void test_finds_device(void **state)
{
        static const char v1[] = "8:0 1000\n8:16 2000\n18:0 3000\n";
        static const char v2[] = "8:16 rbps=1 wbps=2 riops=max wiops=4\n8:0 rbps=5 wbps=max\n";

        assert_true(limit_check_find_device(v1, 8, 16, NULL) == 2000);
        assert_true(limit_check_find_device(v1, 8, 0, NULL) == 1000);
        assert_true(limit_check_find_device(v1, 8, 1, NULL) == UINT64_MAX);
        assert_true(limit_check_find_device(v2, 8, 16, "wiops") == 4);
        assert_true(limit_check_find_device(v2, 8, 16, "riops") == UINT64_MAX);
        assert_true(limit_check_find_device(v2, 8, 0, "rbps") == 5);
        assert_true(limit_check_find_device(v2, 8, 0, "wiops") == UINT64_MAX);
        assert_true(limit_check_find_device("", 8, 0, "rbps") == UINT64_MAX);
        assert_true(limit_check_find_device("8:0", 8, 0, NULL) == UINT64_MAX);
        assert_true(limit_check_find_device("8:0 ", 8, 0, "rbps") == UINT64_MAX);
}

static void test_cpu_max(void **state)
{
        assert_true(limit_check_parse_cpu_max("50000 100000\n") == 500000);
        assert_true(limit_check_parse_cpu_max("max 100000\n") == UINT64_MAX);
        assert_true(limit_check_parse_cpu_max("5 0\n") == UINT64_MAX);
        assert_true(limit_check_parse_cpu_max("18446744073709551614 1\n") == UINT64_MAX);
        assert_true(limit_check_parse_cpu_max("") == UINT64_MAX);
        assert_true(limit_check_parse_cpu_max("x y") == UINT64_MAX);
}

#define SENTENCE(sentence, test)                      \
        {                                             \
                sentence, test, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                SENTENCE("refuses on v1 what systemd would take and not apply", test_v1_lacks),
                SENTENCE("refuses a limit whose controller is missing", test_controllers),
                SENTENCE("names the processor that is not there", test_cpus_there),
                SENTENCE("names the device that is not there", test_devices_there),
                SENTENCE("compares each number with the kernel's", test_numbers),
                SENTENCE("puts quota and period of v1 together", test_quota_v1),
                SENTENCE("names what is in use when memory cannot be taken back", test_names_usage),
                SENTENCE("calls a limit without a file not supported", test_missing_file),
                SENTENCE("compares the processors", test_cpus_back),
                SENTENCE("finds a device in both formats", test_finds_device),
                SENTENCE("reads cpu.max", test_cpu_max),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
