/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "init/spec.h"
#include "wire/wshd-message.h"

static uint8_t buffer[4096];
static WireWriter writer;

static int setup(void **state)
{
        writer = WIRE_WRITER_FIXED(buffer, sizeof(buffer));
        wire_put_string(&writer, JOB_TAG_ARGV, "/bin/true");
        return 0;
}

static int decode(Spec *ret)
{
        assert_int_equal(writer.error, 0);
        return spec_decode(writer.data, writer.size, ret);
}

static void put_rlimit(uint64_t resource, uint64_t soft, uint64_t hard)
{
        size_t mark = wire_begin(&writer, JOB_TAG_RLIMIT);

        wire_put_u64(&writer, JOB_TAG_RLIMIT_RESOURCE, resource);
        wire_put_u64(&writer, JOB_TAG_RLIMIT_SOFT, soft);
        wire_put_u64(&writer, JOB_TAG_RLIMIT_HARD, hard);
        wire_end(&writer, mark);
}

static void test_defaults(void **state)
{
        Spec spec;

        assert_int_equal(decode(&spec), 0);
        assert_int_equal(spec.n_argv, 1);
        assert_int_equal(spec.n_environment, 0);
        assert_null(spec.user);
        assert_null(spec.directory);
        assert_int_equal(spec.rlimits_set, 0);
        assert_int_equal(spec.umask, -1);
        assert_int_equal(spec.nice, SPEC_NO_NICE);
}

static void test_all(void **state)
{
        char *argv[3] = { NULL }, *environment[3] = { NULL };
        Spec spec;

        wire_put_string(&writer, JOB_TAG_ENVIRONMENT, "A=1");
        wire_put_string(&writer, JOB_TAG_ARGV, "");
        wire_put_string(&writer, JOB_TAG_ENVIRONMENT, "B=");
        wire_put_string(&writer, JOB_TAG_USER, "vcap:staff");
        wire_put_string(&writer, JOB_TAG_DIRECTORY, "/srv");
        put_rlimit(7, 10, 20);
        put_rlimit(15, 0, UINT64_MAX);
        wire_put_u64(&writer, JOB_TAG_UMASK, 027);
        wire_put_u64(&writer, JOB_TAG_NICE, 0);
        assert_int_equal(decode(&spec), 0);
        assert_string_equal(spec.user, "vcap:staff");
        assert_string_equal(spec.directory, "/srv");
        assert_int_equal(spec.rlimits_set, 1U << 7 | 1U << 15);
        assert_true(spec.rlimits[7].soft == 10 && spec.rlimits[7].hard == 20);
        assert_true(spec.rlimits[15].hard == UINT64_MAX);
        assert_int_equal(spec.umask, 027);
        assert_int_equal(spec.nice, -20);
        assert_int_equal(spec.n_argv, 2);
        assert_int_equal(spec.n_environment, 2);
        spec_get_strings(&spec, JOB_TAG_ARGV, argv);
        assert_string_equal(argv[0], "/bin/true");
        assert_string_equal(argv[1], "");
        assert_null(argv[2]);
        spec_get_strings(&spec, JOB_TAG_ENVIRONMENT, environment);
        assert_string_equal(environment[0], "A=1");
        assert_string_equal(environment[1], "B=");
        assert_null(environment[2]);
}

static void test_no_program(void **state)
{
        Spec spec;

        writer.size = 0;
        wire_put_string(&writer, JOB_TAG_USER, "root");
        assert_int_equal(decode(&spec), -EBADMSG);
        assert_int_equal(spec_decode(buffer, 0, &spec), -EBADMSG);
}

static void test_newer(void **state)
{
        Spec spec;

        wire_put_string(&writer, 99, "something");
        wire_put_string(&writer, 99, "of a newer daemon");
        wire_put_string(&writer, 0, "");
        assert_int_equal(decode(&spec), 0);
}

/* Each of these alone makes the spec bad. */
static void test_bad_fields(void **state)
{
        static const struct {
                uint16_t tag;
                const char *data;
                size_t size;
        } fields[] = {
                { JOB_TAG_ARGV, "no end", 6 },
                { JOB_TAG_ARGV, "two\0ends\0", 9 },
                { JOB_TAG_ARGV, "", 0 },
                { JOB_TAG_ENVIRONMENT, "NOVALUE", 8 },
                { JOB_TAG_ENVIRONMENT, "=novalue", 9 },
                { JOB_TAG_ENVIRONMENT, "", 1 },
                { JOB_TAG_DIRECTORY, "relative", 9 },
                { JOB_TAG_DIRECTORY, "", 1 },
                { JOB_TAG_USER, "root", 4 },
                { JOB_TAG_UMASK, "\x00\x02\0\0\0\0\0\0", 8 },
                { JOB_TAG_UMASK, "\x12\0\0\0", 4 },
                { JOB_TAG_NICE, "\x28\0\0\0\0\0\0\0", 8 },
                { JOB_TAG_NICE, "\0\0\0\0\1\0\0\0", 8 },
                { JOB_TAG_RLIMIT, "x", 1 },
                { JOB_TAG_RLIMIT, "", 0 },
        };
        size_t size = writer.size;
        Spec spec;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                writer.size = size;
                wire_put_bytes(&writer, fields[i].tag, fields[i].data, fields[i].size);
                if (decode(&spec) != -EBADMSG)
                        fail_msg("field %zu was taken", i);
        }
}

static void test_bad_rlimits(void **state)
{
        size_t size = writer.size;
        Spec spec;

        put_rlimit(SPEC_RLIMITS, 1, 1);
        assert_int_equal(decode(&spec), -EBADMSG);
        writer.size = size;
        put_rlimit(7, 2, 1);
        assert_int_equal(decode(&spec), -EBADMSG);
        writer.size = size;
        put_rlimit(UINT64_C(1) << 32, 1, 1);
        assert_int_equal(decode(&spec), -EBADMSG);
}

static void test_twice(void **state)
{
        static const uint16_t tags[] = { JOB_TAG_USER, JOB_TAG_DIRECTORY };
        size_t size = writer.size;
        Spec spec;

        for (size_t i = 0; i < ELEMENTSOF(tags); i++) {
                writer.size = size;
                wire_put_string(&writer, tags[i], "/x");
                assert_int_equal(decode(&spec), 0);
                wire_put_string(&writer, tags[i], "/x");
                assert_int_equal(decode(&spec), -EBADMSG);
        }
}

static void test_cut(void **state)
{
        Spec spec;

        wire_put_string(&writer, JOB_TAG_USER, "root");
        for (size_t i = 0; i < writer.size; i++) {
                int r = spec_decode(buffer, i, &spec);

                /* Between two fields is an end like any other. */
                assert_true(r == -EBADMSG || (r == 0 && i == 6 + 10));
        }
}

static void test_too_large(void **state)
{
        uint8_t *data = calloc(1, WSHD_JOB_SPEC_MAX + 1);
        WireWriter w = WIRE_WRITER_FIXED(data, WSHD_JOB_SPEC_MAX + 1);
        Spec spec;

        assert_non_null(data);
        wire_put_string(&w, JOB_TAG_ARGV, "/bin/true");
        wire_put_bytes(&w, 99, buffer, 0);
        data[w.size - 4] = (uint8_t)(WSHD_JOB_SPEC_MAX - w.size);
        data[w.size - 3] = (uint8_t)((WSHD_JOB_SPEC_MAX - w.size) >> 8);
        data[w.size - 2] = (uint8_t)((WSHD_JOB_SPEC_MAX - w.size) >> 16);
        assert_int_equal(spec_decode(data, WSHD_JOB_SPEC_MAX, &spec), 0);
        assert_int_equal(spec_decode(data, WSHD_JOB_SPEC_MAX + 1, &spec), -E2BIG);
        free(data);
}

int main(void)
{
#define CASE(sentence, function)                      \
        {                                             \
                sentence, function, setup, NULL, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("needs nothing but a program", test_defaults),
                CASE("reads every field", test_all),
                CASE("is nothing without a program", test_no_program),
                CASE("passes over fields of a newer daemon", test_newer),
                CASE("refuses fields that are malformed or out of range", test_bad_fields),
                CASE("refuses limits that are none", test_bad_rlimits),
                CASE("refuses two of what there is one of", test_twice),
                CASE("refuses a spec that is cut off", test_cut),
                CASE("is as large as its bound and no larger", test_too_large),
        };

        return cmocka_run_group_tests_name("init/spec", tests, NULL, NULL);
}
