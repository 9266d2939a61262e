/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "daemon/host-routes.h"

#define ZERO6 "00000000000000000000000000000000"
#define TAIL6 " " ZERO6 " 00 " ZERO6 " 00000100 00000001 00000000 "

/* Little-endian, as this test's machine and nearly every other is. */
static void test_reads_ipv4(void **state)
{
        static const char *const nothing[] = {
                "",
                ("Iface\tDestination\tGateway "
                 "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"),
                "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
                "eth0\t000200C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0",
                "*\t000200C0\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0",
                "eth0\t000200C0",
                "eth0\txyz\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
        };
        char text[HOST_ROUTE_TEXT_MAX];
        HostRoute route;

        assert_int_equal(
                host_route_parse4("docker0\t0001FE0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
                                  &route),
                1);
        host_route_format(&route, text);
        assert_string_equal(text, "route 10.254.1.0/24 of docker0");
        assert_int_equal(
                host_route_parse4("vpn\t0201FE0A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
                                  &route),
                1);
        host_route_format(&route, text);
        assert_string_equal(text, "address 10.254.1.2 of vpn");
        for (size_t i = 0; i < ELEMENTSOF(nothing); i++)
                if (host_route_parse4(nothing[i], &route))
                        fail_msg("'%s'", nothing[i]);
}

static void test_reads_ipv6(void **state)
{
        static const char *const nothing[] = {
                "",
                ZERO6 " 00" TAIL6 "00000003     eth0",
                "fd000000000000000000000000000001 80" TAIL6 "80200001     eth0",
                "fd000000000000000000000000000000 80" TAIL6 "00100001     eth0",
                "fd000000000000000000000000000000 40" TAIL6 "00200200       lo",
                "fd0000000000000000000000000000 40" TAIL6 "00000001     eth0",
                "zz000000000000000000000000000000 40" TAIL6 "00000001     eth0",
                "fd000000000000000000000000000000 40" TAIL6,
        };
        char text[HOST_ROUTE_TEXT_MAX];
        HostRoute route;

        assert_int_equal(host_route_parse6("fd000000000000010000000000000000 40" TAIL6
                                           "00000001     eth0",
                                           &route),
                         1);
        host_route_format(&route, text);
        assert_string_equal(text, "route fd00:0:0:1::/64 of eth0");
        for (size_t i = 0; i < ELEMENTSOF(nothing); i++)
                if (host_route_parse6(nothing[i], &route))
                        fail_msg("'%s'", nothing[i]);
}

static int is_within(const char *line, int is_six, const char *pool)
{
        NetworkPoolSpec spec;
        HostRoute route;

        assert_int_equal(network_pool_spec_parse(pool, &spec, NULL), 0);
        assert_int_equal(is_six ? host_route_parse6(line, &route) : host_route_parse4(line, &route),
                         1);
        return host_route_is_within(&route, &spec);
}

static void test_compares(void **state)
{
        const char *docker = "docker0\t0001FE0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        const char *wide = "vpn\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0";
        const char *own = "w-0123456789a\t0401FE0A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0";
        const char *alike = "w-other\t0401FE0A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0";
        const char *six = "fd000000000000010000000000000000 60" TAIL6 "00000001     eth0";

        assert_true(is_within(docker, 0, "p 10.254.0.0/16"));
        assert_true(is_within(docker, 0, "p 10.254.1.0/24"));
        assert_false(is_within(docker, 0, "p 10.254.1.0/25"));
        assert_false(is_within(docker, 0, "p 10.255.0.0/16"));
        /* The pool is a part of a wider route, which the administrator has chosen it from. */
        assert_false(is_within(wide, 0, "p 10.254.0.0/16"));
        assert_false(is_within(own, 0, "p 10.254.0.0/16"));
        assert_true(is_within(alike, 0, "p 10.254.0.0/16"));
        assert_true(is_within(six, 1, "p 10.254.0.0/16 fd00:0:0:1::/64"));
        assert_false(is_within(six, 1, "p 10.254.0.0/16 fd00:0:0:2::/64"));
        assert_false(is_within(six, 1, "p 10.254.0.0/16"));
}

/* Every machine that runs this has 127.0.0.1, or no loopback at all. */
static void test_asks_the_host(void **state)
{
        NetworkPoolSpec loopback = { .base4 = 0x7f000000, .prefix4 = 8 };
        NetworkPoolSpec nowhere = { .base4 = 0xf0000000, .prefix4 = 8 };
        HostRoute route;

        if (host_routes_find_within(&loopback, &route))
                assert_string_equal(route.interface, "lo");
        assert_false(host_routes_find_within(&nowhere, &route));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads routes of IPv4", test_reads_ipv4 },
                { "reads routes of IPv6", test_reads_ipv6 },
                { "knows which are within a pool", test_compares },
                { "asks the host for its own", test_asks_the_host },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
