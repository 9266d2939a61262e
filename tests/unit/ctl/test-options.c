/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "ctl/options.h"

enum { OPTION_LONG = 256, OPTION_VALUE, OPTION_BAD };

/* What was set, in order: "key=value;" */
typedef struct Record {
        char text[256];
} Record;

static int record_set(void *target, int key, const char *value, Fault *fault)
{
        Record *record = target;
        size_t n = strlen(record->text);

        if (key == OPTION_BAD)
                return fault_set(fault, FAULT_INVALID, -ERANGE, "'%s' is bad", value);
        (void)snprintf(record->text + n, sizeof(record->text) - n, key < 256 ? "%c=%s;" : "%d=%s;",
                       key, value ?: "-");
        return 0;
}

static const Option first_options[] = {
        { 'f', "flag", NULL, "a flag" },
        { 'v', "value", "VALUE", "a value" },
        { 'v', "other-value", "VALUE", NULL },
        { OPTION_LONG, "long", NULL, "a flag without a letter" },
        { OPTION_BAD, "bad", "VALUE", "refuses all" },
};
static const Option second_options[] = {
        { 'v', "second", "VALUE", "the letter is taken" },
        { 'x', "extra", NULL, "of the second group" },
};
static const OptionGroup first_group = { "First", first_options, ELEMENTSOF(first_options),
                                         record_set };
static const OptionGroup second_group = { "Second", second_options, ELEMENTSOF(second_options),
                                          record_set };

typedef struct Fixture {
        Record first, second;
        Fault fault;
        int next, result;
        char *argv[16];
} Fixture;

#define PARSE(is_strict, ...) \
        parse((is_strict), (char *[]){ (char[]){ "verb" }, __VA_ARGS__, NULL })
#define ARG(s) ((char[]){ s })

static Fixture parse(int is_strict, char **argv)
{
        Fixture f = { .fault = FAULT_INIT };
        const OptionUse uses[] = { { &first_group, &f.first }, { &second_group, &f.second } };
        int argc = 0;

        for (; argv[argc]; argc++)
                ;
        f.result = options_parse(uses, ELEMENTSOF(uses), is_strict, argc, argv, &f.next, &f.fault);
        memcpy(f.argv, argv, sizeof(char *) * ((size_t)argc + 1));
        return f;
}

static void test_forms(void **state)
{
        Fixture f = PARSE(0, ARG("-f"), ARG("-v"), ARG("1"), ARG("-v2"), ARG("--value=3"),
                          ARG("--value"), ARG("4"), ARG("--long"), ARG("-fv5"),
                          ARG("--other-value"), ARG(""));

        assert_int_equal(f.result, 0);
        assert_string_equal(f.first.text, "f=-;v=1;v=2;v=3;v=4;256=-;f=-;v=5;v=;");
        assert_string_equal(f.second.text, "");
        assert_int_equal(f.next, 12);
}

static void test_groups(void **state)
{
        Fixture f = PARSE(0, ARG("-v1"), ARG("-x"), ARG("--second=2"));

        assert_int_equal(f.result, 0);
        assert_string_equal(f.first.text, "v=1;");
        assert_string_equal(f.second.text, "x=-;v=2;");
}

static void test_order(void **state)
{
        Fixture f = PARSE(0, ARG("a"), ARG("-f"), ARG("b"), ARG("--"), ARG("-x"));

        assert_int_equal(f.result, 0);
        assert_string_equal(f.first.text, "f=-;");
        assert_string_equal(f.second.text, "");
        assert_string_equal(f.argv[f.next], "a");
        assert_string_equal(f.argv[f.next + 1], "b");
        assert_string_equal(f.argv[f.next + 2], "-x");
}

static void test_strict(void **state)
{
        Fixture f = PARSE(1, ARG("-f"), ARG("name"), ARG("-x"), ARG("--"), ARG("--help"));

        assert_int_equal(f.result, 0);
        assert_string_equal(f.first.text, "f=-;");
        assert_string_equal(f.second.text, "");
        assert_string_equal(f.argv[f.next], "name");
        assert_string_equal(f.argv[f.next + 1], "-x");
        assert_string_equal(f.argv[f.next + 2], "--");
}

static void test_help(void **state)
{
        Fixture f = PARSE(0, ARG("a"), ARG("--help"), ARG("--nonsense"));

        assert_int_equal(f.result, OPTIONS_HELP);
        f = PARSE(0, ARG("-fh"));
        assert_int_equal(f.result, OPTIONS_HELP);
}

static void expect_error(Fixture f, int error, const char *text)
{
        assert_int_equal(f.result, error);
        if (!strstr(f.fault.text, text))
                fail_msg("'%s' does not say '%s'", f.fault.text, text);
}

static void test_errors(void **state)
{
        expect_error(PARSE(0, ARG("--valeu=1")), -EINVAL, "Did you mean --value?");
        expect_error(PARSE(0, ARG("--xyzzy")), -EINVAL, "no option '--xyzzy'");
        expect_error(PARSE(0, ARG("-fZ")), -EINVAL, "no option -Z");
        expect_error(PARSE(0, ARG("--value")), -EINVAL, "--value needs a value: VALUE");
        expect_error(PARSE(0, ARG("-v")), -EINVAL, "--value needs a value: VALUE");
        expect_error(PARSE(0, ARG("--flag=1")), -EINVAL, "--flag takes no value");
        expect_error(PARSE(0, ARG("--bad=1")), -ERANGE, "'1' is bad");
        expect_error(PARSE(0, ARG("a"), ARG("--"), ARG("b"), ARG("--valeu")), 0, "");
}

static void test_print(void **state)
{
        Record ignored;
        const OptionUse uses[] = { { &first_group, &ignored }, { &second_group, &ignored } };
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        assert_non_null(out);
        options_print(out, uses, ELEMENTSOF(uses));
        assert_int_equal(fclose(out), 0);
        assert_non_null(strstr(text, "\nFirst:\n  -f, --flag                  a flag\n"));
        assert_non_null(strstr(text, "\n  -v, --value VALUE           a value\n"));
        assert_non_null(strstr(text, "\n      --long "));
        assert_null(strstr(text, "--other-value")); /* another spelling */
        assert_non_null(strstr(text, "\nSecond:\n"));
        assert_non_null(strstr(text, "--help"));
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "takes every form of an option", test_forms },
                { "gives each option to its group, a letter to the first", test_groups },
                { "finds options behind arguments, up to --", test_order },
                { "leaves a command line alone", test_strict },
                { "stops at --help", test_help },
                { "says what is wrong and what was meant", test_errors },
                { "prints a table for --help", test_print },
        };

        return cmocka_run_group_tests_name("ctl/options", tests, NULL, NULL);
}
