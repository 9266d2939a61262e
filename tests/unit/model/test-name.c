/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/name.h"

static void expect_all(int (*is_valid)(const char *), int expected, const char *const *names,
                       size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!!is_valid(names[i]) != expected)
                        fail_msg("'%s' is %s", names[i], expected ? "refused" : "taken");
}

#define EXPECT_ALL(is_valid, expected, ...)                                      \
        expect_all((is_valid), (expected), (const char *const[]){ __VA_ARGS__ }, \
                   ELEMENTSOF(((const char *const[]){ __VA_ARGS__ })))

static void test_names(void **state)
{
        EXPECT_ALL(name_is_valid, 1, "a", "7", "web-1", "Web_1.example", "a--b..c", "A.");
        EXPECT_ALL(name_is_valid, 0, "", ".", "..", ".hidden", "-option", "_x", "a b", "a/b", "a\n",
                   "caf\xc3\xa9", "a:b", "a@b", "a\\x2d", "a\x7f");
}

static void test_name_length(void **state)
{
        char name[CONTAINER_NAME_MAX + 2];

        memset(name, 'n', sizeof(name));
        name[CONTAINER_NAME_MAX] = 0;
        assert_true(name_is_valid(name));
        name[CONTAINER_NAME_MAX] = 'n';
        name[CONTAINER_NAME_MAX + 1] = 0;
        assert_false(name_is_valid(name));
}

static void test_ids(void **state)
{
        EXPECT_ALL(id_is_valid, 1, "00000000000", "vvvvvvvvvvv", "0123456789a");
        EXPECT_ALL(id_is_valid, 0, "", "0000000000", "000000000000", "0000000000w", "0000000000V",
                   "../../../..", "00000 00000", "0000000000/");
}

static void test_id_format(void **state)
{
        static const struct {
                uint64_t number;
                const char *id;
        } cases[] = {
                { 0, "00000000000" },
                { 1, "00000000001" },
                { 31, "0000000000v" },
                { 32, "00000000010" },
                { (UINT64_C(1) << 55) - 1, "vvvvvvvvvvv" },
                { UINT64_C(1) << 55, "00000000000" },
        };
        char id[CONTAINER_ID_LENGTH + 1];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                id_format(cases[i].number, id);
                assert_string_equal(id, cases[i].id);
                assert_true(id_is_valid(id));
        }
}

static void test_id_order(void **state)
{
        char a[CONTAINER_ID_LENGTH + 1], b[CONTAINER_ID_LENGTH + 1];

        for (uint64_t number = 1; number < UINT64_C(1) << 54; number = number * 3 + 1) {
                id_format(number, a);
                id_format(number + 1, b);
                assert_true(strcmp(a, b) < 0);
        }
}

static void test_hostnames(void **state)
{
        EXPECT_ALL(hostname_is_valid, 1, "a", "web-1", "web.example.org", "1.2.3", "a--b", "X");
        EXPECT_ALL(hostname_is_valid, 0, "", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a.-b",
                   "a_b", "a b", "a/b", "caf\xc3\xa9", "a\n");
}

static void test_hostname_length(void **state)
{
        char name[66];

        /* The whole has 64 characters at most, one label 63. */
        memset(name, 'h', sizeof(name));
        name[63] = 0;
        assert_true(hostname_is_valid(name));
        name[63] = 'h';
        name[64] = 0;
        assert_false(hostname_is_valid(name));
        name[30] = '.';
        assert_true(hostname_is_valid(name));
        name[64] = 'h';
        name[65] = 0;
        assert_false(hostname_is_valid(name));
}

static void test_id_is_hostname(void **state)
{
        char id[CONTAINER_ID_LENGTH + 1];

        id_format(UINT64_C(0x123456789abcde), id);
        assert_true(hostname_is_valid(id));
        assert_true(name_is_valid(id));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes names that are safe in paths, options and units", test_names },
                { "takes names of 63 characters and no more", test_name_length },
                { "takes ids of eleven characters in base 32", test_ids },
                { "formats 55 bits as an id", test_id_format },
                { "formats a larger number as an id that sorts behind", test_id_order },
                { "takes host names by RFC 1123", test_hostnames },
                { "takes host names as long as the kernel does", test_hostname_length },
                { "makes ids that do as a name and as a host name", test_id_is_hostname },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
