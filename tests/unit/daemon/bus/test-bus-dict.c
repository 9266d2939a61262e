/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/strv.h"
#include "bus-message.h"
#include "daemon/bus/bus-dict.h"

typedef struct Target {
        char *text;
        char **list;
        int is_on;
        uint64_t number;
        int32_t small;
} Target;

static const DictKey keys[] = {
        { "Text", "s", bus_dict_set_string, offsetof(Target, text) },
        { "List", "as", bus_dict_set_strv, offsetof(Target, list) },
        { "IsOn", "b", bus_dict_set_boolean, offsetof(Target, is_on) },
        { "Number", "t", bus_dict_set_u64, offsetof(Target, number) },
        { "Small", "i", bus_dict_set_i32, offsetof(Target, small) },
        { "Later", "s" },
};

typedef struct Fixture {
        sd_bus *bus;
        Target target;
        Fault fault;
} Fixture;

static int setup(void **state)
{
        static Fixture f;

        f = (Fixture){ .bus = bus_nowhere(), .fault = FAULT_INIT };
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        free(f->target.text);
        strv_free(f->target.list);
        sd_bus_close_unref(f->bus);
        return 0;
}

static int read_and_drop(Fixture *f, sd_bus_message *m)
{
        int r = bus_dict_read(m, keys, ELEMENTSOF(keys), &f->target, &f->fault);

        if (r >= 0)
                assert_int_equal(sd_bus_message_at_end(m, 1), 1);
        sd_bus_message_unref(m);
        return r;
}

static void assert_refused(Fixture *f, sd_bus_message *m, int error, FaultKind kind,
                           const char *text)
{
        f->fault = FAULT_INIT;
        assert_int_equal(read_and_drop(f, m), error);
        assert_int_equal(f->fault.kind, kind);
        assert_string_equal(f->fault.text, text);
}

static void test_sets_members(void **state)
{
        Fixture *f = *state;
        sd_bus_message *m = message_new(f->bus, "a{sv}", 5, "Number", "t", UINT64_MAX, "List", "as",
                                        2, "a", "b", "Text", "s", "hello", "IsOn", "b", 1, "Small",
                                        "i", -5);

        assert_int_equal(read_and_drop(f, m), 0);
        assert_string_equal(f->target.text, "hello");
        assert_int_equal(strv_length(f->target.list), 2);
        assert_string_equal(f->target.list[0], "a");
        assert_string_equal(f->target.list[1], "b");
        assert_int_equal(f->target.is_on, 1);
        assert_true(f->target.number == UINT64_MAX);
        assert_int_equal(f->target.small, -5);
}

static void test_takes_nothing(void **state)
{
        Fixture *f = *state;
        sd_bus_message *m;

        f->target.small = 7;
        assert_int_equal(read_and_drop(f, message_new(f->bus, "a{sv}", 0)), 0);
        assert_int_equal(f->target.small, 7);
        m = message_new(f->bus, "a{sv}", 0);
        assert_int_equal(bus_dict_read(m, NULL, 0, NULL, &f->fault), 0);
        sd_bus_message_unref(m);
}

static void test_empty_list(void **state)
{
        Fixture *f = *state;

        assert_int_equal(read_and_drop(f, message_new(f->bus, "a{sv}", 1, "List", "as", 0)), 0);
        assert_int_equal(strv_length(f->target.list), 0);
}

static void test_unknown(void **state)
{
        Fixture *f = *state;

        assert_refused(f, message_new(f->bus, "a{sv}", 1, "Texd", "s", "x"), -EINVAL, FAULT_INVALID,
                       "Texd: there is no such key; did you mean Text?");
        assert_refused(f, message_new(f->bus, "a{sv}", 1, "NUMBER", "s", "x"), -EINVAL,
                       FAULT_INVALID, "NUMBER: there is no such key; did you mean Number?");
        assert_refused(f, message_new(f->bus, "a{sv}", 1, "Ltaer", "s", "x"), -EINVAL,
                       FAULT_INVALID, "Ltaer: there is no such key; did you mean Later?");
        assert_refused(f, message_new(f->bus, "a{sv}", 1, "Elephant", "s", "x"), -EINVAL,
                       FAULT_INVALID, "Elephant: there is no such key");
        assert_refused(f, message_new(f->bus, "a{sv}", 1, "", "s", "x"), -EINVAL, FAULT_INVALID,
                       ": there is no such key");
}

/* Neither the text nor the search for a near key grows with what a client sends. */
static void test_unknown_long(void **state)
{
        Fixture *f = *state;
        char *name = malloc(100001);

        assert_non_null(name);
        memset(name, 'T', 100000);
        name[100000] = 0;
        assert_int_equal(read_and_drop(f, message_new(f->bus, "a{sv}", 1, name, "s", "x")),
                         -EINVAL);
        assert_int_equal(strlen(f->fault.text), 64 + strlen(": there is no such key"));
        free(name);
}

static void test_twice(void **state)
{
        Fixture *f = *state;

        assert_refused(f, message_new(f->bus, "a{sv}", 2, "Small", "i", 1, "Small", "i", 1),
                       -EINVAL, FAULT_INVALID, "Small: given twice");
}

static void test_wrong_type(void **state)
{
        Fixture *f = *state;

        assert_refused(f, message_new(f->bus, "a{sv}", 1, "Number", "u", 5), -EINVAL, FAULT_INVALID,
                       "Number: expected a value of type t, got u");
        assert_refused(f, message_new(f->bus, "a{sv}", 1, "List", "aas", 0), -EINVAL, FAULT_INVALID,
                       "List: expected a value of type as, got aas");
        assert_refused(f, message_new(f->bus, "a{sv}", 1, "Text", "v", "s", "x"), -EINVAL,
                       FAULT_INVALID, "Text: expected a value of type s, got v");
        assert_null(f->target.text);
}

static void test_later(void **state)
{
        Fixture *f = *state;

        assert_refused(f, message_new(f->bus, "a{sv}", 1, "Later", "s", "x"), -EOPNOTSUPP,
                       FAULT_NOT_SUPPORTED, "Later: not supported by this version");
}

static void test_not_a_dict(void **state)
{
        Fixture *f = *state;

        assert_refused(f, message_new(f->bus, "s", "x"), -EINVAL, FAULT_INVALID,
                       "The keys cannot be read");
}

static int read_list(Fixture *f, size_t max_items, size_t max_bytes, char ***ret)
{
        sd_bus_message *m = message_new(f->bus, "as", 3, "one", "two", "three");
        int r;

        f->fault = FAULT_INIT;
        r = bus_dict_read_strv(m, "Argv", max_items, max_bytes, ret, &f->fault);
        sd_bus_message_unref(m);
        return r;
}

static void test_bounds(void **state)
{
        Fixture *f = *state;
        char **v = NULL;

        assert_int_equal(read_list(f, 3, 14, &v), 0);
        assert_int_equal(strv_length(v), 3);
        v = strv_free(v);
        assert_int_equal(read_list(f, 2, 14, &v), -E2BIG);
        assert_non_null(strstr(f->fault.text, "Argv: "));
        assert_int_equal(read_list(f, 3, 13, &v), -E2BIG);
        assert_null(v);
}

static void test_long_list(void **state)
{
        Fixture *f = *state;
        sd_bus_message *m = NULL;
        char **v = NULL;

        assert_true(sd_bus_message_new_method_call(f->bus, &m, "a.b", "/", "a.b", "C") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
        for (int i = 0; i < 1000; i++)
                assert_true(sd_bus_message_append(m, "s", i % 2 ? "odd" : "even") >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(m, 1) >= 0);
        assert_int_equal(bus_dict_read_strv(m, "Argv", 1000, 10000, &v, NULL), 0);
        assert_int_equal(strv_length(v), 1000);
        assert_string_equal(v[999], "odd");
        strv_free(v);
        sd_bus_message_unref(m);
}

#define CASE(name, function)                          \
        {                                             \
                name, function, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("sets members of every kind, in any order", test_sets_members),
                CASE("takes an empty dictionary", test_takes_nothing),
                CASE("takes an empty list", test_empty_list),
                CASE("refuses an unknown key and names the nearest", test_unknown),
                CASE("cuts the name of an unknown key", test_unknown_long),
                CASE("refuses a key that comes twice", test_twice),
                CASE("names the type that was expected, and the other", test_wrong_type),
                CASE("says that a key is not supported yet", test_later),
                CASE("refuses what is no dictionary", test_not_a_dict),
                CASE("bounds lists by number and by size", test_bounds),
                CASE("reads a long list", test_long_list),
        };

        return cmocka_run_group_tests_name("bus-dict", tests, NULL, NULL);
}
