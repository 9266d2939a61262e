/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/network.h"

#define ID "1j0ql8n28s6"

static NetworkPoolSpec pool(const char *text)
{
        NetworkPoolSpec spec;
        Fault fault = FAULT_INIT;

        if (network_pool_spec_parse(text, &spec, &fault) < 0)
                fail_msg("%s: %s", text, fault.text);
        return spec;
}

static void test_parse(void **state)
{
        NetworkPoolSpec spec = pool("  front\t10.254.0.0/16   fd00:1:2:3::/64 ");

        assert_string_equal(spec.name, "front");
        assert_int_equal(spec.base4, 0x0afe0000);
        assert_int_equal(spec.prefix4, 16);
        assert_int_equal(spec.base6[0], 0xfd);
        assert_int_equal(spec.prefix6, 64);
        assert_int_equal(network_pool_spec_slots(&spec), 16384);
        assert_int_equal(pool("x 10.0.0.4/30").prefix6, 0);
        spec = pool("x 10.0.0.4/30");
        assert_int_equal(network_pool_spec_slots(&spec), 1);
}

static void test_parse_refusals(void **state)
{
        static const struct {
                const char *text, *reason;
        } cases[] = {
                { "", "a NAME" },
                { "-x 10.0.0.0/24", "a NAME" },
                { "averyveryveryverylongnameofapoolindeed 10.0.0.0/24", "a NAME" },
                { "x", "is missing" },
                { "x 10.0.0.0", "is not an IPv4 network" },
                { "x 10.0.0.0/33", "is not an IPv4 network" },
                { "x 10.0.0.0/-1", "is not an IPv4 network" },
                { "x 10.0.0.0/", "is not an IPv4 network" },
                { "x 10.0.0.256/24", "is not an IPv4 network" },
                { "x fd00::/64", "is not an IPv4 network" },
                { "x 10.0.0.1/24", "bits set behind" },
                { "x 10.0.0.0/31", "is not from /8 to /30" },
                { "x 0.0.0.0/0", "is not from /8 to /30" },
                { "x 10.0.0.0/8", "the most is 65536" },
                { "x 10.0.0.0/24 fd00::/48", "is not from /64 to /110" },
                { "x 10.0.0.0/24 fd00::/111", "is not from /64 to /110" },
                { "x 10.0.0.0/24 fd00::1/64", "bits set behind" },
                { "x 10.0.0.0/24 10.0.1.0/24", "is not an IPv6 network" },
                { "x 10.0.0.0/24 fd00::/64 y", "something behind" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                NetworkPoolSpec spec = { .prefix4 = 77 };
                Fault fault = FAULT_INIT;

                assert_int_equal(network_pool_spec_parse(cases[i].text, &spec, &fault), -EINVAL);
                assert_int_equal(fault.kind, FAULT_INVALID);
                if (!strstr(fault.text, cases[i].reason))
                        fail_msg("'%s': %s", cases[i].text, fault.text);
                assert_int_equal(spec.prefix4, 77);
        }
}

static void test_overlap(void **state)
{
        static const struct {
                const char *a, *b;
                int do_overlap;
        } cases[] = {
                { "a 10.254.0.0/16", "b 10.254.3.0/24", 1 },
                { "a 10.254.0.0/16", "b 10.255.0.0/16", 0 },
                { "a 10.254.0.0/24", "b 10.254.1.0/24", 0 },
                { "a 10.254.0.0/24", "b 10.254.0.0/24", 1 },
                { "a 10.0.0.0/24 fd00::/64", "b 10.0.1.0/24 fd00::/80", 1 },
                { "a 10.0.0.0/24 fd00::/64", "b 10.0.1.0/24 fd00:0:0:1::/64", 0 },
                { "a 10.0.0.0/24 fd00::/64", "b 10.0.1.0/24", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                NetworkPoolSpec a = pool(cases[i].a), b = pool(cases[i].b);

                assert_int_equal(network_pool_specs_overlap(&a, &b), cases[i].do_overlap);
                assert_int_equal(network_pool_specs_overlap(&b, &a), cases[i].do_overlap);
        }
}

static void assert_slot(const NetworkPoolSpec *spec, uint32_t index, const char *host,
                        const char *container, const char *host6, const char *container6)
{
        NetworkAddresses a = { .prefix4 = 0 };
        char text[NETWORK_ADDRESS_MAX];
        uint32_t found;

        network_addresses_name(&a, ID);
        network_pool_spec_slot(spec, index, &a);
        assert_true(network_addresses_are_valid(&a));
        network_format4(a.host4, text);
        assert_string_equal(text, host);
        network_format4(a.container4, text);
        assert_string_equal(text, container);
        assert_int_equal(network_pool_spec_find(spec, text, &found, NULL), 0);
        assert_int_equal(found, index);
        network_format6(a.host6, text);
        assert_string_equal(text, host6);
        network_format6(a.container6, text);
        assert_string_equal(text, container6);
        assert_int_equal(network_pool_spec_find(spec, text, &found, NULL), 0);
        assert_int_equal(found, index);
}

static void test_slots(void **state)
{
        NetworkPoolSpec spec = pool("x 10.252.0.0/14 fd00::f:fffc:0/110");

        assert_slot(&spec, 0, "10.252.0.1", "10.252.0.2", "fd00::f:fffc:1", "fd00::f:fffc:2");
        assert_slot(&spec, 64, "10.252.1.1", "10.252.1.2", "fd00::f:fffc:101", "fd00::f:fffc:102");
        assert_slot(&spec, 65535, "10.255.255.253", "10.255.255.254", "fd00::f:ffff:fffd",
                    "fd00::f:ffff:fffe");
}

static void test_find_refusals(void **state)
{
        NetworkPoolSpec spec = pool("x 10.254.0.0/24 fd00:1::/64");
        uint32_t index = 99;
        Fault fault = FAULT_INIT;

        assert_int_equal(network_pool_spec_find(&spec, "10.253.255.254", &index, &fault), -ERANGE);
        assert_int_equal(network_pool_spec_find(&spec, "10.254.1.2", &index, &fault), -ERANGE);
        /* IPv6 has room for more than there are slots. */
        assert_int_equal(network_pool_spec_find(&spec, "fd00:1::102", &index, &fault), -ERANGE);
        assert_int_equal(network_pool_spec_find(&spec, "fd00:1:0:0:1::2", &index, &fault), -ERANGE);
        assert_int_equal(network_pool_spec_find(&spec, "fd00:2::2", &index, &fault), -ERANGE);
        assert_int_equal(fault.kind, FAULT_NONE);
        assert_int_equal(network_pool_spec_find(&spec, "ten", &index, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "'ten' is not an IPv4 or IPv6 address"));
        fault = FAULT_INIT;
        assert_int_equal(network_pool_spec_find(&spec, "10.254.0.5", &index, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "10.254.0.6 is the one"));
        fault = FAULT_INIT;
        assert_int_equal(network_pool_spec_find(&spec, "fd00:1::7", &index, &fault), -EINVAL);
        assert_non_null(strstr(fault.text, "fd00:1::6 is the one"));
        assert_int_equal(index, 99);
}

static void test_names(void **state)
{
        NetworkAddresses a = { .prefix4 = 0 }, again = { .prefix4 = 0 }, other = { .prefix4 = 0 };
        uint8_t host[6];

        network_addresses_name(&a, ID);
        network_addresses_name(&again, ID);
        network_addresses_name(&other, "1j0ql8n28s7");
        assert_string_equal(a.interface, "w-" ID);
        assert_memory_equal(a.mac, again.mac, 6);
        assert_memory_not_equal(a.mac, other.mac, 6);
        assert_string_not_equal(a.interface, other.interface);
        network_host_mac(&a, host);
        assert_memory_not_equal(host, a.mac, 6);
        /* Of one station, not of a maker. */
        assert_int_equal(a.mac[0] & 3, 2);
        assert_int_equal(host[0] & 3, 2);
}

static void test_validity(void **state)
{
        NetworkPoolSpec spec = pool("x 10.254.0.0/24 fd00:1::/64");
        NetworkAddresses good = { .prefix4 = 0 }, bad;

        network_addresses_name(&good, ID);
        network_pool_spec_slot(&spec, 3, &good);
        assert_true(network_addresses_are_valid(&good));
#define REFUSED(change)                                          \
        do {                                                     \
                bad = good;                                      \
                change;                                          \
                assert_false(network_addresses_are_valid(&bad)); \
        } while (0)
        REFUSED(bad.interface[0] = 'e');
        REFUSED(bad.interface[2] = 0);
        REFUSED(memset(bad.interface, 'w', sizeof(bad.interface)));
        REFUSED(bad.interface[3] = '/');
        REFUSED(bad.mac[0] = 1);
        REFUSED(bad.pool[0] = 0);
        REFUSED(bad.prefix4 = 24);
        REFUSED(bad.container4 = htonl(ntohl(bad.container4) + 4));
        REFUSED(bad.host4 = htonl(ntohl(bad.host4) - 1));
        REFUSED(bad.prefix6 = 64);
        REFUSED(bad.container6[0] = 0);
        REFUSED(bad.host6[15]++);
        bad = good;
        bad.prefix6 = 0;
        memset(bad.host6, 1, sizeof(bad.host6));
        assert_true(network_addresses_are_valid(&bad));
}

static void test_interface_names(void **state)
{
        static const char *const good[] = { "eth0", "a", "en-p_s0.42@x", "123456789012345" };
        static const char *const bad[] = {
                "",    ".",    "..",  "lo",    "all",   "default",  "a/b",
                "a b", "a\tb", "a:1", "dev%d", "a\x7f", "\xc3\xa4", "1234567890123456"
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (!network_interface_name_is_valid(good[i]))
                        fail_msg("%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (network_interface_name_is_valid(bad[i]))
                        fail_msg("%s", bad[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads a pool of one or two networks", test_parse },
                { "says what is wrong with a pool", test_parse_refusals },
                { "sees when two pools overlap", test_overlap },
                { "cuts a pool into slots of four and finds them again", test_slots },
                { "finds no slot for an address that is none", test_find_refusals },
                { "names interface and MAC by the id alone", test_names },
                { "tells addresses that nobody leased", test_validity },
                { "knows what an interface can be called", test_interface_names },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
