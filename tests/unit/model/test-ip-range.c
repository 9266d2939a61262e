/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/ip-range.h"

static void test_formats_what_it_parses(void **state)
{
        static const char *const texts[] = {
                "10.0.0.1",          "0.0.0.0/0",       "10.0.0.0/8", "192.168.1.128/25",
                "10.0.0.1-10.0.0.9", "fd00::1",         "::/0",       "fc00::/7",
                "2001:db8::/33",     "fe80::1-fe80::9", "::1",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char back[IP_RANGE_MAX];
                IpRange range;

                if (ip_range_parse("Networks", texts[i], &range, NULL) < 0)
                        fail_msg("'%s' was refused", texts[i]);
                assert_true(ip_range_is_valid(&range));
                ip_range_format(&range, back);
                assert_string_equal(back, texts[i]);
        }
}

static void test_finds_the_bounds(void **state)
{
        IpRange range;

        assert_int_equal(ip_range_parse("x", "10.1.0.0/20", &range, NULL), 0);
        assert_int_equal(range.family, AF_INET);
        assert_memory_equal(range.first, ((uint8_t[]){ 10, 1, 0, 0 }), 4);
        assert_memory_equal(range.last, ((uint8_t[]){ 10, 1, 15, 255 }), 4);
        assert_int_equal(ip_range_parse("x", "fd00::/124", &range, NULL), 0);
        assert_int_equal(range.last[15], 15);
        assert_int_equal(ip_range_parse("x", "0.0.0.0/0", &range, NULL), 0);
        assert_memory_equal(range.last, ((uint8_t[]){ 255, 255, 255, 255 }), 4);
}

static void test_writes_a_range_as_a_prefix(void **state)
{
        char text[IP_RANGE_MAX];
        IpRange range;

        assert_int_equal(ip_range_parse("x", "10.0.0.0-10.0.0.255", &range, NULL), 0);
        ip_range_format(&range, text);
        assert_string_equal(text, "10.0.0.0/24");
}

static void test_refuses(void **state)
{
        static const char *const texts[] = {
                "",
                "example.org",
                "10.0.0",
                "10.0.0.0/33",
                "10.0.0.1/8",
                "10.0.0.0/",
                "10.0.0.0/-1",
                "10.0.0.9-10.0.0.1",
                "10.0.0.1-fd00::1",
                "10.0.0.1-",
                "fd00::/129",
                "10.0.0.1 ",
                " 10.0.0.1",
                "010.0.0.1",
                "1.2.3.4.5",
                "10.0.0.0/8/8",
                "::1%lo",
                "10.0.0.1-10.0.0.2-10.0.0.3",
                "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Fault fault = FAULT_INIT;
                IpRange range = { .family = 77 };

                if (ip_range_parse("Networks", texts[i], &range, &fault) != -EINVAL)
                        fail_msg("'%s' was taken", texts[i]);
                assert_int_equal(range.family, 77);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_memory_equal(fault.text, "Networks: ", 10);
        }
}

static void test_is_valid_with_nothing_behind_an_address(void **state)
{
        IpRange range;

        ip_range_set(&range, AF_INET, "\x0a\0\0\1");
        assert_true(ip_range_is_valid(&range) && ip_range_is_single(&range));
        range.last[15] = 1;
        assert_false(ip_range_is_valid(&range));
        range.last[15] = 0;
        range.first[0] = 11;
        assert_false(ip_range_is_valid(&range));
        range.family = AF_UNSPEC;
        assert_false(ip_range_is_valid(&range));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "writes what it has read", test_formats_what_it_parses },
                { "knows the first and the last address of a network", test_finds_the_bounds },
                { "writes a range as a prefix where it is one", test_writes_a_range_as_a_prefix },
                { "refuses host names, bits behind the prefix, and what is no range",
                  test_refuses },
                { "holds no bytes behind a short address",
                  test_is_valid_with_nothing_behind_an_address },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
