/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "shell/options.h"

#define ARGUMENTS_MAX 24

/* Parses "wsh" and the words, which end with NULL. */
static int parse(Options *options, int is_interactive, Fault *fault, ...)
{
        char *argv[ARGUMENTS_MAX] = { (char *)"wsh" };
        int argc = 1;
        va_list ap;

        va_start(ap, fault);
        while ((argv[argc] = va_arg(ap, char *)))
                argc++;
        va_end(ap);
        *fault = FAULT_INIT;
        return options_parse(options, argc, argv, is_interactive, fault);
}

static void test_command(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(parse(&options, 0, &fault, "web", "--", "ls", "-l", NULL), 0);
        assert_string_equal(options.container, "web");
        assert_string_equal(options.spec->argv[0], "ls");
        assert_string_equal(options.spec->argv[1], "-l");
        assert_null(options.spec->argv[2]);
        assert_false(options.spec->is_tty);
        options_done(&options);
}

static void test_both_sides(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(parse(&options, 0, &fault, "-u", "1:2", "web", "-w", "/tmp", "-t", "ls",
                               "-t", NULL),
                         0);
        assert_string_equal(options.container, "web");
        assert_string_equal(options.spec->user, "1:2");
        assert_string_equal(options.spec->working_directory, "/tmp");
        assert_true(options.spec->is_tty);
        assert_string_equal(options.spec->argv[1], "-t");
        options_done(&options);
}

static void test_dashes_before_name(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(parse(&options, 0, &fault, "--", "web", "--user", NULL), 0);
        assert_string_equal(options.container, "web");
        assert_string_equal(options.spec->argv[0], "--user");
        options_done(&options);
}

static void test_login_shell(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(parse(&options, 1, &fault, "web", NULL), 0);
        assert_string_equal(options.spec->argv[0], "/bin/sh");
        assert_true(options.spec->is_tty);
        options_done(&options);
        assert_int_equal(parse(&options, 0, &fault, "web", NULL), 0);
        assert_false(options.spec->is_tty);
        options_done(&options);
}

static void test_environment(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(setenv("WSH_TEST", "here", 1), 0);
        assert_int_equal(unsetenv("WSH_NONE"), 0);
        assert_int_equal(parse(&options, 0, &fault, "web", "-e", "A=b=c", "-e", "WSH_TEST", "-e",
                               "WSH_NONE", "true", NULL),
                         0);
        assert_string_equal(options.spec->environment[0], "A=b=c");
        assert_string_equal(options.spec->environment[1], "WSH_TEST=here");
        assert_null(options.spec->environment[2]);
        options_done(&options);
        assert_int_equal(parse(&options, 0, &fault, "web", "-e", "=b", "true", NULL), -EINVAL);
        assert_non_null(strstr(fault.text, "--env =b"));
        options_done(&options);
}

static void test_term(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(setenv("TERM", "vt100", 1), 0);
        assert_int_equal(parse(&options, 0, &fault, "web", "-t", "vi", NULL), 0);
        assert_string_equal(options.spec->environment[0], "TERM=vt100");
        options_done(&options);
        assert_int_equal(parse(&options, 0, &fault, "web", "-t", "-e", "TERM=dumb", "vi", NULL), 0);
        assert_string_equal(options.spec->environment[0], "TERM=dumb");
        assert_null(options.spec->environment[1]);
        options_done(&options);
        assert_int_equal(parse(&options, 0, &fault, "web", "vi", NULL), 0);
        assert_true(!options.spec->environment || !options.spec->environment[0]);
        options_done(&options);
}

static void test_limits(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(parse(&options, 0, &fault, "web", "-r", "nofile=10:infinity", "-r",
                               "CORE=0", "--umask", "077", "--nice", "-5", "true", NULL),
                         0);
        assert_int_equal(options.spec->rlimits[RLIMIT_NOFILE].soft, 10);
        assert_true(options.spec->rlimits[RLIMIT_NOFILE].hard == UINT64_MAX);
        assert_int_equal(options.spec->rlimits[RLIMIT_CORE].hard, 0);
        assert_int_equal(options.spec->rlimits_set, 1U << RLIMIT_NOFILE | 1U << RLIMIT_CORE);
        assert_int_equal(options.spec->umask, 077);
        assert_int_equal(options.spec->nice, -5);
        options_done(&options);
}

static void test_mistakes(void **state)
{
        static const char *const mistakes[][2] = {
                { "--rlimit", "nofile" }, { "--rlimit", "nofile=" },   { "--rlimit", "nothing=1" },
                { "--rlimit", "core=x" }, { "--umask", "08" },         { "--umask", "1000" },
                { "--nice", "20" },       { "--nice", "1x" },          { "--user", ":x" },
                { "--user", "" },         { "--workdir", "relative" },
        };
        Options options;
        Fault fault;

        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                assert_int_equal(parse(&options, 0, &fault, "web", mistakes[i][0], mistakes[i][1],
                                       "true", NULL),
                                 -EINVAL);
                assert_true(fault.text[0]);
                options_done(&options);
        }
        assert_int_equal(parse(&options, 0, &fault, NULL), -EINVAL);
        assert_non_null(strstr(fault.text, "Which container"));
        options_done(&options);
}

static void test_help(void **state)
{
        Options options;
        Fault fault;

        assert_int_equal(parse(&options, 0, &fault, "web", "--help", NULL), 0);
        assert_true(options.is_help);
        options_done(&options);
        assert_int_equal(parse(&options, 0, &fault, "web", "ls", "--help", NULL), 0);
        assert_false(options.is_help);
        options_done(&options);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes a command with its own options", test_command },
                { "takes options on both sides of the name", test_both_sides },
                { "takes no option behind dashes", test_dashes_before_name },
                { "runs a login shell without a command", test_login_shell },
                { "takes variables, also those from here", test_environment },
                { "passes TERM on to a terminal", test_term },
                { "takes limits, umask and nice", test_limits },
                { "names what is wrong", test_mistakes },
                { "gives help unless the command is asked for it", test_help },
        };

        return cmocka_run_group_tests_name("shell/options", tests, NULL, NULL);
}
