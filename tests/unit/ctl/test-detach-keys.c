/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/detach-keys.h"

static DetachKeys parse(const char *text)
{
        DetachKeys keys;

        assert_int_equal(detach_keys_parse(text, &keys, NULL), 0);
        return keys;
}

/* Types @text in pieces of @step bytes. Returns whether the keys were in it; what goes on is in
 * @out. */
static int type(DetachKeys *keys, const char *text, size_t step, char *out)
{
        size_t n = strlen(text);

        out[0] = 0;
        for (size_t i = 0; i < n; i += step) {
                uint8_t data[64 + DETACH_KEYS_MAX];
                size_t size = n - i < step ? n - i : step;
                int r;

                memcpy(data, text + i, size);
                r = detach_keys_filter(keys, data, &size);
                assert_true(size <= sizeof(data));
                strncat(out, (const char *)data, size);
                if (r)
                        return 1;
        }
        return 0;
}

static void expect(const char *keys_text, const char *typed, int is_detached, const char *expected)
{
        char out[256];

        for (size_t step = 1; step <= strlen(typed); step++) {
                DetachKeys keys = parse(keys_text);

                if (type(&keys, typed, step, out) != is_detached || strcmp(out, expected) != 0)
                        fail_msg("'%s' in steps of %zu gave '%s', not '%s'", typed, step, out,
                                 expected);
        }
}

static void test_spelling(void **state)
{
        DetachKeys keys = parse(DETACH_KEYS_DEFAULT);

        assert_int_equal(keys.n, 2);
        assert_int_equal(keys.keys[0], 16);
        assert_int_equal(keys.keys[1], 17);
        keys = parse("a,ctrl-@,ctrl-[,ctrl-_,ctrl-Z,~");
        assert_int_equal(keys.n, 6);
        assert_memory_equal(keys.keys, "a\0\x1b\x1f\x1a~", 6);
        assert_int_equal(parse("none").n, 0);
        assert_int_equal(parse("").n, 0);
        assert_int_equal(parse("a,b,c,d,e,f,g,h").n, DETACH_KEYS_MAX);
}

static void test_wrong_spelling(void **state)
{
        static const char *const texts[] = {
                ",",      "a,",       ",a",     "ctrl-", "ctrl-pp", "ctrl-1",
                "ctrl-`", "ctrl-{",   "Ctrl-p", " ",     "\n",      "a,b,c,d,e,f,g,h,i",
                "ab",     "\xc3\xa4", "none,a",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                DetachKeys keys = { .n = 42 };
                Fault fault = FAULT_INIT;

                if (detach_keys_parse(texts[i], &keys, &fault) != -EINVAL)
                        fail_msg("'%s' was taken", texts[i]);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_int_equal(keys.n, 42);
        }
}

static void test_typed(void **state)
{
        expect("ctrl-p,ctrl-q", "abc\x10\x11", 1, "abc");
        expect("x", "abcx", 1, "abc");
        expect("a,b,c", "abc", 1, "");
}

static void test_not_typed(void **state)
{
        expect("ctrl-p,ctrl-q", "abc\x10x\x11y", 0, "abc\x10x\x11y");
        expect("ctrl-p,ctrl-q", "\x11\x10x", 0, "\x11\x10x");
        expect("none", "a\x10\x11z", 0, "a\x10\x11z");
}

/* Twice the first key: the first one goes on, the second may still be the beginning. */
static void test_overlap(void **state)
{
        expect("ctrl-p,ctrl-q", "\x10\x10\x11", 1, "\x10");
        expect("a,a,b", "aaab", 1, "a");
        expect("a,b,a,b,c", "abababc", 1, "ab");
        expect("a,b,a,c", "ababad", 0, "ababad");
        expect("a,a,a", "aabaaa", 1, "aab");
}

static void test_held_back(void **state)
{
        DetachKeys keys = parse("ctrl-p,ctrl-q");
        char out[64];

        assert_int_equal(type(&keys, "a\x10", 2, out), 0);
        assert_string_equal(out, "a");
        assert_int_equal(type(&keys, "b", 1, out), 0);
        assert_string_equal(out, "\x10"
                                 "b");
}

/* What is typed behind the keys is nobody's. */
static void test_behind(void **state)
{
        DetachKeys keys = parse("ctrl-p,ctrl-q");
        char out[64];

        assert_int_equal(type(&keys, "ls\x10\x11rm", 6, out), 1);
        assert_string_equal(out, "ls");
        assert_int_equal(keys.n_held, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads keys as docker spells them", test_spelling },
                { "refuses what is no key", test_wrong_spelling },
                { "finds the keys, however the bytes come", test_typed },
                { "passes everything else on", test_not_typed },
                { "finds keys that begin again within themselves", test_overlap },
                { "holds back what could be the beginning", test_held_back },
                { "drops what is typed behind the keys", test_behind },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
