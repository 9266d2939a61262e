/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SetLimits and Slice with the fake systemd: what is sent, saved and shown. That the kernel has it
 * is for the system tests: the containers here are in no scope. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "harness.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"
#define MIB (UINT64_C(1) << 20)

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

static void create_with_memory(Harness *h, uint64_t bytes)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3, "Name", "s",
                         "one", "RootDirectory", "s", "/", "MemoryMax", "t", bytes) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static int set_number(Harness *h, const char *name, uint64_t value, sd_bus_error *error)
{
        return harness_call(h, ONE, CONTAINER, "SetLimits", error, NULL, "a{sv}", 1, name, "t",
                            value);
}

static void must_set(Harness *h, const char *name, uint64_t value)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (set_number(h, name, value, &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

/* The property as busctl's kind of text: "NAME=VALUE " in its order. */
static void get_limits(Harness *h, char *text, size_t size)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        size_t n = 0;

        if (sd_bus_get_property(h->bus, "org.warden.Warden1", ONE, CONTAINER, "Limits", &error, &m,
                                "a{sv}") < 0)
                fail_msg("%s: %s", error.name, error.message);
        assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                const char *name, *contents, *s;
                uint64_t value;

                assert_true(sd_bus_message_read(m, "s", &name) > 0);
                assert_true(sd_bus_message_peek_type(m, NULL, &contents) > 0);
                assert_true(sd_bus_message_enter_container(m, 'v', contents) > 0);
                n += (size_t)snprintf(text + n, size - n, "%s%s=", n ? " " : "", name);
                if (strcmp(contents, "t") == 0) {
                        assert_true(sd_bus_message_read(m, "t", &value) > 0);
                        n += (size_t)snprintf(text + n, size - n, "%llu",
                                              (unsigned long long)value);
                } else if (strcmp(contents, "s") == 0) {
                        assert_true(sd_bus_message_read(m, "s", &s) > 0);
                        n += (size_t)snprintf(text + n, size - n, "%s", s);
                } else {
                        assert_true(sd_bus_message_enter_container(m, 'a', "(st)") > 0);
                        while (sd_bus_message_read(m, "(st)", &s, &value) > 0)
                                n += (size_t)snprintf(text + n, size - n, "%s:%llu,", s,
                                                      (unsigned long long)value);
                        assert_true(sd_bus_message_exit_container(m) > 0);
                }
                assert_true(sd_bus_message_exit_container(m) > 0);
                assert_true(sd_bus_message_exit_container(m) > 0);
        }
        text[n] = 0;
}

static void expect_limits(Harness *h, const char *expected)
{
        char text[1024];

        get_limits(h, text, sizeof(text));
        assert_string_equal(text, expected);
}

static void test_sets(void **state)
{
        Harness *h = *state;

        create_with_memory(h, 64 * MIB);
        expect_limits(h, "MemoryMax=67108864");
        must_set(h, "TasksMax", 100);
        assert_true(harness_systemd_was_asked(h, ".scope runtime TasksMax=100"));
        must_set(h, "MemoryMax", 128 * MIB);
        expect_limits(h, "MemoryMax=134217728 TasksMax=100");
        /* Only what was given is sent. */
        assert_true(harness_systemd_was_asked(h, ".scope runtime MemoryMax=134217728"));
        assert_false(harness_systemd_was_asked(h, "runtime MemoryMax=134217728 TasksMax"));
        must_set(h, "MemoryMax", UINT64_MAX);
        expect_limits(h, "MemoryMax=18446744073709551615 TasksMax=100");
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *name;

        if (sd_bus_message_read(m, "s", NULL) > 0 &&
            sd_bus_message_enter_container(m, 'a', "{sv}") > 0)
                while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                        assert_true(sd_bus_message_read(m, "s", &name) > 0);
                        *(int *)userdata += strcmp(name, "Limits") == 0;
                        assert_true(sd_bus_message_skip(m, "v") > 0);
                        assert_true(sd_bus_message_exit_container(m) > 0);
                }
        return 0;
}

static int is_positive(void *userdata)
{
        return *(int *)userdata > 0;
}

static void test_announces(void **state)
{
        Harness *h = *state;
        int n = 0;

        create_with_memory(h, 64 * MIB);
        assert_true(sd_bus_match_signal(h->bus, NULL, "org.warden.Warden1", ONE,
                                        "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                        on_changed, &n) >= 0);
        must_set(h, "TasksMax", 50);
        harness_until(h, is_positive, &n);
        n = 0;
        must_set(h, "TasksMax", 50); /* as it is */
        must_set(h, "TasksMax", 60);
        harness_until(h, is_positive, &n);
        assert_int_equal(n, 1);
}

static void test_bad(void **state)
{
        static const struct {
                const char *name;
                uint64_t value;
                const char *text;
        } cases[] = {
                { "MemoryMax", 0, "MemoryMax: 0 is not from 1048576 to " },
                { "MemoryMax", MIB - 1, "1048575 is not from 1048576 to " },
                { "MemoryMax", UINT64_MAX - 1, "or infinity" },
                { "CPUWeight", 0, "0 is not from 1 to 10000" },
                { "CPUWeight", 10001, "10001 is not from 1 to 10000" },
                { "IOWeight", 0, "0 is not from 1 to 10000" },
                { "CPUQuotaPerSecUSec", 999, "999 is not from 1000 to " },
                { "TasksMax", 1, "1 is not from 2 to 4194304" },
                { "TaskMax", 10, "did you mean TasksMax?" },
        };
        Harness *h = *state;

        create_with_memory(h, 64 * MIB);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                assert_true(set_number(h, cases[i].name, cases[i].value, &error) < 0);
                assert_string_equal(error.name, ERROR "InvalidSpec");
                if (!strstr(error.message, cases[i].text))
                        fail_msg("case %zu says: %s", i, error.message);
        }
        expect_limits(h, "MemoryMax=67108864");
        assert_false(harness_systemd_was_asked(h, "SetUnitProperties"));
}

static void expect_refusal(Harness *h, const char *key, const char *type, const char *value,
                           const char *error_name, const char *text)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (strcmp(type, "s") == 0)
                r = harness_call(h, ONE, CONTAINER, "SetLimits", &error, NULL, "a{sv}", 1, key, "s",
                                 value);
        else
                r = harness_call(h, ONE, CONTAINER, "SetLimits", &error, NULL, "a{sv}", 1, key,
                                 "a(st)", 1, value, UINT64_C(1000));
        assert_true(r < 0);
        if (strcmp(error.name, error_name) != 0 || !strstr(error.message, text))
                fail_msg("%s=%s: %s: %s", key, value, error.name, error.message);
}

static void test_bad_lists(void **state)
{
        Harness *h = *state;

        create_with_memory(h, 64 * MIB);
        expect_refusal(h, "AllowedCPUs", "s", "1-", ERROR "InvalidSpec", "such as 0-3,5");
        expect_refusal(h, "AllowedCPUs", "s", "3-1", ERROR "InvalidSpec", "such as 0-3,5");
        expect_refusal(h, "AllowedCPUs", "s", "9999", ERROR "InvalidSpec", "above 1023");
        expect_refusal(h, "IOReadBandwidthMax", "a", "dev/x", ERROR "InvalidSpec",
                       "IOReadBandwidthMax: ");
        expect_refusal(h, "IOReadBandwidthMax", "a", "/srv", ERROR "InvalidSpec",
                       "'/srv' is not a device node such as /dev/sda");
        expect_refusal(h, "IOReadBandwidthMax", "a", "/dev/warden-none", ERROR "InvalidSpec",
                       "/dev/warden-none: No such file");
        expect_refusal(h, "IOWriteIOPSMax", "a", "/dev/null", ERROR "InvalidSpec",
                       "/dev/null is not a block device");
        assert_false(harness_systemd_was_asked(h, "SetUnitProperties"));
}

static void test_refused_by_systemd(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        create_with_memory(h, 64 * MIB);
        harness_set_systemd(h, "set-fail");
        assert_true(set_number(h, "TasksMax", 100, &error) < 0);
        assert_string_equal(error.name, ERROR "OperationFailed");
        assert_non_null(strstr(error.message, "Cannot set property Fake"));
        expect_limits(h, "MemoryMax=67108864");
        /* Nor is it in the saved state. */
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        expect_limits(h, "MemoryMax=67108864");
        harness_set_systemd(h, "ok");
        must_set(h, "TasksMax", 100);
        expect_limits(h, "MemoryMax=67108864 TasksMax=100");
}

static void test_systemd_vanishes(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        create_with_memory(h, 64 * MIB);
        harness_set_systemd(h, "set-vanish");
        assert_true(set_number(h, "TasksMax", 100, &error) < 0);
        assert_string_equal(error.name, ERROR "OperationFailed");
        expect_limits(h, "MemoryMax=67108864");
}

static void test_survives_kill(void **state)
{
        Harness *h = *state;

        create_with_memory(h, 64 * MIB);
        must_set(h, "TasksMax", 77);
        must_set(h, "CPUWeight", 20);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        expect_limits(h, "MemoryMax=67108864 CPUWeight=20 TasksMax=77");
}

/* What was saved but not answered may be there or not; the state must be readable. */
static void test_killed_while_setting(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char text[256];

        create_with_memory(h, 64 * MIB);
        harness_set_systemd(h, "set-mute");
        assert_true(sd_bus_message_new_method_call(h->bus, &m, "org.warden.Warden1", ONE, CONTAINER,
                                                   "SetLimits") >= 0);
        assert_true(sd_bus_message_append(m, "a{sv}", 1, "TasksMax", "t", UINT64_C(9)) >= 0);
        assert_true(sd_bus_call_async(h->bus, NULL, m, NULL, NULL, 0) >= 0);
        assert_true(sd_bus_flush(h->bus) >= 0);
        while (!harness_systemd_was_asked(h, "runtime TasksMax=9"))
                usleep(1000);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        get_limits(h, text, sizeof(text));
        assert_non_null(strstr(text, "MemoryMax=67108864"));
}

static void test_stopped(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        create_with_memory(h, 64 * MIB);
        assert_true(harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0) >= 0);
        must_set(h, "TasksMax", 42);
        assert_false(harness_systemd_was_asked(h, "SetUnitProperties"));
        expect_limits(h, "MemoryMax=67108864 TasksMax=42");
        assert_true(harness_call(h, ONE, CONTAINER, "Start", &error, NULL, "") >= 0);
        assert_true(harness_systemd_was_asked(h, " TasksMax=42"));
        expect_limits(h, "MemoryMax=67108864 TasksMax=42");
}

static void test_stops_meanwhile(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        create_with_memory(h, 64 * MIB);
        harness_set_systemd(h, "set-mute");
        assert_true(sd_bus_message_new_method_call(h->bus, &m, "org.warden.Warden1", ONE, CONTAINER,
                                                   "SetLimits") >= 0);
        assert_true(sd_bus_message_append(m, "a{sv}", 1, "TasksMax", "t", UINT64_C(9)) >= 0);
        assert_true(sd_bus_call_async(h->bus, NULL, m, NULL, NULL, 0) >= 0);
        /* GetAll is answered though SetUnitProperties is not: systemd does not do that. */
        assert_true(harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0) >= 0);
        harness_until_string(h, ONE, CONTAINER, "State", "stopped");
}

static void test_slice(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char *slice;

        if (harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3, "Name", "s",
                         "one", "RootDirectory", "s", "/", "Slice", "s", "web-eu") < 0)
                fail_msg("%s: %s", error.name, error.message);
        assert_true(harness_systemd_was_asked(h, " Slice=warden-web-eu.slice"));
        slice = harness_get_string(h, ONE, CONTAINER, "Slice");
        assert_string_equal(slice, "warden-web-eu.slice");
        free(slice);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        slice = harness_get_string(h, ONE, CONTAINER, "Slice");
        assert_string_equal(slice, "warden-web-eu.slice");
        free(slice);
}

static void test_bad_slice(void **state)
{
        static const char *const slices[] = {
                "", "a/b", "warden-x", "a--b", "-a", "a-", "x.slice", "warden-.slice", ".a", "a b",
        };
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(slices); i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                assert_true(harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}",
                                         3, "Name", "s", "one", "RootDirectory", "s", "/", "Slice",
                                         "s", slices[i]) < 0);
                assert_string_equal(error.name, ERROR "InvalidSpec");
                assert_non_null(strstr(error.message, "Slice: "));
        }
        assert_int_equal(harness_count_state(h), 0);
}

static void test_nothing(void **state)
{
        Harness *h = *state;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        create_with_memory(h, 64 * MIB);
        assert_true(harness_call(h, ONE, CONTAINER, "SetLimits", &error, NULL, "a{sv}", 0) >= 0);
        assert_false(harness_systemd_was_asked(h, "SetUnitProperties"));
}

#define SENTENCE(sentence, test)                      \
        {                                             \
                sentence, test, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                SENTENCE("sends what is given and shows what is in force", test_sets),
                SENTENCE("announces a change of limits, and only a change", test_announces),
                SENTENCE("refuses numbers out of bounds and changes nothing", test_bad),
                SENTENCE("refuses processors and devices that cannot be", test_bad_lists),
                SENTENCE("keeps the old limits when systemd refuses", test_refused_by_systemd),
                SENTENCE("answers when systemd goes away meanwhile", test_systemd_vanishes),
                SENTENCE("shows the limits after its own death", test_survives_kill),
                SENTENCE("keeps a readable state when killed between saving and setting",
                         test_killed_while_setting),
                SENTENCE("gives a stopped container its limits with the next start", test_stopped),
                SENTENCE("stops a container whose limits are being changed", test_stops_meanwhile),
                SENTENCE("puts a container into the slice that was asked for", test_slice),
                SENTENCE("refuses a slice that is not below its own", test_bad_slice),
                SENTENCE("takes no limits for an answer", test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
