/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Forwards and rules of egress as a client sees them; the packet filter is a fake that says yes, or
 * what it was told to. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "harness.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"
#define TWO WARDEN_PATH "/container/two"

static int setup(void **state)
{
        static Harness h;

        harness_new_bus(&h);
        harness_configure(&h, "[Manager]\nNetworkPool=default 10.254.0.0/24\n"
                              "PortPool=61001:3\n");
        harness_start_wardend(&h);
        *state = &h;
        return 0;
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

static void make(Harness *h, const char *name)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (harness_create(h, name, &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

/* Returns the port of the host; 0 with @error. */
static uint16_t forward(Harness *h, const char *path, uint16_t host, uint16_t container,
                        sd_bus_error *error)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint16_t host_port = 0, container_port = 0;

        if (harness_call(h, path, CONTAINER, "ForwardPort", error, &reply, "a{sv}", 2, "HostPort",
                         "q", host, "ContainerPort", "q", container) < 0)
                return 0;
        assert_true(sd_bus_message_read(reply, "qq", &host_port, &container_port) > 0);
        assert_int_equal(container_port, container);
        return host_port;
}

static void assert_refused(Harness *h, const char *path, uint16_t host, uint16_t container,
                           const char *name, const char *text)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        assert_int_equal(forward(h, path, host, container, &error), 0);
        if (strcmp(error.name, name) != 0 || !strstr(error.message, text))
                fail_msg("got %s: %s", error.name, error.message);
}

static size_t count(Harness *h, const char *path, const char *property)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        size_t n = 0;

        if (sd_bus_get_property(h->bus, "org.warden.Warden1", path, CONTAINER, property, &error,
                                &reply, "aa{sv}") < 0)
                fail_msg("%s", error.message);
        assert_true(sd_bus_message_enter_container(reply, 'a', "a{sv}") > 0);
        while (sd_bus_message_skip(reply, "a{sv}") > 0)
                n++;
        return n;
}

static int unforward(Harness *h, const char *path, uint16_t host, sd_bus_error *error)
{
        return harness_call(h, path, CONTAINER, "UnforwardPort", error, NULL, "a{sv}", 1,
                            "HostPort", "q", host);
}

static void test_life(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        assert_int_equal(forward(h, ONE, 8080, 80, &error), 8080);
        assert_int_equal(forward(h, ONE, 0, 80, &error), 61001);
        assert_int_equal(forward(h, ONE, 0, 80, &error), 61002);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 3);
        assert_int_equal(unforward(h, ONE, 8080, &error), 0);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 2);
        assert_true(unforward(h, ONE, 8080, &error) < 0);
        assert_string_equal(error.name, ERROR "NotFound");
}

static void test_owner(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        make(h, "two");
        assert_int_equal(forward(h, ONE, 8080, 80, &error), 8080);
        assert_refused(h, TWO, 8080, 80, ERROR "InUse", "leads to container 'one'");
        assert_int_equal(count(h, TWO, "ForwardedPorts"), 0);
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, ""), 0);
        assert_int_equal(forward(h, TWO, 8080, 80, &error), 8080);
}

static void test_bad_input(void **state)
{
        Harness *h = *state;

        make(h, "one");
        assert_refused(h, ONE, 8080, 0, ERROR "InvalidSpec", "ContainerPort: 0 is not");
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 0);
        harness_set_worker(h, "fail-firewall");
        assert_refused(h, ONE, 8080, 80, ERROR "OperationFailed", "fake: failed as told");
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 0);
        harness_set_worker(h, "ok");
        /* The port is not claimed any more. */
        assert_int_equal(forward(h, ONE, 8080, 80, NULL), 8080);
}

static void test_port_of_a_process(void **state)
{
        Harness *h = *state;

        make(h, "one");
        harness_set_worker(h, "taken-port");
        assert_refused(h, ONE, 61001, 80, ERROR "InUse", "fake: the port is taken");
        assert_int_equal(forward(h, ONE, 0, 80, NULL), 61002);
}

static void test_pool_is_empty(void **state)
{
        Harness *h = *state;

        make(h, "one");
        for (int i = 0; i < 3; i++)
                assert_int_not_equal(forward(h, ONE, 0, 80, NULL), 0);
        assert_refused(h, ONE, 0, 80, ERROR "LimitReached", "PortPool=61001:3");
}

static void test_tables_are_gone(void **state)
{
        Harness *h = *state;

        make(h, "one");
        harness_set_worker(h, "no-tables");
        assert_int_equal(forward(h, ONE, 8080, 80, NULL), 8080);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 1);
}

static void test_restart(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        make(h, "two");
        assert_int_equal(forward(h, ONE, 8080, 80, &error), 8080);
        assert_int_equal(harness_call(h, ONE, CONTAINER, "AllowEgress", &error, NULL, "a{sv}", 1,
                                      "Networks", "as", 1, "10.0.0.0/8"),
                         0);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 1);
        assert_int_equal(count(h, ONE, "EgressRules"), 1);
        assert_refused(h, TWO, 8080, 80, ERROR "InUse", "leads to container 'one'");
}

static int create_with_port(Harness *h, sd_bus_error *error)
{
        return harness_call(h, NULL, MANAGER, "CreateContainer", error, NULL, "a{sv}", 3, "Name",
                            "s", "one", "RootDirectory", "s", "/", "ForwardPorts", "aa{sv}", 1, 2,
                            "HostPort", "q", 61001, "ContainerPort", "q", 80);
}

static void test_create(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        harness_set_worker(h, "taken-port");
        assert_true(create_with_port(h, &error) < 0);
        assert_string_equal(error.name, ERROR "InUse");
        assert_int_equal(harness_count_state(h), 0);
        harness_set_worker(h, "fail-firewall");
        sd_bus_error_free(&error);
        assert_true(create_with_port(h, &error) < 0);
        assert_string_equal(error.name, ERROR "OperationFailed");
        assert_int_equal(harness_count_state(h), 0);
        harness_set_worker(h, "ok");
        sd_bus_error_free(&error);
        if (create_with_port(h, &error) < 0)
                fail_msg("%s", error.message);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 1);
}

static int egress(Harness *h, const char *method, const char *network, sd_bus_error *error)
{
        return harness_call(h, ONE, CONTAINER, method, error, NULL, "a{sv}", 3, "Networks", "as", 1,
                            network, "Protocol", "s", "tcp", "Ports", "as", 1, "80-89");
}

static void test_egress(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        assert_int_equal(egress(h, "AllowEgress", "10.0.0.0/8", &error), 0);
        assert_int_equal(egress(h, "AllowEgress", "10.0.0.0/8", &error), 0);
        assert_int_equal(count(h, ONE, "EgressRules"), 1);
        assert_true(egress(h, "AllowEgress", "example.org", &error) < 0);
        assert_string_equal(error.name, ERROR "InvalidSpec");
        sd_bus_error_free(&error);
        assert_true(egress(h, "DenyEgress", "10.0.0.0/9", &error) < 0);
        assert_string_equal(error.name, ERROR "NotFound");
        harness_set_worker(h, "fail-firewall");
        assert_true(egress(h, "DenyEgress", "10.0.0.0/8", NULL) < 0);
        assert_int_equal(count(h, ONE, "EgressRules"), 1);
        assert_true(egress(h, "AllowEgress", "192.0.2.0/24", NULL) < 0);
        assert_int_equal(count(h, ONE, "EgressRules"), 1);
        harness_set_worker(h, "ok");
        assert_int_equal(egress(h, "DenyEgress", "10.0.0.0/8", NULL), 0);
        assert_int_equal(count(h, ONE, "EgressRules"), 0);
}

static uint64_t read_packets(sd_bus_message *reply, const char *wanted)
{
        const char *key;
        uint64_t packets = UINT64_MAX;

        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                assert_true(sd_bus_message_read(reply, "s", &key) > 0);
                if (strcmp(key, wanted) == 0)
                        assert_true(sd_bus_message_read(reply, "v", "t", &packets) > 0);
                else
                        assert_true(sd_bus_message_skip(reply, "v") > 0);
                assert_true(sd_bus_message_exit_container(reply) > 0);
        }
        return packets;
}

/* What each rule has counted, in their order; the fake says ten times the number of the rule. */
static void assert_counted(Harness *h, const uint64_t *expected, size_t n)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        size_t i = 0;

        if (harness_call(h, ONE, CONTAINER, "GetEgressCounters", &error, &reply, "") < 0)
                fail_msg("%s", error.message);
        assert_true(sd_bus_message_enter_container(reply, 'a', "a{sv}") > 0);
        while (sd_bus_message_enter_container(reply, 'a', "{sv}") > 0) {
                assert_true(i < n);
                assert_int_equal(read_packets(reply, "Packets"), expected[i++]);
                assert_true(sd_bus_message_exit_container(reply) > 0);
        }
        assert_int_equal(i, n);
        assert_true(sd_bus_message_exit_container(reply) > 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "{sv}") > 0);
        assert_int_equal(read_packets(reply, "RefusedPackets"), 3);
}

static void test_counters(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        assert_counted(h, NULL, 0);
        assert_int_equal(egress(h, "AllowEgress", "10.0.0.0/8", NULL), 0);
        assert_int_equal(egress(h, "AllowEgress", "10.1.0.0/16", NULL), 0);
        assert_counted(h, (const uint64_t[]){ 10, 20 }, 2);
        /* The one that stays keeps its counter, also for the next daemon. */
        assert_int_equal(egress(h, "DenyEgress", "10.0.0.0/8", NULL), 0);
        assert_counted(h, (const uint64_t[]){ 20 }, 1);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_counted(h, (const uint64_t[]){ 20 }, 1);
        assert_int_equal(egress(h, "AllowEgress", "10.2.0.0/16", NULL), 0);
        assert_counted(h, (const uint64_t[]){ 20, 10 }, 2);
        harness_set_worker(h, "fail-firewall");
        assert_true(harness_call(h, ONE, CONTAINER, "GetEgressCounters", &error, NULL, "") < 0);
        assert_string_equal(error.name, ERROR "OperationFailed");
        harness_set_worker(h, "ok");
}

static int unforward_cutting(Harness *h, uint16_t host, sd_bus_error *error)
{
        return harness_call(h, ONE, CONTAINER, "UnforwardPort", error, NULL, "a{sv}", 2, "HostPort",
                            "q", host, "CutConnections", "b", 1);
}

static int deny_cutting(Harness *h, const char *network, sd_bus_error *error)
{
        return harness_call(h, ONE, CONTAINER, "DenyEgress", error, NULL, "a{sv}", 4, "Networks",
                            "as", 1, network, "Protocol", "s", "tcp", "Ports", "as", 1, "80-89",
                            "CutConnections", "b", 1);
}

static void test_cut(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        assert_int_equal(forward(h, ONE, 8080, 80, NULL), 8080);
        assert_int_equal(egress(h, "AllowEgress", "10.0.0.0/8", NULL), 0);
        assert_int_equal(unforward_cutting(h, 8080, NULL), 0);
        assert_int_equal(deny_cutting(h, "10.0.0.0/8", NULL), 0);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 0);
        assert_int_equal(count(h, ONE, "EgressRules"), 0);
        /* It is a key of taking back alone. */
        assert_true(harness_call(h, ONE, CONTAINER, "ForwardPort", &error, NULL, "a{sv}", 2,
                                 "ContainerPort", "q", 80, "CutConnections", "b", 1) < 0);
        assert_string_equal(error.name, ERROR "InvalidSpec");
}

/* What was taken back stays so, also for the next daemon, and the caller is told the rest. */
static void test_cut_fails(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        assert_int_equal(forward(h, ONE, 8080, 80, NULL), 8080);
        assert_int_equal(forward(h, ONE, 8081, 81, NULL), 8081);
        assert_int_equal(egress(h, "AllowEgress", "10.0.0.0/8", NULL), 0);
        harness_set_worker(h, "fail-cut");
        assert_true(unforward_cutting(h, 8080, &error) < 0);
        assert_string_equal(error.name, ERROR "NotSupported");
        sd_bus_error_free(&error);
        assert_true(deny_cutting(h, "10.0.0.0/8", &error) < 0);
        assert_string_equal(error.name, ERROR "NotSupported");
        /* Nobody asked for a cut here. */
        assert_int_equal(unforward(h, ONE, 8081, NULL), 0);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_int_equal(count(h, ONE, "ForwardedPorts"), 0);
        assert_int_equal(count(h, ONE, "EgressRules"), 0);
}

/* The packet filter never answers, and what it would do nobody needs. */
static void test_destroy_is_not_held_up(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one");
        harness_set_worker(h, "hang-firewall");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, ""), 0);
        harness_set_worker(h, "ok");
        make(h, "two");
}

typedef struct Settled {
        const Harness *h;
        int count;
} Settled;

static int is_settled(void *userdata)
{
        const Settled *settled = userdata;
        char path[160];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/worker-mode.settled", settled->h->directory);
        return stat(path, &st) >= 0 && st.st_size >= settled->count * (off_t)strlen("settled\n");
}

/* That nothing happens can only be waited for: where the machine is slow, this says less. */
#define LONGER_THAN_IDLE_USEC 800000

static void test_settles_after_the_last(void **state)
{
        Harness *h = *state;
        Settled settled = { h, 1 };

        make(h, "one");
        make(h, "two");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Destroy", NULL, NULL, ""), 0);
        (void)usleep(LONGER_THAN_IDLE_USEC);
        assert_false(is_settled(&settled));
        assert_int_equal(harness_call(h, TWO, CONTAINER, "Destroy", NULL, NULL, ""), 0);
        harness_until(h, is_settled, &settled);
        /* And after the next last one. */
        settled.count = 2;
        make(h, "one");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Destroy", NULL, NULL, ""), 0);
        harness_until(h, is_settled, &settled);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "forwards ports, chooses them, takes them back", test_life, setup, teardown,
                  NULL },
                { "names the container that has a port", test_owner, setup, teardown, NULL },
                { "changes nothing by what is refused", test_bad_input, setup, teardown, NULL },
                { "passes over a port of the pool that a process has", test_port_of_a_process,
                  setup, teardown, NULL },
                { "says that the pool of ports is empty", test_pool_is_empty, setup, teardown,
                  NULL },
                { "makes the tables anew when they are gone", test_tables_are_gone, setup, teardown,
                  NULL },
                { "keeps all of it over a restart", test_restart, setup, teardown, NULL },
                { "undoes a create whose port cannot be had", test_create, setup, teardown, NULL },
                { "allows egress and takes it back", test_egress, setup, teardown, NULL },
                { "tells what rules have counted", test_counters, setup, teardown, NULL },
                { "cuts connections when it is told to", test_cut, setup, teardown, NULL },
                { "destroys without an answer of the packet filter", test_destroy_is_not_held_up,
                  setup, teardown, NULL },
                { "puts the host's switches back after the last network",
                  test_settles_after_the_last, setup, teardown, NULL },
                { "tells that it could not cut them", test_cut_fails, setup, teardown, NULL },
        };

        return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
