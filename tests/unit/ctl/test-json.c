/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/json.h"

/* A bus without a peer, which is enough to make messages. */
static sd_bus *bus;
static int peer_fd;

static int begin(void **state)
{
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
            sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fds[0], fds[0]) < 0 || sd_bus_start(bus) < 0)
                return -1;
        peer_fd = fds[1];
        return 0;
}

static int end(void **state)
{
        sd_bus_close_unref(bus);
        return close(peer_fd);
}

static sd_bus_message *new_message(void)
{
        sd_bus_message *m;

        assert_int_equal(sd_bus_message_new_signal(bus, &m, "/a", "a.b", "C"), 0);
        return m;
}

static void expect_next(sd_bus_message *m, const char *expected)
{
        struct json_object *value;

        assert_int_equal(json_from_message(m, &value), 0);
        assert_string_equal(json_object_to_json_string_ext(
                                    value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                            expected);
        (void)json_object_put(value);
}

static void seal(sd_bus_message *m)
{
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(m, 1) >= 0);
}

static void test_basic(void **state)
{
        sd_bus_message *m = new_message();
        struct json_object *value;

        assert_true(sd_bus_message_append(m, "sogbynqiuxtd", "a\"b", "/p", "a{sv}", 1, 200, -3,
                                          65535, -70000, UINT32_MAX, INT64_MIN, UINT64_MAX,
                                          0.5) >= 0);
        seal(m);
        expect_next(m, "\"a\\\"b\"");
        expect_next(m, "\"/p\"");
        expect_next(m, "\"a{sv}\"");
        expect_next(m, "true");
        expect_next(m, "200");
        expect_next(m, "-3");
        expect_next(m, "65535");
        expect_next(m, "-70000");
        expect_next(m, "4294967295");
        expect_next(m, "-9223372036854775808");
        expect_next(m, "18446744073709551615");
        expect_next(m, "0.5");
        assert_int_equal(json_from_message(m, &value), -ENXIO);
        sd_bus_message_unref(m);
}

static void test_containers(void **state)
{
        sd_bus_message *m = new_message();

        assert_true(sd_bus_message_append(m, "as", 2, "a", "b") >= 0);
        assert_true(sd_bus_message_append(m, "as", 0) >= 0);
        assert_true(sd_bus_message_append(m, "(su)", "x", 7) >= 0);
        assert_true(sd_bus_message_append(m, "a(ss)", 1, "x", "y") >= 0);
        assert_true(sd_bus_message_append(m, "v", "v", "i", 5) >= 0);
        assert_true(sd_bus_message_append(m, "a{sv}", 2, "k", "s", "v", "n", "a{su}", 1, "z", 1) >=
                    0);
        assert_true(sd_bus_message_append(m, "a{us}", 1, 9, "nine") >= 0);
        assert_true(sd_bus_message_append(m, "a{sv}", 0) >= 0);
        seal(m);
        expect_next(m, "[\"a\",\"b\"]");
        expect_next(m, "[]");
        expect_next(m, "[\"x\",7]");
        expect_next(m, "[[\"x\",\"y\"]]");
        expect_next(m, "5");
        expect_next(m, "{\"k\":\"v\",\"n\":{\"z\":1}}");
        expect_next(m, "{\"9\":\"nine\"}");
        expect_next(m, "{}");
        sd_bus_message_unref(m);
}

static void test_depth(void **state)
{
        sd_bus_message *m = new_message();
        struct json_object *value;

        for (int i = 0; i < 20; i++)
                assert_true(sd_bus_message_open_container(m, 'v', i < 19 ? "v" : "s") >= 0);
        assert_true(sd_bus_message_append(m, "s", "deep") >= 0);
        for (int i = 0; i < 20; i++)
                assert_true(sd_bus_message_close_container(m) >= 0);
        seal(m);
        assert_int_equal(json_from_message(m, &value), -EBADMSG);
        sd_bus_message_unref(m);
}

static void test_get(void **state)
{
        struct json_object *object = json_tokener_parse(
                "{\"s\":\"text\",\"u\":18446744073709551615,\"i\":-5,\"a\":[1]}");

        assert_string_equal(json_get_string(object, "s", "none"), "text");
        assert_string_equal(json_get_string(object, "i", "none"), "none");
        assert_string_equal(json_get_string(object, "x", "none"), "none");
        assert_string_equal(json_get_string(NULL, "s", "none"), "none");
        assert_true(json_get_u64(object, "u", 0) == UINT64_MAX);
        assert_int_equal(json_get_u64(object, "s", 77), 77);
        assert_int_equal(json_get_i64(object, "i", 0), -5);
        assert_int_equal(json_get_i64(object, "x", 77), 77);
        assert_non_null(json_get_typed(object, "a", json_type_array));
        assert_null(json_get_typed(object, "a", json_type_object));
        (void)json_object_put(object);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "keeps the value of every basic type", test_basic },
                { "makes objects of dictionaries and arrays of the rest", test_containers },
                { "refuses what is nested too deep", test_depth },
                { "gives the alternative for what is not there or of another type", test_get },
        };

        return cmocka_run_group_tests_name("ctl/json", tests, begin, end);
}
