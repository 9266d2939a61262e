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

#include "basic/macro.h"
#include "ctl/verb.h"

static void test_find(void **state)
{
        assert_string_equal(verb_find("run")->name, "run");
        assert_string_equal(verb_find("rm")->name, "destroy");
        assert_string_equal(verb_find("ps")->name, "list");
        assert_string_equal(verb_find("status")->name, "info");
        assert_null(verb_find("ru"));
        assert_null(verb_find(""));
}

static void test_table(void **state)
{
        for (const Verb *verb = verb_table; verb->name; verb++) {
                size_t n = strlen(verb->help);

                assert_non_null(verb->run);
                assert_non_null(verb->usage);
                assert_non_null(verb->section);
                /* One sentence that fits behind the names. */
                assert_true(n > 0 && n <= 60 && verb->help[n - 1] == '.');
                assert_true(verb->max_arguments == VERB_MANY ||
                            verb->max_arguments >= verb->min_arguments);
                assert_ptr_equal(verb_find(verb->name), verb); /* no other has its name */
                for (size_t i = 0; i < VERB_ALIASES_MAX && verb->aliases[i]; i++)
                        assert_ptr_equal(verb_find(verb->aliases[i]), verb);
        }
}

static int no_run(Command *command)
{
        return 0;
}

static int parse(const Verb *verb, char **argv, char ***ret_arguments)
{
        Command command = { .verb = verb, .argv = argv };

        for (; argv[command.argc]; command.argc++)
                ;
        return verb_parse(&command, NULL, 0, ret_arguments);
}

#define PARSE(verb, ret, ...) \
        parse((verb), (char *[]){ (char[]){ "verb" }, __VA_ARGS__ NULL }, (ret))
#define ARG(s) ((char[]){ s })

static void test_counts(void **state)
{
        const Verb two = { .name = "verb",
                           .usage = "A [B]",
                           .help = "Help.",
                           .min_arguments = 1,
                           .max_arguments = 2,
                           .run = no_run };
        const Verb many = { .name = "verb",
                            .usage = "A…",
                            .help = "Help.",
                            .min_arguments = 1,
                            .max_arguments = VERB_MANY,
                            .run = no_run };
        char **arguments;

        assert_int_equal(PARSE(&two, &arguments, ), 125);
        assert_int_equal(PARSE(&two, &arguments, ARG("a"), ), VERB_GO);
        assert_string_equal(arguments[0], "a");
        assert_null(arguments[1]);
        assert_int_equal(PARSE(&two, &arguments, ARG("a"), ARG("--"), ARG("-b"), ), VERB_GO);
        assert_int_equal(PARSE(&two, &arguments, ARG("a"), ARG("b"), ARG("c"), ), 125);
        assert_int_equal(PARSE(&many, &arguments, ARG("a"), ARG("b"), ARG("c"), ), VERB_GO);
        assert_int_equal(PARSE(&many, &arguments, ARG("-z"), ), 125);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "is found by its names, all of them and whole", test_find },
                { "is complete and has names that no other has", test_table },
                { "takes as many arguments as it says", test_counts },
        };

        return cmocka_run_group_tests_name("ctl/verb", tests, NULL, NULL);
}
