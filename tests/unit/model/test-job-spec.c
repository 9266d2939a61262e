/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "model/job-spec.h"

typedef struct Fixture {
        JobSpec *spec;
        Fault fault;
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        if (!f)
                return -1;
        f->spec = job_spec_new();
        *state = f;
        return f->spec ? strv_append(&f->spec->argv, "/bin/true") : -1;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        job_spec_free(f->spec);
        free(f);
        return 0;
}

static void expect_refusal(Fixture *f, int error, const char *text)
{
        f->fault = FAULT_INIT;
        assert_int_equal(job_spec_validate(f->spec, &f->fault), error);
        assert_int_equal(f->fault.kind, FAULT_INVALID);
        assert_string_equal(f->fault.text, text);
}

static void test_defaults(void **state)
{
        Fixture *f = *state;

        assert_int_equal(f->spec->umask, -1);
        assert_int_equal(f->spec->nice, INT32_MAX);
        assert_int_equal(job_spec_validate(f->spec, &f->fault), 0);
        assert_int_equal(f->fault.kind, FAULT_NONE);
}

static void test_full(void **state)
{
        Fixture *f = *state;
        JobSpec *s = f->spec;

        assert_int_equal(strv_append(&s->argv, ""), 0);
        assert_int_equal(strv_append(&s->argv, "line\nbreak"), 0);
        assert_int_equal(strv_append(&s->environment, "TERM=linux"), 0);
        s->user = strdup("nobody:nogroup");
        s->working_directory = strdup("/var/../tmp/");
        s->identifier = strdup("my job");
        s->rlimits[RLIMIT_NOFILE] = (JobRlimit){ 10, 10 };
        s->rlimits[RLIMIT_CORE] = (JobRlimit){ 0, UINT64_MAX };
        s->rlimits_set = 1U << RLIMIT_NOFILE | 1U << RLIMIT_CORE;
        s->rows = s->columns = 65535;
        s->umask = 0777;
        s->nice = -20;
        assert_int_equal(job_spec_validate(s, NULL), 0);
}

static void test_argv(void **state)
{
        Fixture *f = *state;

        f->spec->argv[0][0] = 0;
        expect_refusal(f, -EINVAL, "Argv: the program is empty");
        free(f->spec->argv[0]);
        f->spec->argv[0] = NULL;
        expect_refusal(f, -EINVAL, "Argv: is empty; at least a program is needed");
        f->spec->argv = strv_free(f->spec->argv);
        expect_refusal(f, -EINVAL, "Argv: is empty; at least a program is needed");
}

static void test_argument_length(void **state)
{
        Fixture *f = *state;
        char *big = calloc(1, STRING_MAX + 2);

        assert_non_null(big);
        memset(big, 'x', STRING_MAX);
        assert_int_equal(strv_append(&f->spec->argv, big), 0);
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        big[STRING_MAX] = 'x';
        assert_int_equal(strv_append(&f->spec->argv, big), 0);
        expect_refusal(f, -E2BIG, "Argv: argument 2 is longer than 131071 bytes");
        free(big);
}

static void test_together(void **state)
{
        Fixture *f = *state;
        char *big = calloc(1, STRING_MAX + 1);

        assert_non_null(big);
        memset(big, 'x', STRING_MAX);
        /* Seven arguments leave a bit less than one more: an environment of that size is too much
         * together with them, though neither is alone. */
        for (int i = 0; i < 7; i++)
                assert_int_equal(strv_append(&f->spec->argv, big), 0);
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        big[1] = '=';
        assert_int_equal(strv_append(&f->spec->environment, big), 0);
        expect_refusal(f, -E2BIG, "Environment: together larger than 1048576 bytes");
        big[1] = 'x';
        assert_int_equal(strv_append(&f->spec->argv, big), 0);
        expect_refusal(f, -E2BIG, "Argv: together larger than 1048576 bytes");
        free(big);
}

static void test_together_to_the_byte(void **state)
{
        /* An empty argument costs its NUL and a pointer, so that a million of them is not free. */
        const size_t n = JOB_SPEC_MAX_BYTES / STRING_COST(0);
        char program[] = "x", empty[] = "", **argv = calloc(n + 1, sizeof(char *));
        size_t total = 0;

        assert_non_null(argv);
        argv[0] = program;
        for (size_t i = 1; i < n; i++)
                argv[i] = empty;
        assert_int_equal(job_argv_validate(argv, &total, NULL), 0);
        assert_int_equal(total, n * STRING_COST(0) + 1);
        total = JOB_SPEC_MAX_BYTES - total;
        assert_int_equal(job_argv_validate(argv, &total, NULL), 0);
        assert_int_equal(total, JOB_SPEC_MAX_BYTES);
        total = JOB_SPEC_MAX_BYTES - (n * STRING_COST(0) + 1) + 1;
        assert_int_equal(job_argv_validate(argv, &total, NULL), -E2BIG);
        free(argv);
}

static void test_users(void **state)
{
        static const char *const users[] = {
                "root",           "0",         "1000",          "4294967294",
                "nobody:nogroup", "1000:1000", "www-data:33",   "33:www-data",
                "a.b_c-d$",       "1000x",     "m\xc3\xbcller", "DOM\\user name",
        };

        for (size_t i = 0; i < ELEMENTSOF(users); i++)
                if (job_user_validate(users[i], NULL) != 0)
                        fail_msg("'%s' is refused", users[i]);
}

static void test_user_refusals(void **state)
{
        static const struct {
                const char *user, *text;
        } cases[] = {
                { "", "User: the user is empty" },
                { ":", "User: the user is empty" },
                { ":1", "User: the user is empty" },
                { "root:", "User: the group is empty" },
                { "a:b:c", "User: 'a:b:c' has more than one ':'" },
                { "root::", "User: 'root::' has more than one ':'" },
                { "4294967295", "User: user '4294967295' is not a number below 4294967295" },
                { "4294967296", "User: user '4294967296' is not a number below 4294967295" },
                { "99999999999999999999999",
                  "User: user '99999999999999999999999' is not a number below 4294967295" },
                { "0:4294967295", "User: group '4294967295' is not a number below 4294967295" },
                { "-1", "User: user '-1' starts with a sign" },
                { "root:+0", "User: group '+0' starts with a sign" },
                { "ro\not", "User: the user contains control characters" },
                { "root:\x7f", "User: the group contains control characters" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Fault fault = FAULT_INIT;

                assert_int_equal(job_user_validate(cases[i].user, &fault), -EINVAL);
                assert_string_equal(fault.text, cases[i].text);
        }
}

static void test_user_length(void **state)
{
        Fixture *f = *state;
        char user[257];

        memset(user, 'u', sizeof(user));
        user[255] = 0;
        f->spec->user = strdup(user);
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        user[255] = 'u';
        user[256] = 0;
        free(f->spec->user);
        f->spec->user = strdup(user);
        expect_refusal(f, -EINVAL, "User: the user is longer than 255 characters");
}

static void test_texts(void **state)
{
        Fixture *f = *state;

        f->spec->working_directory = strdup("tmp");
        expect_refusal(f, -EINVAL, "WorkingDirectory: 'tmp' is not an absolute path");
        free(f->spec->working_directory);
        f->spec->working_directory = NULL;
        f->spec->identifier = strdup("");
        expect_refusal(f, -EINVAL,
                       "Identifier: is not of 1 to 255 bytes without control characters");
        free(f->spec->identifier);
        f->spec->identifier = strdup("a\nFORGED=1");
        expect_refusal(f, -EINVAL,
                       "Identifier: is not of 1 to 255 bytes without control characters");
}

static void test_rlimits(void **state)
{
        Fixture *f = *state;

        f->spec->rlimits[RLIMIT_NOFILE] = (JobRlimit){ 11, 10 };
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        f->spec->rlimits_set = 1U << RLIMIT_NOFILE;
        expect_refusal(f, -EINVAL, "Rlimits: NOFILE has a soft limit 11 above its hard limit 10");
        f->spec->rlimits_set = 1U << JOB_RLIMITS;
        expect_refusal(f, -EINVAL, "Rlimits: unknown resource");
}

static void test_numbers(void **state)
{
        Fixture *f = *state;

        f->spec->rows = 65536;
        f->spec->columns = 80;
        expect_refusal(f, -EINVAL, "TTY: 65536 by 80 is larger than 65535 by 65535");
        f->spec->rows = 0;
        f->spec->umask = 01000;
        expect_refusal(f, -EINVAL, "UMask: 01000 is not from 0 to 0777");
        f->spec->umask = -2;
        assert_int_equal(job_spec_validate(f->spec, NULL), -EINVAL);
        f->spec->umask = 0;
        f->spec->nice = 20;
        expect_refusal(f, -EINVAL, "Nice: 20 is not from -20 to 19");
        f->spec->nice = -21;
        expect_refusal(f, -EINVAL, "Nice: -21 is not from -20 to 19");
        f->spec->nice = 19;
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
}

static void test_output(void **state)
{
        Fixture *f = *state;

        assert_true(job_spec_has_rings(f->spec));
        f->spec->ring_bytes = JOB_RING_MIN_BYTES - 1;
        expect_refusal(f, -EINVAL, "RingBytes: 4095 is less than 4096");
        f->spec->ring_bytes = UINT64_MAX; /* the bound is the configuration's */
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        f->spec->log = JOB_LOG_NONE;
        assert_false(job_spec_has_rings(f->spec));
        expect_refusal(f, -EINVAL, "RingBytes: there is no ring when the output is discarded");
        f->spec->ring_bytes = 0;
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        f->spec->has_backpressure = 1;
        expect_refusal(f, -EINVAL, "Backpressure: nobody reads what is discarded");
        f->spec->has_backpressure = 0;
        f->spec->is_output_discarded = 1; /* the same, said twice */
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        f->spec->log = JOB_LOG_BOTH;
        expect_refusal(f, -EINVAL, "Log: contradicts DiscardOutput");
        f->spec->log = JOB_LOG_JOURNAL;
        expect_refusal(f, -EINVAL, "Log: contradicts DiscardOutput");
        f->spec->is_output_discarded = 0;
        f->spec->has_backpressure = 1;
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        f->spec->log = _JOB_LOG_MAX;
        expect_refusal(f, -EINVAL, "Log: not a known value");
}

static void test_terminal_output(void **state)
{
        Fixture *f = *state;

        f->spec->is_tty = 1;
        f->spec->is_stdin_open = 1;
        assert_int_equal(job_spec_validate(f->spec, NULL), 0);
        f->spec->is_output_discarded = 1;
        assert_int_equal(job_spec_validate(f->spec, NULL), -EINVAL);
        f->spec->is_output_discarded = 0;
        f->spec->log = JOB_LOG_NONE;
        assert_int_equal(job_spec_validate(f->spec, NULL), -EINVAL);
}

static void test_log_names(void **state)
{
        for (int i = 0; i < _JOB_LOG_MAX; i++)
                assert_int_equal(job_log_from_string(job_log_to_string((JobLog)i)), i);
        assert_int_equal(job_log_from_string("journal"), JOB_LOG_JOURNAL);
        assert_int_equal(job_log_from_string(""), -EINVAL);
        assert_int_equal(job_log_from_string("Ring"), -EINVAL);
        assert_null(job_log_to_string(_JOB_LOG_MAX));
        assert_null(job_log_to_string(_JOB_LOG_INVALID));
}

static void test_rlimit_names(void **state)
{
        for (int i = 0; i < JOB_RLIMITS; i++) {
                assert_non_null(rlimit_to_string(i));
                assert_int_equal(rlimit_from_string(rlimit_to_string(i)), i);
        }
        assert_int_equal(rlimit_from_string("NOFILE"), RLIMIT_NOFILE);
        assert_int_equal(rlimit_from_string("LimitNPROC"), RLIMIT_NPROC);
        assert_int_equal(rlimit_from_string("RLIMIT_AS"), RLIMIT_AS);
        assert_int_equal(rlimit_from_string("nofile"), -EINVAL);
        assert_int_equal(rlimit_from_string("Limit"), -EINVAL);
        assert_int_equal(rlimit_from_string("LimitRLIMIT_AS"), -EINVAL);
        assert_int_equal(rlimit_from_string(""), -EINVAL);
        assert_null(rlimit_to_string(-1));
        assert_null(rlimit_to_string(JOB_RLIMITS));
}

#define CASE(name, func)                    \
        {                                   \
                name, func, setup, teardown \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("needs nothing but a program", test_defaults),
                CASE("takes a spec with everything in it", test_full),
                CASE("wants a program in argv", test_argv),
                CASE("bounds each argument as the kernel does", test_argument_length),
                CASE("bounds arguments and environment together", test_together),
                { "counts arguments as execve does, to the byte", test_together_to_the_byte },
                { "takes users and groups by name and number", test_users },
                { "says what is wrong with a user", test_user_refusals },
                CASE("bounds the length of a name", test_user_length),
                CASE("checks directory and identifier", test_texts),
                CASE("wants soft limits below the hard ones, where set", test_rlimits),
                CASE("bounds terminal size, umask and nice value", test_numbers),
                CASE("refuses what contradicts itself about the output", test_output),
                CASE("does not discard what is shown on a terminal", test_terminal_output),
                { "knows the ways of the output by name", test_log_names },
                { "knows resources by their three spellings", test_rlimit_names },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
