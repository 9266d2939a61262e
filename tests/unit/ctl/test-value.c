/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/value.h"

typedef int (*Parser)(const char *text, uint64_t *ret, Fault *fault);

static void expect_parsed(Parser parse, const char *text, uint64_t expected)
{
        Fault fault = FAULT_INIT;
        uint64_t value = 0;
        int r = parse(text, &value, &fault);

        if (r < 0 || value != expected)
                fail_msg("%s: %d, %llu (not %llu?)", text, r, (unsigned long long)value,
                         (unsigned long long)expected);
}

static void expect_refused(Parser parse, const char *text)
{
        Fault fault = FAULT_INIT;
        uint64_t value = 77;

        if (parse(text, &value, &fault) >= 0)
                fail_msg("'%s' was taken for %llu", text, (unsigned long long)value);
        assert_int_equal(value, 77);
        assert_int_equal(fault.kind, FAULT_INVALID);
        if (text[0] && strlen(text) < 60)
                assert_non_null(strstr(fault.text, text));
}

static void test_bytes(void **state)
{
        expect_parsed(value_parse_bytes, "0", 0);
        expect_parsed(value_parse_bytes, "1048576", 1048576);
        expect_parsed(value_parse_bytes, "512M", UINT64_C(512) << 20);
        expect_parsed(value_parse_bytes, "512m", UINT64_C(512) << 20);
        expect_parsed(value_parse_bytes, "512MB", UINT64_C(512) << 20);
        expect_parsed(value_parse_bytes, "512MiB", UINT64_C(512) << 20);
        expect_parsed(value_parse_bytes, "2g", UINT64_C(2) << 30);
        expect_parsed(value_parse_bytes, "100b", 100);
        expect_parsed(value_parse_bytes, "infinity", UINT64_MAX);
        expect_parsed(value_parse_bytes, "-1", UINT64_MAX);
        expect_refused(value_parse_bytes, "");
        expect_refused(value_parse_bytes, "much");
        expect_refused(value_parse_bytes, "1.5G");
        expect_refused(value_parse_bytes, "10 M");
        expect_refused(value_parse_bytes, "-2");
        expect_refused(value_parse_bytes, "5iB");
        expect_refused(value_parse_bytes, "20000000T");
        expect_refused(value_parse_bytes, "99999999999999999999");
}

static void test_cpus(void **state)
{
        expect_parsed(value_parse_cpus, "1", 1000000);
        expect_parsed(value_parse_cpus, "1.5", 1500000);
        expect_parsed(value_parse_cpus, "0.25", 250000);
        expect_parsed(value_parse_cpus, "0.000001", 1);
        expect_parsed(value_parse_cpus, "150%", 1500000);
        expect_parsed(value_parse_cpus, "12.5%", 125000);
        expect_parsed(value_parse_cpus, "infinity", UINT64_MAX);
        expect_refused(value_parse_cpus, "");
        expect_refused(value_parse_cpus, ".5");
        expect_refused(value_parse_cpus, "1.");
        expect_refused(value_parse_cpus, "1.5x");
        expect_refused(value_parse_cpus, "1,5");
        expect_refused(value_parse_cpus, "-1.5");
        expect_refused(value_parse_cpus, "0.0000001");
        expect_refused(value_parse_cpus, "18446744073709551615");
}

static void test_time(void **state)
{
        expect_parsed(value_parse_time, "10", 10000000);
        expect_parsed(value_parse_time, "1.5", 1500000);
        expect_parsed(value_parse_time, "1.5s", 1500000);
        expect_parsed(value_parse_time, "250ms", 250000);
        expect_parsed(value_parse_time, "2min", 120000000);
        expect_parsed(value_parse_time, "infinity", UINT64_MAX);
        expect_refused(value_parse_time, "");
        expect_refused(value_parse_time, "soon");
        expect_refused(value_parse_time, "1.5min");
        expect_refused(value_parse_time, "-3");
}

static void expect_limit(const char *text, Limit limit, uint64_t expected)
{
        Fault fault = FAULT_INIT;
        Limits limits = { .set = 0 };

        if (value_parse_property(text, &limits, &fault) < 0)
                fail_msg("%s: %s", text, fault.text);
        assert_int_equal(limits.set, 1U << limit);
        assert_int_equal(limits.values[limit], expected);
}

static void expect_no_limit(const char *text, const char *reason)
{
        Fault fault = FAULT_INIT;
        Limits limits = { .set = 0 };

        assert_true(value_parse_property(text, &limits, &fault) < 0);
        assert_int_equal(limits.set, 0);
        if (!strstr(fault.text, reason))
                fail_msg("%s: '%s' does not say '%s'", text, fault.text, reason);
}

static void test_properties(void **state)
{
        expect_limit("MemoryMax=512M", LIMIT_MEMORY_MAX, UINT64_C(512) << 20);
        expect_limit("MemoryHigh=infinity", LIMIT_MEMORY_HIGH, UINT64_MAX);
        expect_limit("MemorySwapMax=0", LIMIT_MEMORY_SWAP_MAX, 0);
        expect_limit("CPUWeight=200", LIMIT_CPU_WEIGHT, 200);
        expect_limit("CPUQuotaPerSecUSec=1500ms", LIMIT_CPU_QUOTA, 1500000);
        expect_limit("CPUQuota=150%", LIMIT_CPU_QUOTA, 1500000);
        expect_limit("TasksMax=50", LIMIT_TASKS_MAX, 50);
        expect_limit("IOWeight=10000", LIMIT_IO_WEIGHT, 10000);
        expect_no_limit("MemoryMax", "NAME=VALUE");
        expect_no_limit("=5", "NAME=VALUE");
        expect_no_limit("MemoryMax=", "MemoryMax: ");
        expect_no_limit("CPUWeight=10M", "CPUWeight: ");
        expect_no_limit("CPUWeight=10001", "from 1 to 10000");
        expect_no_limit("CPUQuota=2", "not a percentage");
        expect_no_limit("MemoryMex=1G", "Did you mean MemoryMax?");
        expect_no_limit("memorymax=1G", "Did you mean MemoryMax?");
        expect_no_limit("Frobnication=1", "There is no limit 'Frobnication'");
}

static void test_bandwidth(void **state)
{
        Limits limits = { .set = 0 };

        assert_int_equal(value_parse_property("BandwidthReceiveMax=10M:64K", &limits, NULL), 0);
        assert_int_equal(value_parse_property("BandwidthTransmitMax=infinity", &limits, NULL), 0);
        assert_int_equal(limits.bandwidth.of[BANDWIDTH_RECEIVE].rate, 10000000);
        assert_int_equal(limits.bandwidth.of[BANDWIDTH_RECEIVE].burst, 64000);
        assert_true(limits.bandwidth.of[BANDWIDTH_TRANSMIT].rate == UINT64_MAX);
        limits = (Limits){ .set = 0 };
        assert_int_equal(value_parse_property("BandwidthMax=1500", &limits, NULL), 0);
        assert_int_equal(limits.bandwidth.of[BANDWIDTH_TRANSMIT].rate, 1500);
        expect_no_limit("BandwidthMax=", "BandwidthMax: '' is not bytes a second");
        expect_no_limit("BandwidthMax=10M:", "'10M:' is not");
        expect_no_limit("BandwidthMax=10M:64K:1", "is not");
        expect_no_limit("BandwidthMax=10MB", "is not");
        expect_no_limit("BandwidthMax=1", "a rate of 1 is not from");
        expect_no_limit("BandwithMax=1M", "Did you mean BandwidthMax?");
}

static void expect_rlimit(const char *text, int resource, uint64_t soft, uint64_t hard)
{
        JobSpec *spec = job_spec_new();
        Fault fault = FAULT_INIT;

        if (value_parse_rlimit(text, spec, &fault) < 0)
                fail_msg("%s: %s", text, fault.text);
        assert_int_equal(spec->rlimits_set, 1U << resource);
        assert_int_equal(spec->rlimits[resource].soft, soft);
        assert_int_equal(spec->rlimits[resource].hard, hard);
        job_spec_free(spec);
}

static void expect_no_rlimit(const char *text)
{
        JobSpec *spec = job_spec_new();
        Fault fault = FAULT_INIT;

        assert_true(value_parse_rlimit(text, spec, &fault) < 0);
        assert_int_equal(spec->rlimits_set, 0);
        assert_int_equal(fault.kind, FAULT_INVALID);
        job_spec_free(spec);
}

static void test_rlimits(void **state)
{
        expect_rlimit("nofile=1024:4096", RLIMIT_NOFILE, 1024, 4096);
        expect_rlimit("NOFILE=1024", RLIMIT_NOFILE, 1024, 1024);
        expect_rlimit("LimitCORE=infinity", RLIMIT_CORE, UINT64_MAX, UINT64_MAX);
        expect_rlimit("RLIMIT_CORE=0:-1", RLIMIT_CORE, 0, UINT64_MAX);
        expect_rlimit("memlock=64k:unlimited", RLIMIT_MEMLOCK, 65536, UINT64_MAX);
        expect_no_rlimit("nofile");
        expect_no_rlimit("nofile=");
        expect_no_rlimit("nofile=1:");
        expect_no_rlimit("nofile=:1");
        expect_no_rlimit("nofile=10:5");
        expect_no_rlimit("nofile=infinity:5");
        expect_no_rlimit("nofiles=5");
        expect_no_rlimit("=5");
}

static void test_paths(void **state)
{
        char directory[] = "/tmp/test-value-XXXXXX", expected[PATH_MAX];
        Fault fault = FAULT_INIT;
        char *path;

        assert_non_null(mkdtemp(directory));
        assert_int_equal(chdir(directory), 0);
        assert_non_null(realpath(".", expected));

        /* The daemon may see what we do not. */
        assert_int_equal(value_parse_host_path("/not/here/at/all", "It", &path, &fault), 0);
        assert_string_equal(path, "/not/here/at/all");
        free(path);
        assert_int_equal(value_parse_host_path(".", "It", &path, &fault), 0);
        assert_string_equal(path, expected);
        free(path);
        assert_int_equal(value_parse_host_path("/usr/", "It", &path, &fault), 0);
        assert_string_equal(path, "/usr");
        free(path);
        assert_int_equal(value_parse_host_path("not/here", "It is", &path, &fault), -ENOENT);
        assert_non_null(strstr(fault.text, "It is 'not/here': No such file"));
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads sizes in the spellings that people use", test_bytes },
                { "reads a bandwidth with and without a burst", test_bandwidth },
                { "reads processors as numbers and as percentages", test_cpus },
                { "reads times", test_time },
                { "reads limits as systemd spells them", test_properties },
                { "reads rlimits by all their names", test_rlimits },
                { "makes paths absolute, and leaves those that are", test_paths },
        };

        return cmocka_run_group_tests_name("ctl/value", tests, NULL, NULL);
}
