/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "wire/job-spec-wire.h"
#include "wire/wshd-message.h"

#define STRV(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static void dump(FILE *f, WireReader reader)
{
        WireField field;
        const char *s;
        uint64_t number;
        int r;

        while ((r = wire_next(&reader, &field)) > 0) {
                fprintf(f, "%u", field.tag);
                if (field.tag == JOB_TAG_RLIMIT) {
                        fprintf(f, " {\n");
                        dump(f, WIRE_READER(field.data, field.size));
                        fprintf(f, "}\n");
                } else if (field.tag <= JOB_TAG_DIRECTORY) {
                        assert_int_equal(wire_get_string(&field, &s), 0);
                        fprintf(f, " '%s'\n", s);
                } else {
                        assert_int_equal(wire_get_u64(&field, &number), 0);
                        fprintf(f, " %" PRIu64 "\n", number);
                }
        }
        assert_int_equal(r, 0);
}

static void expect_encoded(const JobSpec *spec, char *const *container, const char *expected)
{
        WireWriter w = WIRE_WRITER_INIT;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_int_equal(job_spec_encode(spec, container, &w), 0);
        dump(f, WIRE_READER(w.data, w.size));
        assert_int_equal(fclose(f), 0);
        assert_string_equal(text, expected);
        free(text);
        wire_writer_done(&w);
}

static JobSpec *make_spec(const char *program)
{
        JobSpec *spec = job_spec_new();

        assert_non_null(spec);
        assert_int_equal(strv_append(&spec->argv, program), 0);
        return spec;
}

static void test_smallest(void **state)
{
        _drop_(drop_job_spec) JobSpec *spec = make_spec("true");

        expect_encoded(spec, NULL, "1 'true'\n");
}

static void test_full(void **state)
{
        _drop_(drop_job_spec) JobSpec *spec = make_spec("/bin/sh");

        assert_int_equal(strv_append(&spec->argv, "-c"), 0);
        assert_int_equal(strv_append(&spec->argv, ""), 0);
        spec->user = strdup("nobody:4");
        spec->working_directory = strdup("/tmp");
        spec->identifier = strdup("not sent");
        spec->rlimits[RLIMIT_CORE] = (JobRlimit){ 0, UINT64_MAX };
        spec->rlimits[RLIMIT_NOFILE] = (JobRlimit){ 5, 10 };
        spec->rlimits_set = 1U << RLIMIT_CORE | 1U << RLIMIT_NOFILE;
        spec->umask = 027;
        spec->nice = -20;
        expect_encoded(spec, NULL,
                       "1 '/bin/sh'\n1 '-c'\n1 ''\n3 'nobody:4'\n4 '/tmp'\n"
                       "5 {\n8 4\n9 0\n10 18446744073709551615\n}\n"
                       "5 {\n8 7\n9 5\n10 10\n}\n"
                       "6 23\n7 0\n");
}

static void test_environment(void **state)
{
        _drop_(drop_job_spec) JobSpec *spec = make_spec("true");

        assert_int_equal(strv_append(&spec->environment, "B=job"), 0);
        assert_int_equal(strv_append(&spec->environment, "D=job"), 0);
        expect_encoded(spec, STRV("A=container", "B=container", "C=container"),
                       "1 'true'\n2 'A=container'\n2 'B=job'\n2 'C=container'\n2 'D=job'\n");
}

static void test_zero_is_sent(void **state)
{
        _drop_(drop_job_spec) JobSpec *spec = make_spec("true");

        spec->umask = 0;
        spec->nice = 0;
        expect_encoded(spec, NULL, "1 'true'\n6 0\n7 20\n");
}

static void test_inline(void **state)
{
        _drop_(drop_job_spec) JobSpec *spec = make_spec("true");
        uint8_t buffer[16];
        WireWriter w = WIRE_WRITER_FIXED(buffer, sizeof(buffer));

        assert_int_equal(job_spec_encode(spec, NULL, &w), 0);
        assert_int_equal(strv_append(&spec->argv, "more than fits"), 0);
        w = WIRE_WRITER_FIXED(buffer, sizeof(buffer));
        assert_int_equal(job_spec_encode(spec, NULL, &w), -EMSGSIZE);
}

/* Fills a vector up to the bytes that validation allows. */
static void fill(char ***v, size_t bytes, const char *prefix)
{
        static char text[1 << 16];
        size_t n = sizeof(text) - 1;

        memset(text, 'x', n);
        memcpy(text, prefix, strlen(prefix));
        for (size_t used = 0; used + STRING_COST(n) <= bytes; used += STRING_COST(n)) {
                (void)snprintf(text, 32, "%s%04zu=", prefix, used / n);
                text[strlen(text)] = 'x';
                assert_int_equal(strv_append(v, text), 0);
        }
}

static void test_too_large(void **state)
{
        _drop_(drop_job_spec) JobSpec *spec = make_spec("true");
        _drop_(drop_strv) char **container = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        fill(&spec->environment, JOB_SPEC_MAX_BYTES, "J");
        fill(&container, 512 << 10, "C");
        assert_int_equal(job_spec_validate(spec, NULL), 0);
        assert_int_equal(environment_validate(container, 512 << 10, NULL, NULL), 0);
        assert_int_equal(job_spec_encode(spec, container, &w), 0);
        assert_true(w.size > 1400 << 10 && w.size <= WSHD_JOB_SPEC_MAX);
        wire_writer_done(&w);
        fill(&spec->argv, JOB_SPEC_MAX_BYTES, "A"); /* which validation would refuse */
        assert_int_equal(job_spec_encode(spec, container, &w), -E2BIG);
        wire_writer_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "writes the smallest job", test_smallest },
                { "writes every member that a job's process needs", test_full },
                { "puts the job's environment over the container's", test_environment },
                { "writes zeros that were asked for", test_zero_is_sent },
                { "says when it does not fit inline", test_inline },
                { "fits whenever both specs are valid, and else says so", test_too_large },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
