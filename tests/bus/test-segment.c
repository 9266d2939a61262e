/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Moving a container from segment to segment, as a client sees it and as the packet filter is told.
 */

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
#define TWO WARDEN_PATH "/container/two"

static int setup(void **state)
{
        static Harness h;

        harness_new_bus(&h);
        harness_configure(&h, "[Manager]\nNetworkPool=default 10.254.0.0/24\n");
        harness_start_wardend(&h);
        *state = &h;
        return 0;
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

/* @segment   "": none */
static void make(Harness *h, const char *name, const char *segment)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (*segment)
                r = harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3,
                                 "Name", "s", name, "RootDirectory", "s", "/", "Segment", "s",
                                 segment);
        else
                r = harness_create(h, name, &error);
        if (r < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static void move(Harness *h, const char *path, const char *segment, int is_cutting)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (harness_call(h, path, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 2, "Segment", "s",
                         segment, "CutConnections", "b", is_cutting) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static void assert_segment(Harness *h, const char *path, const char *segment)
{
        _drop_(drop_free) char *text = harness_get_string(h, path, CONTAINER, "Segment");
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int is_isolated = -1;

        assert_string_equal(text, segment);
        assert_true(sd_bus_get_property_trivial(h->bus, "org.warden.Warden1", path, CONTAINER,
                                                "Isolated", &error, 'b', &is_isolated) >= 0);
        assert_int_equal(is_isolated, !*segment);
}

/* What the fake was told since the last time; the caller's. */
static char *take_told(const Harness *h)
{
        char path[128], *text = calloc(1, 4096);
        FILE *f;

        assert_non_null(text);
        (void)snprintf(path, sizeof(path), "%s/worker-mode.segments", h->directory);
        f = fopen(path, "re");
        if (f) {
                assert_true(fread(text, 1, 4095, f) < 4095);
                (void)fclose(f);
                (void)unlink(path);
        }
        return text;
}

static void assert_told(const Harness *h, const char *expected)
{
        _drop_(drop_free) char *told = take_told(h);

        assert_string_equal(told, expected);
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *path = sd_bus_message_get_path(m);
        int *n = userdata;

        if (strcmp(path, ONE) == 0 && sd_bus_message_skip(m, "s") >= 0 &&
            sd_bus_message_enter_container(m, 'a', "{sv}") >= 0)
                while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                        const char *key;

                        assert_true(sd_bus_message_read(m, "s", &key) > 0);
                        *n += strcmp(key, "Segment") == 0 || strcmp(key, "Isolated") == 0;
                        assert_true(sd_bus_message_skip(m, "v") >= 0);
                        assert_true(sd_bus_message_exit_container(m) >= 0);
                }
        return 0;
}

static int is_two(void *userdata)
{
        return *(const int *)userdata == 2;
}

static void test_moves(void **state)
{
        _drop_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        Harness *h = *state;
        int n = 0;

        make(h, "one", "");
        make(h, "two", "red");
        free(take_told(h));
        assert_true(sd_bus_match_signal(h->bus, &slot, NULL, ONE, "org.freedesktop.DBus.Properties",
                                        "PropertiesChanged", on_changed, &n) >= 0);
        assert_segment(h, ONE, "");
        move(h, ONE, "red", 0);
        assert_segment(h, ONE, "red");
        assert_told(h, "move 0>1\n");
        harness_until(h, is_two, &n);
        /* What it is already needs nothing. */
        move(h, ONE, "red", 1);
        assert_told(h, "");
        move(h, ONE, "blue", 0);
        assert_told(h, "move 1>2\n");
        move(h, TWO, "", 0);
        assert_told(h, "move 1>0\n");
        assert_segment(h, TWO, "");
        /* Nobody is in red any more: who comes has another number, as elements may be on their way
         * out. */
        move(h, TWO, "red", 0);
        assert_told(h, "move 0>3\n");
}

static void test_isolated(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one", "");
        if (harness_call(h, ONE, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 1, "Isolated", "b",
                         0) < 0)
                fail_msg("%s", error.message);
        assert_segment(h, ONE, "default");
        if (harness_call(h, ONE, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 1, "Isolated", "b",
                         1) < 0)
                fail_msg("%s", error.message);
        assert_segment(h, ONE, "");
}

static void test_cuts(void **state)
{
        Harness *h = *state;

        make(h, "one", "red");
        make(h, "two", "red");
        make(h, "three", "blue");
        free(take_told(h));
        move(h, ONE, "blue", 1);
        assert_told(h, "move 1>2\ncut 0>2 0>1\n");
        /* Out of none there is nothing to cut. */
        move(h, ONE, "", 0);
        free(take_told(h));
        move(h, ONE, "blue", 1);
        assert_told(h, "move 0>2\n");
}

/* Isolated it is all the same, and the caller is told the rest. */
static void test_cut_fails(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one", "red");
        harness_set_worker(h, "fail-cut");
        assert_true(harness_call(h, ONE, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 2,
                                 "Isolated", "b", 1, "CutConnections", "b", 1) < 0);
        assert_string_equal(error.name, ERROR "NotSupported");
        assert_segment(h, ONE, "");
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_segment(h, ONE, "");
}

static void test_fails(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one", "red");
        harness_set_worker(h, "fail-firewall");
        assert_true(harness_call(h, ONE, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 1,
                                 "Segment", "s", "blue") < 0);
        assert_string_equal(error.name, ERROR "OperationFailed");
        assert_segment(h, ONE, "red");
        harness_set_worker(h, "ok");
        free(take_told(h));
        /* From where it really is. */
        move(h, ONE, "blue", 0);
        assert_told(h, "move 1>3\n");
}

static void test_restart(void **state)
{
        Harness *h = *state;

        make(h, "one", "");
        make(h, "two", "red");
        move(h, ONE, "red", 0);
        harness_kill_wardend(h, SIGKILL);
        free(take_told(h));
        harness_start_wardend(h);
        assert_segment(h, ONE, "red");
        move(h, TWO, "", 0);
        assert_told(h, "rebuild 0>1 0>1\nmove 1>0\n");
}

static void test_stopped(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one", "");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0), 0);
        move(h, ONE, "red", 0);
        free(take_told(h));
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Start", &error, NULL, ""), 0);
        assert_told(h, "add 0>1\n");
        assert_segment(h, ONE, "red");
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        *(int *)userdata = sd_bus_message_is_method_error(m, NULL) ? -1 : 1;
        return 0;
}

static int is_answered(void *userdata)
{
        return *(const int *)userdata != 0;
}

/* The packet filter does not answer: a second one has to wait its turn, and the end does not. */
static void test_under_way(void **state)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _drop_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        int answer = 0;

        make(h, "one", "red");
        harness_set_worker(h, "hang-firewall");
        assert_true(sd_bus_message_new_method_call(h->bus, &m, "org.warden.Warden1", ONE, CONTAINER,
                                                   "SetSegment") >= 0);
        assert_true(sd_bus_message_append(m, "a{sv}", 1, "Segment", "s", "blue") >= 0);
        assert_true(sd_bus_call_async(h->bus, &slot, m, on_reply, &answer, 0) >= 0);
        assert_true(harness_call(h, ONE, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 1,
                                 "Segment", "s", "green") < 0);
        assert_string_equal(error.name, ERROR "BadState");
        assert_segment(h, ONE, "red");
        sd_bus_error_free(&error);
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, ""), 0);
        harness_until(h, is_answered, &answer);
        assert_int_equal(answer, -1);
        assert_int_equal(harness_count_state(h), 0);
}

typedef struct Refusal {
        const char *segment; /* NULL: not given */
        int isolated;        /* -1: not given */
        const char *text;
} Refusal;

static int try(Harness *h, const Refusal *refusal, sd_bus_error *error)
{
        if (refusal->segment && refusal->isolated >= 0)
                return harness_call(h, ONE, CONTAINER, "SetSegment", error, NULL, "a{sv}", 2,
                                    "Segment", "s", refusal->segment, "Isolated", "b",
                                    refusal->isolated);
        if (refusal->segment)
                return harness_call(h, ONE, CONTAINER, "SetSegment", error, NULL, "a{sv}", 1,
                                    "Segment", "s", refusal->segment);
        return harness_call(h, ONE, CONTAINER, "SetSegment", error, NULL, "a{sv}", 1,
                            "CutConnections", "b", 1);
}

static void test_bad_input(void **state)
{
        static const Refusal refusals[] = {
                { NULL, -1, "Segment: is required, or Isolated" },
                { "a/b", -1, "Segment: 'a/b' is not 1 to" },
                { "blue", 1, "Isolated: contradicts Segment 'blue'" },
                { "", 0, "Isolated: is false, but Segment is empty" },
        };
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        make(h, "one", "red");
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++) {
                assert_true(try(h, &refusals[i], &error) < 0);
                assert_string_equal(error.name, ERROR "InvalidSpec");
                if (!strstr(error.message, refusals[i].text))
                        fail_msg("%s", error.message);
                sd_bus_error_free(&error);
        }
        assert_true(harness_call(h, ONE, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 1, "Ports",
                                 "s", "x") < 0);
        assert_string_equal(error.name, ERROR "InvalidSpec");
        assert_segment(h, ONE, "red");
        sd_bus_error_free(&error);
        assert_int_equal(harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3,
                                      "Name", "s", "two", "RootDirectory", "s", "/", "Network", "s",
                                      "none"),
                         0);
        assert_true(harness_call(h, TWO, CONTAINER, "SetSegment", &error, NULL, "a{sv}", 1,
                                 "Segment", "s", "blue") < 0);
        assert_string_equal(error.name, ERROR "NotSupported");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "moves a container that runs, and says so", test_moves, setup, teardown, NULL },
                { "isolates, and takes that back", test_isolated, setup, teardown, NULL },
                { "cuts connections with those that are left", test_cuts, setup, teardown, NULL },
                { "tells that it could not cut them", test_cut_fails, setup, teardown, NULL },
                { "changes nothing when the packet filter does not", test_fails, setup, teardown,
                  NULL },
                { "keeps it over a restart", test_restart, setup, teardown, NULL },
                { "moves one that is stopped", test_stopped, setup, teardown, NULL },
                { "makes one change at a time, and gives up at the end", test_under_way, setup,
                  teardown, NULL },
                { "refuses what contradicts itself or is no name", test_bad_input, setup, teardown,
                  NULL },
        };

        return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
