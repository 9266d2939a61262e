/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetStats as far as it is a matter of the bus: whose numbers come, and that somebody answers. What
 * the numbers are is seen where there are control groups, by the system tests. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "harness.h"

#define MANY 8 /* more than the daemon reads by itself */

static int setup(void **state)
{
        static Harness h;

        harness_new(&h);
        *state = &h;
        return 0;
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

static void create_many(Harness *h, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                char name[16];

                (void)snprintf(name, sizeof(name), "c%zu", i);
                if (harness_create(h, name, &error) < 0)
                        fail_msg("%s", error.message);
        }
}

/* Reads the entries of one container; every one of them must be what the interface says. */
static void read_entries(sd_bus_message *m, char *state, size_t room)
{
        int r;

        assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key, *value;
                size_t n;

                assert_true(sd_bus_message_read(m, "s", &key) > 0);
                if (strcmp(key, "State") == 0) {
                        assert_true(sd_bus_message_read(m, "v", "s", &value) > 0);
                        (void)snprintf(state, room, "%s", value);
                } else if (strcmp(key, "Slice") == 0) {
                        assert_true(sd_bus_message_read(m, "v", "s", &value) > 0);
                        n = strlen(state);
                        (void)snprintf(state + n, room - n, "@%s", value);
                } else if (strcmp(key, "IODevices") == 0) {
                        assert_true(sd_bus_message_skip(m, "v") > 0);
                } else {
                        uint64_t number;

                        assert_true(sd_bus_message_read(m, "v", "t", &number) > 0);
                }
                assert_true(sd_bus_message_exit_container(m) >= 0);
        }
        assert_int_equal(r, 0);
        assert_true(sd_bus_message_exit_container(m) >= 0);
}

/* "NAME=STATE " for each container of an answer, in its order. */
static void read_answer(sd_bus_message *m, char *text, size_t room)
{
        size_t n = 0;
        int r;

        text[0] = 0;
        assert_true(sd_bus_message_enter_container(m, 'a', "{sa{sv}}") > 0);
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                char state[64] = "none";
                const char *name;

                assert_true(sd_bus_message_read(m, "s", &name) > 0);
                read_entries(m, state, sizeof(state));
                n += (size_t)snprintf(text + n, room - n, "%s=%s ", name, state);
                assert_true(sd_bus_message_exit_container(m) >= 0);
        }
        assert_int_equal(r, 0);
}

static void assert_stats(Harness *h, const char *const *names, const char *expected)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        char text[1024];

        assert_true(sd_bus_message_new_method_call(h->bus, &m, "org.warden.Warden1", WARDEN_PATH,
                                                   MANAGER, "GetStats") >= 0);
        assert_true(sd_bus_message_append_strv(m, (char **)(uintptr_t)names) >= 0);
        if (sd_bus_call(h->bus, m, 0, &error, &reply) < 0)
                fail_msg("%s", error.message);
        read_answer(reply, text, sizeof(text));
        assert_string_equal(text, expected);
}

static void test_none(void **state)
{
        static const char *const unknown[] = { "nobody", NULL };

        assert_stats(*state, NULL, "");
        assert_stats(*state, unknown, "");
}

static void test_all(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        create_many(h, 3);
        assert_stats(h, NULL, "c0=active c1=active c2=active ");
        assert_true(harness_call(h, WARDEN_PATH "/container/c1", CONTAINER, "Stop", &error, NULL,
                                 "a{sv}", 0) >= 0);
        assert_stats(h, NULL, "c0=active c1=stopped c2=active ");
}

static void test_named(void **state)
{
        static const char *const few[] = { "c2", "nobody", "c0", "c2", NULL };
        static const char *const many[] = { "c5", "c4", "c3", "nobody", "c5", "c1", "c0", NULL };
        static const char *const strange[] = { "", "../c1", "c1 ", "a", "b", "c", NULL };
        Harness *h = *state;

        create_many(h, MANY);
        assert_stats(h, few, "c2=active c0=active ");
        assert_stats(h, many, "c5=active c4=active c3=active c1=active c0=active ");
        assert_stats(h, strange, "");
}

/* Of a few, which the daemon reads itself, and of all, for which it makes a process. */
static void test_slice(void **state)
{
        static const char *const both[] = { "shared", "c0", NULL };
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        create_many(h, 1);
        if (harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3, "Name", "s",
                         "shared", "RootDirectory", "s", "/", "Slice", "s", "web") < 0)
                fail_msg("%s", error.message);
        assert_stats(h, both, "shared=active@warden-web.slice c0=active ");
        assert_stats(h, NULL, "c0=active shared=active@warden-web.slice ");
}

static void test_single(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char container_state[32] = "none";
        Harness *h = *state;

        create_many(h, 1);
        if (harness_call(h, WARDEN_PATH "/container/c0", CONTAINER, "GetStats", &error, &reply,
                         NULL) < 0)
                fail_msg("%s", error.message);
        read_entries(reply, container_state, sizeof(container_state));
        assert_string_equal(container_state, "active");
        assert_true(harness_call(h, WARDEN_PATH "/container/nobody", CONTAINER, "GetStats", &error,
                                 NULL, NULL) < 0);
}

typedef struct Answers {
        size_t n_good, n_bad;
} Answers;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Answers *answers = userdata;
        char text[1024];

        if (sd_bus_message_is_method_error(m, NULL)) {
                answers->n_bad++;
                return 0;
        }
        read_answer(m, text, sizeof(text));
        assert_non_null(strstr(text, "c7=active"));
        answers->n_good++;
        return 0;
}

static void ask_many(Harness *h, Answers *answers)
{
        for (size_t i = 0; i < 50; i++)
                assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1",
                                                     WARDEN_PATH, MANAGER, "GetStats", on_answer,
                                                     answers, "as", 0) >= 0);
        assert_true(sd_bus_flush(h->bus) >= 0);
}

static int has_all_good(void *userdata)
{
        const Answers *answers = userdata;

        return answers->n_good == 50;
}

static int has_all(void *userdata)
{
        const Answers *answers = userdata;

        return answers->n_good + answers->n_bad == 50;
}

static void test_at_once(void **state)
{
        Answers answers = { 0 };
        Harness *h = *state;

        create_many(h, MANY);
        ask_many(h, &answers);
        harness_until(h, has_all_good, &answers);
        assert_int_equal(answers.n_bad, 0);
        /* The child that reads is reaped. */
        harness_until_processes(h, HARNESS_PROCESSES + MANY);
}

/* Whether the daemon says so or the bus does: nobody waits for ever. */
static void test_end(void **state)
{
        Answers answers = { 0 };
        Harness *h = *state;

        create_many(h, MANY);
        ask_many(h, &answers);
        harness_kill_wardend(h, SIGTERM);
        harness_until(h, has_all, &answers);
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("answers when there is nothing to tell of", test_none),
                CASE("tells of all containers, also of one that is stopped", test_all),
                CASE("tells of those that were named, once, in that order", test_named),
                CASE("tells of the slice that containers share", test_slice),
                CASE("tells of a container by its object", test_single),
                CASE("answers many at a time", test_at_once),
                CASE("leaves nobody waiting when it ends", test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
