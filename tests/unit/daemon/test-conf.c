/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/log.h"
#include "basic/macro.h"
#include "daemon/conf.h"

static int parse(Conf *conf, const char *text)
{
        _drop_(drop_free) char *copy = strdup(text);

        assert_non_null(copy);
        return conf_parse(conf, "test.conf", copy);
}

static int setup(void **state)
{
        static Conf arg_conf;

        log_open("test", LOG_TARGET_NULL, LOG_DEBUG);
        if (conf_load(&arg_conf, "/dev/null", NULL) < 0)
                return -1;
        *state = &arg_conf;
        return 0;
}

static int teardown(void **state)
{
        conf_done(*state);
        return 0;
}

static void test_defaults(void **state)
{
        Conf *conf = *state;

        assert_string_equal(conf->slice, "warden.slice");
        assert_string_equal(conf->state_directory, "/var/lib/warden");
        assert_int_equal(conf->grace_usec, 10 * USEC_PER_SEC);
        assert_true(conf->workers_max > 0);
        assert_int_equal(conf->ended_jobs_max, 256);
        assert_true(conf->ended_jobs_usec == 3600 * USEC_PER_SEC);
        assert_true(conf->ring_bytes > 0 && conf->ring_bytes <= conf->ring_bytes_max);
        assert_int_equal(conf->uid_pool_base % 65536, 0);
        /* Below 2^31: some programs keep ids in an int. */
        assert_true((uint64_t)conf->uid_pool_base + conf->uid_pool_count < UINT32_C(1) << 31);
}

static void test_network_pools(void **state)
{
        Conf *conf = *state;

        assert_int_equal(conf->n_network_pools, 1);
        assert_string_equal(conf->network_pools[0].name, "default");
        assert_int_equal(conf->network_pools[0].prefix4, 16);
        /* One line is bad for what is in it, the others for what was before. */
        assert_int_equal(parse(conf, "[Manager]\nNetworkPool=\n"
                                     "NetworkPool=front 10.1.0.0/24\n"
                                     "NetworkPool=back 10.2.0.0/24 fd00::/64\n"
                                     "NetworkPool=third 10.2.0.128/25\n"
                                     "NetworkPool=fourth 10.4.0.0/24 fd00::/96\n"
                                     "NetworkPool=bad 10.3.0.1/24\n"
                                     "NetworkPool=front 10.5.0.0/25\n"),
                         3);
        assert_int_equal(conf->n_network_pools, 2);
        assert_string_equal(conf->network_pools[0].name, "front");
        assert_int_equal(conf->network_pools[0].base4, 0x0a050000);
        assert_int_equal(conf->network_pools[0].prefix4, 25);
        assert_string_equal(conf->network_pools[1].name, "back");
        assert_int_equal(parse(conf, "[Manager]\nNetworkPool=\nNetworkMTU=1279"), 1);
        assert_int_equal(conf->n_network_pools, 0);
        assert_int_equal(conf->network_mtu, 0);
        assert_int_equal(conf->has_machines, 0);
        assert_int_equal(parse(conf, "[Manager]\nRegisterMachines=perhaps"), 1);
        assert_int_equal(parse(conf, "[Manager]\nRegisterMachines=yes"), 0);
        assert_int_equal(conf->has_machines, 1);
        assert_int_equal(parse(conf, "[Manager]\nNetworkMTU=9000"), 0);
        assert_int_equal(conf->network_mtu, 9000);
}

static void test_keys(void **state)
{
        Conf *conf = *state;

        assert_int_equal(parse(conf, "# comment\n; another\n\n  [Manager]  \r\n"
                                     "Slice = customers.slice\nGraceSec=250ms\n"
                                     "UIDPool=131072:131072\nJobsMax=7\n"
                                     "ProjectPool=5000:17\n"
                                     "EndedJobsMax=1\nEndedJobsSec=infinity\n"
                                     "RingBytes=4K\nRingBytesMax=4G\n"
                                     "StateDirectory=/srv/warden"),
                         0);
        assert_string_equal(conf->slice, "customers.slice");
        assert_int_equal(conf->grace_usec, 250000);
        assert_int_equal(conf->uid_pool_base, 131072);
        assert_int_equal(conf->uid_pool_count, 131072);
        assert_int_equal(conf->project_pool_base, 5000);
        assert_int_equal(conf->project_pool_count, 17);
        assert_int_equal(conf->jobs_max, 7);
        assert_int_equal(conf->ended_jobs_max, 1);
        assert_true(conf->ended_jobs_usec == USEC_INFINITY);
        assert_int_equal(conf->ring_bytes, 4096);
        assert_true(conf->ring_bytes_max == UINT64_C(1) << 32);
        assert_string_equal(conf->state_directory, "/srv/warden");
}

static void test_networks(void **state)
{
        Conf *conf = *state;
        char text[IP_RANGE_MAX];

        assert_int_equal(parse(conf, "[Manager]\nPortPool=65000:536\n"
                                     "DenyNetworks=10.0.0.0/8  fd00::/8\n"
                                     "DenyNetworks=169.254.169.254\n"
                                     "AllowNetworks=10.0.0.1-10.0.0.9\nAllowNetworks=\n"),
                         0);
        assert_int_equal(conf->port_pool_base, 65000);
        assert_int_equal(conf->port_pool_count, 536);
        assert_int_equal(conf->n_allow_networks, 0);
        assert_int_equal(conf->n_deny_networks, 3);
        ip_range_format(&conf->deny_networks[1], text);
        assert_string_equal(text, "fd00::/8");
        ip_range_format(&conf->deny_networks[2], text);
        assert_string_equal(text, "169.254.169.254");
}

static void test_bad_lines(void **state)
{
        static const char *const lines[] = {
                "Unknown=1",
                "JobsMax=0",
                "JobsMax=4294967296",
                "JobsMax=-1",
                "JobsMax=1x",
                "GraceSec=fast",
                "EndedJobsMax=0",
                "EndedJobsSec=-1",
                "RingBytes=4095",
                "RingBytes=infinity",
                "RingBytesMax=5G",
                "Slice=/a/b.slice",
                "Slice=.slice",
                "Slice=warden",
                "StateDirectory=relative",
                "ProjectPool=5000",
                "ProjectPool=0:5",
                "ProjectPool=5:0",
                "ProjectPool=5:1048577",
                "ProjectPool=4294967295:1",
                "UIDPool=65536",
                "UIDPool=65536:5",
                "UIDPool=0:65536",
                "UIDPool=:65536",
                "UIDPool=4294967290:65536",
                "PortPool=61001",
                "PortPool=0:10",
                "PortPool=65000:537",
                "PortPool=61001:0",
                "PortPool=61001:x",
                "DenyNetworks=10.0.0.0/8 example.org",
                "AllowNetworks=10.0.0.1/8",
                "no equals sign",
                "=value",
        };
        Conf *conf = *state;
        Conf before = *conf;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                char text[100];

                (void)snprintf(text, sizeof(text), "[Manager]\n%s\n", lines[i]);
                if (parse(conf, text) != 1)
                        fail_msg("accepted: %s", lines[i]);
                assert_memory_equal(conf, &before, sizeof(before));
        }
}

static void test_sections(void **state)
{
        Conf *conf = *state;

        /* Before any section, and in one that we do not know, nothing counts. */
        assert_int_equal(parse(conf, "JobsMax=3\n[Other]\nJobsMax=4\n[Manager]\nJobsMax=5\n"), 3);
        assert_int_equal(conf->jobs_max, 5);
}

static void test_missing_file(void **state)
{
        Fault fault = FAULT_INIT;
        Conf conf;

        assert_int_equal(conf_load(&conf, "/nonexistent/wardend.conf", &fault), -ENOENT);
        assert_non_null(strstr(fault.text, "/nonexistent/wardend.conf"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "has sensible defaults", test_defaults, setup, teardown, NULL },
                { "keeps pools that do not overlap, and replaces by name", test_network_pools,
                  setup, teardown, NULL },
                { "reads keys, comments and blanks", test_keys, setup, teardown, NULL },
                { "adds networks, and forgets them at an empty value", test_networks, setup,
                  teardown, NULL },
                { "reports a wrong line and changes nothing by it", test_bad_lines, setup, teardown,
                  NULL },
                { "counts only the section Manager", test_sections, setup, teardown, NULL },
                { "names a file that was asked for and is missing", test_missing_file, NULL, NULL,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
