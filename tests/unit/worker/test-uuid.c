/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/uuid.h"

/* The key of the algorithm's own examples: bytes 0 to 15. */
static const UuidKey example_key = { { UINT64_C(0x0706050403020100),
                                       UINT64_C(0x0f0e0d0c0b0a0908) } };

static void test_hashes_like_the_examples(void **state)
{
        uint8_t data[64];

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)i;
        assert_true(uuid_hash(&example_key, data, 0) == UINT64_C(0x726fdb47dd0e0e31));
        assert_true(uuid_hash(&example_key, data, 1) == UINT64_C(0x74f839c593dc67fd));
        assert_true(uuid_hash(&example_key, data, 8) == UINT64_C(0x93f5f5799a932462));
        assert_true(uuid_hash(&example_key, data, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void test_has_the_form_of_version_8(void **state)
{
        char text[UUID_TEXT_MAX];

        uuid_format(&example_key, "0123456789a", text);
        assert_int_equal(strlen(text), 36);
        assert_int_equal(strspn(text, "0123456789abcdef-"), 36);
        assert_true(text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
        assert_int_equal(text[14], '8');
        assert_non_null(strchr("89ab", text[19]));
}

static void test_depends_on_machine_and_container(void **state)
{
        const UuidKey other_key = { { example_key.words[0], example_key.words[1] ^ 1 } };
        char a[UUID_TEXT_MAX], b[UUID_TEXT_MAX];

        uuid_format(&example_key, "0123456789a", a);
        uuid_format(&example_key, "0123456789a", b);
        assert_string_equal(a, b);
        uuid_format(&example_key, "0123456789b", b);
        assert_string_not_equal(a, b);
        uuid_format(&other_key, "0123456789a", b);
        assert_string_not_equal(a, b);
        /* The halves are two hashes, not one twice. */
        assert_int_not_equal(memcmp(a + 24, a + 0, 8), 0);
}

static void test_always_has_a_key(void **state)
{
        UuidKey key = { { 0, 0 } };

        uuid_key_load(&key);
        assert_true(key.words[0] != 0 && key.words[1] != 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "hashes like the algorithm's examples", test_hashes_like_the_examples },
                { "has the form of version 8", test_has_the_form_of_version_8 },
                { "depends on machine and container", test_depends_on_machine_and_container },
                { "always has a key", test_always_has_a_key },
        };

        return cmocka_run_group_tests_name("worker/uuid", tests, NULL, NULL);
}
