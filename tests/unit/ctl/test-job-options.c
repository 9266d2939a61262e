/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/job-options.h"
#include "message.h"

static const int no_fds[3] = { -EBADF, -EBADF, -EBADF };

typedef struct Fixture {
        JobOptions options;
        Fault fault;
        int result;
} Fixture;

#define ARG(s) ((char[]){ s })
#define PARSE(f, ...) parse((f), (char *[]){ ARG("exec"), __VA_ARGS__ NULL })

/* Options, then the command. */
static void parse(Fixture *f, char **argv)
{
        const OptionUse uses[] = { { &job_stdio_option_group, &f->options },
                                   { &job_option_group, &f->options },
                                   { &job_environment_option_group, &f->options } };
        int argc = 0, first;

        for (; argv[argc]; argc++)
                ;
        f->fault = FAULT_INIT;
        assert_int_equal(job_options_init(&f->options), 0);
        f->result = options_parse(uses, 3, 1, argc, argv, &first, &f->fault);
        if (f->result >= 0)
                f->result = job_options_complete(&f->options, argv + first, &f->fault);
}

static void expect_message(Fixture *f, const int fds[3], const char *argv, const char *arguments)
{
        sd_bus_message *m = message_new();

        if (f->result < 0)
                fail_msg("%s", f->fault.text);
        assert_int_equal(job_options_append(&f->options, fds, m), 0);
        message_seal(m);
        message_expect(m, argv);
        message_expect(m, arguments);
        sd_bus_message_unref(m);
        job_options_done(&f->options);
}

static void expect_refused(Fixture *f, const char *text)
{
        assert_true(f->result < 0);
        if (!strstr(f->fault.text, text))
                fail_msg("'%s' does not say '%s'", f->fault.text, text);
        job_options_done(&f->options);
}

static void test_plain(void **state)
{
        Fixture f;

        PARSE(&f, ARG("ls"), ARG("-l"), ARG(""), );
        assert_false(f.options.is_interactive || f.options.is_detached);
        expect_message(&f, no_fds, "[\"ls\",\"-l\",\"\"]", "{}");
}

static void test_all(void **state)
{
        Fixture f;

        PARSE(&f, ARG("-d"), ARG("-u"), ARG("1000:adm"), ARG("-w/tmp"), ARG("-eA=1"),
              ARG("--ulimit=nofile=10:20"), ARG("--rlimit=core=0"), ARG("--privileged"),
              ARG("x"), );
        assert_true(f.options.is_detached);
        expect_message(&f, no_fds, "[\"x\"]",
                       "{\"User\":\"1000:adm\",\"WorkingDirectory\":\"/tmp\","
                       "\"Environment\":[\"A=1\"],\"Rlimits\":{\"CORE\":[0,0],\"NOFILE\":[10,20]},"
                       "\"Privileged\":true}");
}

static void test_fds(void **state)
{
        const int fds[3] = { 0, -EBADF, 0 };
        sd_bus_message *m = message_new();
        const char *key;
        Fixture f;
        int fd;

        PARSE(&f, ARG("x"), );
        assert_int_equal(job_options_append(&f.options, fds, m), 0);
        message_seal(m);
        message_expect(m, "[\"x\"]");
        assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        assert_true(sd_bus_message_read(m, "{sv}", &key, "h", &fd) > 0);
        assert_string_equal(key, "Stdin");
        assert_true(sd_bus_message_read(m, "{sv}", &key, "h", &fd) > 0);
        assert_string_equal(key, "Stderr");
        assert_true(fd > 2); /* a duplicate: ours may be closed */
        assert_true(sd_bus_message_at_end(m, 0) > 0);
        sd_bus_message_unref(m);
        job_options_done(&f.options);
}

static void test_tty(void **state)
{
        const int fds[3] = { 0, 1, 2 };
        Fixture f;

        (void)setenv("TERM", "ours", 1);
        PARSE(&f, ARG("-t"), ARG("x"), );
        assert_true(f.options.is_interactive);
        f.options.spec->rows = 24;
        f.options.spec->columns = 80;
        /* With a terminal of its own it gets nothing of ours. */
        expect_message(&f, fds, "[\"x\"]",
                       "{\"Environment\":[\"TERM=ours\"],\"TTY\":true,\"TTYSize\":[24,80],"
                       "\"Backpressure\":true}");
        PARSE(&f, ARG("-t"), ARG("-eTERM=other"), ARG("x"), );
        expect_message(&f, fds, "[\"x\"]",
                       "{\"Environment\":[\"TERM=other\"],\"TTY\":true,\"Backpressure\":true}");
        /* Nobody looks at it from here. */
        PARSE(&f, ARG("-td"), ARG("x"), );
        expect_message(&f, fds, "[\"x\"]", "{\"TTY\":true}");
}

static void test_refused(void **state)
{
        Fixture f;

        PARSE(&f, ARG("\xff"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-eA=\xff"), ARG("x"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-u\xff"), ARG("x"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-w/\xff"), ARG("x"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-wrelative"), ARG("x"), );
        expect_refused(&f, "WorkingDirectory");
        PARSE(&f, ARG("-ua:b:c"), ARG("x"), );
        expect_refused(&f, "User");
        PARSE(&f, ARG(""), );
        expect_refused(&f, "Argv");
        PARSE(&f, ARG("--ulimit=nofile"), ARG("x"), );
        expect_refused(&f, "NAME=SOFT[:HARD]");
}

/* bash is tried first, then sh. */
static void test_twice(void **state)
{
        char *other[] = { ARG("other"), NULL };
        Fixture f;

        PARSE(&f, ARG("-eA=1"), ARG("first"), );
        assert_int_equal(job_options_complete(&f.options, other, &f.fault), 0);
        expect_message(&f, no_fds, "[\"other\"]", "{\"Environment\":[\"A=1\"]}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "sends the command line alone when nothing else is said", test_plain },
                { "sends all that was said", test_all },
                { "sends the descriptors that there are", test_fds },
                { "sends no descriptor to a job with a terminal", test_tty },
                { "refuses what the daemon would refuse", test_refused },
                { "takes another command line", test_twice },
        };

        return cmocka_run_group_tests_name("ctl/job-options", tests, message_begin, message_end);
}
