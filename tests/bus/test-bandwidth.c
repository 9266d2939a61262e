/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The limits of a container's bandwidth, and its interfaces, as a client sees them. The worker is
 * a fake that writes down what it was to do; that the kernel does it is for the system tests. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"

static int setup_with(void **state, const char *conf)
{
        static Harness h;

        harness_new_bus(&h);
        harness_configure(&h, conf);
        harness_start_wardend(&h);
        *state = &h;
        return 0;
}

static int setup(void **state)
{
        return setup_with(state, "[Manager]\nNetworkPool=default 10.254.0.0/24\n");
}

static int setup_without_pool(void **state)
{
        return setup_with(state, "[Manager]\nNetworkPool=\n");
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

/* Also with what an error was before it. */
static int create(Harness *h, const char *network, const char *key, uint64_t rate, uint64_t burst,
                  sd_bus_error *error)
{
        sd_bus_error_free(error);
        return harness_call(h, NULL, MANAGER, "CreateContainer", error, NULL, "a{sv}", 4, "Name",
                            "s", "one", "RootDirectory", "s", "/", "Network", "s", network, key,
                            "(tt)", rate, burst);
}

static void must_create(Harness *h, const char *key, uint64_t rate, uint64_t burst)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (create(h, "private", key, rate, burst, &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static int set(Harness *h, const char *key, uint64_t rate, uint64_t burst, sd_bus_error *error)
{
        sd_bus_error_free(error);
        return harness_call(h, ONE, CONTAINER, "SetLimits", error, NULL, "a{sv}", 1, key, "(tt)",
                            rate, burst);
}

static void must_set(Harness *h, const char *key, uint64_t rate, uint64_t burst)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (set(h, key, rate, burst, &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static void expect_error(const sd_bus_error *error, const char *name, const char *text)
{
        assert_non_null(error->name);
        if (strcmp(error->name, name) != 0 || !strstr(error->message, text))
                fail_msg("got %s: %s", error->name, error->message);
}

/* "BandwidthReceiveMax=1000:0 …" of the property. */
static void expect_limits(Harness *h, const char *expected)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char text[256] = "";
        const char *name;
        size_t n = 0;

        if (sd_bus_get_property(h->bus, "org.warden.Warden1", ONE, CONTAINER, "Limits", &error,
                                &reply, "a{sv}") < 0)
                fail_msg("%s", error.message);
        assert_true(sd_bus_message_enter_container(reply, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                uint64_t rate, burst;

                assert_true(sd_bus_message_read(reply, "s", &name) > 0);
                assert_true(sd_bus_message_read(reply, "v", "(tt)", &rate, &burst) > 0);
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%llu:%llu", n ? " " : "",
                                      name, (unsigned long long)rate, (unsigned long long)burst);
                assert_true(sd_bus_message_exit_container(reply) > 0);
        }
        assert_string_equal(text, expected);
}

/* What the worker did since the last question; it writes before it answers. */
static void expect_done(Harness *h, const char *expected)
{
        _drop_(drop_free) char *text = NULL;
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/worker-mode.bandwidth", h->directory);
        if (io_read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
                text = strdup("");
        (void)unlink(path);
        assert_string_equal(text, expected);
}

static void test_create(void **state)
{
        Harness *h = *state;

        must_create(h, "BandwidthMax", 1000000, 5000);
        expect_limits(h, "BandwidthReceiveMax=1000000:5000 BandwidthTransmitMax=1000000:5000");
        /* By the plan, and by nothing else. */
        expect_done(h, "plan BandwidthReceiveMax=1000000:5000 BandwidthTransmitMax=1000000:5000\n");
}

static void test_change(void **state)
{
        Harness *h = *state;

        must_create(h, "BandwidthTransmitMax", 1000000, 0);
        expect_done(h, "plan BandwidthTransmitMax=1000000:0\n");
        must_set(h, "BandwidthReceiveMax", 5000, 0);
        expect_done(h, "set BandwidthReceiveMax=5000:0\n");
        expect_limits(h, "BandwidthReceiveMax=5000:0 BandwidthTransmitMax=1000000:0");
        must_set(h, "BandwidthTransmitMax", UINT64_MAX, 0);
        expect_limits(h, "BandwidthReceiveMax=5000:0 "
                         "BandwidthTransmitMax=18446744073709551615:0");
        expect_done(h, "set BandwidthTransmitMax=18446744073709551615:0\n");
}

static void test_bad_input(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        assert_true(create(h, "private", "BandwidthMax", 999, 0, &error) < 0);
        expect_error(&error, ERROR "InvalidSpec", "BandwidthMax: a rate of 999 is not from");
        assert_true(create(h, "none", "BandwidthTransmitMax", 5000, 0, &error) < 0);
        expect_error(&error, ERROR "InvalidSpec",
                     "BandwidthTransmitMax: is only for Network=private");
        assert_int_equal(harness_count_state(h), 0);
        must_create(h, "BandwidthMax", 5000, 0);
        assert_true(set(h, "BandwidthReceiveMax", 5000, 1, &error) < 0);
        expect_error(&error, ERROR "InvalidSpec", "BandwidthReceiveMax: a burst of 1 is not from");
        sd_bus_error_free(&error);
        assert_true(harness_call(h, ONE, CONTAINER, "SetLimits", &error, NULL, "a{sv}", 2,
                                 "BandwidthMax", "(tt)", UINT64_C(7000), UINT64_C(0),
                                 "BandwidthReceiveMax", "(tt)", UINT64_C(7000), UINT64_C(0)) < 0);
        expect_error(&error, ERROR "InvalidSpec", "BandwidthReceiveMax: is given twice");
        sd_bus_error_free(&error);
        assert_true(harness_call(h, ONE, CONTAINER, "SetLimits", &error, NULL, "a{sv}", 1,
                                 "BandwidthMax", "t", UINT64_C(7000)) < 0);
        expect_error(&error, ERROR "InvalidSpec", "BandwidthMax");
        expect_limits(h, "BandwidthReceiveMax=5000:0 BandwidthTransmitMax=5000:0");
}

static void test_no_interface(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        assert_true(create(h, "private", "BandwidthMax", 5000, 0, &error) < 0);
        expect_error(&error, ERROR "NotSupported",
                     "BandwidthReceiveMax: the container has no "
                     "interface");
        assert_int_equal(harness_count_state(h), 0);
        sd_bus_error_free(&error);
        if (harness_create(h, "one", &error) < 0)
                fail_msg("%s", error.message);
        assert_true(set(h, "BandwidthTransmitMax", 5000, 0, &error) < 0);
        expect_error(&error, ERROR "NotSupported",
                     "BandwidthTransmitMax: the container has no "
                     "interface");
        expect_limits(h, "");
}

static void test_refused_by_kernel(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        must_create(h, "BandwidthReceiveMax", 5000, 0);
        expect_done(h, "plan BandwidthReceiveMax=5000:0\n");
        harness_set_worker(h, "fail-bandwidth");
        assert_true(set(h, "BandwidthMax", 7000, 0, &error) < 0);
        expect_error(&error, ERROR "OperationFailed", "fake: failed as told, bandwidth");
        harness_set_worker(h, "ok");
        expect_limits(h, "BandwidthReceiveMax=5000:0");
        /* What was set half is put back, both directions, before anything else is done. */
        must_set(h, "BandwidthTransmitMax", 9000, 0);
        expect_limits(h, "BandwidthReceiveMax=5000:0 BandwidthTransmitMax=9000:0");
}

static void test_refused_by_systemd(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        must_create(h, "BandwidthReceiveMax", 5000, 0);
        expect_done(h, "plan BandwidthReceiveMax=5000:0\n");
        harness_set_systemd(h, "set-fail");
        assert_true(harness_call(h, ONE, CONTAINER, "SetLimits", &error, NULL, "a{sv}", 2,
                                 "BandwidthMax", "(tt)", UINT64_C(7000), UINT64_C(0), "TasksMax",
                                 "t", UINT64_C(50)) < 0);
        harness_set_systemd(h, "ok");
        must_set(h, "BandwidthReceiveMax", 6000, 0);
        expect_done(h, "set BandwidthReceiveMax=7000:0 BandwidthTransmitMax=7000:0\n"
                       "set BandwidthReceiveMax=5000:0 "
                       "BandwidthTransmitMax=18446744073709551615:0\n"
                       "set BandwidthReceiveMax=6000:0\n");
        expect_limits(h, "BandwidthReceiveMax=6000:0");
}

static void test_restart(void **state)
{
        Harness *h = *state;

        must_create(h, "BandwidthMax", 5000, 0);
        must_set(h, "BandwidthTransmitMax", 7000, 2000);
        harness_kill_wardend(h, SIGKILL);
        expect_done(h, "plan BandwidthReceiveMax=5000:0 BandwidthTransmitMax=5000:0\n"
                       "set BandwidthTransmitMax=7000:2000\n");
        harness_start_wardend(h);
        expect_limits(h, "BandwidthReceiveMax=5000:0 BandwidthTransmitMax=7000:2000");
        /* Behind what the start does by itself. */
        must_set(h, "BandwidthReceiveMax", 8000, 0);
        expect_done(h, "set BandwidthReceiveMax=5000:0 BandwidthTransmitMax=7000:2000\n"
                       "set BandwidthReceiveMax=8000:0\n");
}

static void test_stopped(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        must_create(h, "BandwidthMax", 5000, 0);
        expect_done(h, "plan BandwidthReceiveMax=5000:0 BandwidthTransmitMax=5000:0\n");
        assert_true(harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0) >= 0);
        must_set(h, "BandwidthReceiveMax", 7000, 0);
        expect_done(h, "");
        assert_true(harness_call(h, ONE, CONTAINER, "Start", &error, NULL, "") >= 0);
        expect_done(h, "plan BandwidthReceiveMax=7000:0 BandwidthTransmitMax=5000:0\n");
}

static int create_with_interface(Harness *h, const char *name, const char *network,
                                 const char *interface, sd_bus_error *error)
{
        sd_bus_error_free(error);
        return harness_call(h, NULL, MANAGER, "CreateContainer", error, NULL, "a{sv}", 4, "Name",
                            "s", name, "RootDirectory", "s", "/", "Network", "s", network,
                            "Interfaces", "as", 1, interface);
}

static void expect_interface(Harness *h, const char *expected)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *name = NULL;

        assert_true(sd_bus_get_property(h->bus, "org.warden.Warden1", ONE, CONTAINER, "Interfaces",
                                        NULL, &reply, "as") >= 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "s") > 0);
        assert_true(sd_bus_message_read(reply, "s", &name) > 0);
        assert_string_equal(name, expected);
        assert_int_equal(sd_bus_message_at_end(reply, 0), 1);
}

static void test_interfaces(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        assert_true(create_with_interface(h, "one", "host", "nowhere7", &error) < 0);
        expect_error(&error, ERROR "InvalidSpec", "Interfaces: is only for");
        assert_true(create_with_interface(h, "one", "none", "lo", &error) < 0);
        expect_error(&error, ERROR "InvalidSpec", "Interfaces: 'lo' is not");
        assert_int_equal(harness_count_state(h), 0);
        assert_true(create_with_interface(h, "one", "private", "nowhere7", &error) >= 0);
        expect_interface(h, "nowhere7");
        assert_true(create_with_interface(h, "two", "none", "nowhere7", &error) < 0);
        expect_error(&error, ERROR "InUse", "Interfaces: 'nowhere7' is container 'one''s");
        assert_int_equal(harness_count_state(h), 1);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        expect_interface(h, "nowhere7");
        assert_true(create_with_interface(h, "two", "none", "nowhere7", &error) < 0);
        sd_bus_error_free(&error);
        assert_true(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, "") >= 0);
        assert_true(create_with_interface(h, "two", "none", "nowhere7", &error) >= 0);
}

/* Also when nobody can give them back: there is nothing to wait for. */
static void test_interfaces_end(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        for (int i = 0; i < 2; i++) {
                assert_true(create_with_interface(h, "one", "private", "nowhere7", &error) >= 0);
                harness_set_worker(h, i ? "fail-return" : "ok");
                assert_true(harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0) >= 0);
                harness_until_string(h, ONE, CONTAINER, "State", "stopped");
                harness_set_worker(h, "ok");
                /* The fake worker needs no interface, but this host has none of that name. */
                assert_true(harness_call(h, ONE, CONTAINER, "Start", &error, NULL, "") < 0);
                expect_error(&error, ERROR "NotFound",
                             "Interfaces: the host has no interface 'nowhere7'");
                sd_bus_error_free(&error);
                harness_until_string(h, ONE, CONTAINER, "State", "stopped");
                assert_true(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, "") >= 0);
        }
        assert_true(create_with_interface(h, "one", "private", "nowhere7", &error) >= 0);
        /* A destroy does not wait for a worker that hangs in it. */
        harness_set_worker(h, "hang-return");
        assert_true(kill((pid_t)harness_get_unsigned(h, ONE, CONTAINER, "Leader"), SIGKILL) >= 0);
        harness_until_string(h, ONE, CONTAINER, "State", "stopped");
        assert_true(harness_call(h, ONE, CONTAINER, "Start", &error, NULL, "") < 0);
        expect_error(&error, ERROR "BadState", "are being given back to the host");
        sd_bus_error_free(&error);
        assert_true(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, "") >= 0);
        assert_int_equal(harness_count_state(h), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "limits a new container", test_create, setup, teardown, NULL },
                { "limits, changes and takes away, each direction for itself", test_change, setup,
                  teardown, NULL },
                { "changes nothing by what is refused", test_bad_input, setup, teardown, NULL },
                { "needs an interface", test_no_interface, setup_without_pool, teardown, NULL },
                { "keeps the old limits when the kernel refuses", test_refused_by_kernel, setup,
                  teardown, NULL },
                { "puts the old limits back when systemd refuses another", test_refused_by_systemd,
                  setup, teardown, NULL },
                { "keeps them over a kill, and sets them again", test_restart, setup, teardown,
                  NULL },
                { "takes those of a stopped container to its start", test_stopped, setup, teardown,
                  NULL },
                { "gives an interface of the host to one container, and names it", test_interfaces,
                  setup, teardown, NULL },
                { "ends when interfaces are given back, or cannot be", test_interfaces_end, setup,
                  teardown, NULL },
        };

        return cmocka_run_group_tests_name("bandwidth", tests, NULL, NULL);
}
