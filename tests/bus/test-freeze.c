/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Freeze and Thaw: by systemd on cgroup v2, by a worker on v1, and what becomes of either when it
 * fails, takes long, or the daemon is killed. That processes stand still is for system tests. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"

static int setup(void **state, HarnessCgroup cgroup)
{
        static Harness h;

        *state = harness_new_with_cgroup(&h, cgroup) < 0 ? NULL : &h;
        return 0;
}

static int setup_unified(void **state)
{
        return setup(state, HARNESS_CGROUP_UNIFIED);
}

static int setup_legacy(void **state)
{
        return setup(state, HARNESS_CGROUP_LEGACY);
}

static int teardown(void **state)
{
        if (*state)
                harness_free(*state);
        return 0;
}

static Harness *with_container(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        /* Who is not root has no mount namespace to put other control groups into. */
        if (!h)
                skip();
        if (harness_create(h, "one", &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
        return h;
}

static void must(Harness *h, const char *method)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (harness_call(h, ONE, CONTAINER, method, &error, NULL, "") < 0)
                fail_msg("%s: %s: %s", method, error.name, error.message);
}

static void refused(Harness *h, const char *method, const char *name, const char *text)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        assert_true(harness_call(h, ONE, CONTAINER, method, &error, NULL, "") < 0);
        assert_string_equal(error.name, name);
        if (!strstr(error.message, text))
                fail_msg("'%s' is not in '%s'", text, error.message);
}

static void state_is(Harness *h, const char *expected)
{
        _drop_(drop_free) char *text = harness_get_string(h, ONE, CONTAINER, "State");

        assert_string_equal(text, expected);
}

static void freezer_is(Harness *h, const char *expected)
{
        _drop_(drop_free) char *text = harness_read_group(h, "freezer", "freezer.state");

        assert_string_equal(text, expected);
}

typedef struct Answers {
        unsigned n_good, n_bad;
} Answers;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Answers *answers = userdata;

        if (sd_bus_message_is_method_error(m, NULL))
                answers->n_bad++;
        else
                answers->n_good++;
        return 0;
}

static void ask(Harness *h, const char *method, Answers *answers)
{
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", ONE, CONTAINER,
                                             method, on_answer, answers, "") >= 0);
        assert_true(sd_bus_flush(h->bus) >= 0);
}

static int has_two(void *userdata)
{
        const Answers *answers = userdata;

        return answers->n_good + answers->n_bad == 2;
}

static int has_one(void *userdata)
{
        const Answers *answers = userdata;

        return answers->n_good + answers->n_bad == 1;
}

static void until_systemd_was_asked(Harness *h, const char *text)
{
        for (int i = 0; i < 6000 && !harness_systemd_was_asked(h, text); i++)
                (void)usleep(5000);
        assert_true(harness_systemd_was_asked(h, text));
}

/* Frozen on either; what needs PID 1 is refused, and what holds already is no error. */
static void freeze_and_thaw(Harness *h)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;

        must(h, "Thaw");
        must(h, "Freeze");
        state_is(h, "frozen");
        must(h, "Freeze");
        assert_true(harness_spawn(h, "one", "true", &job, &error) < 0);
        assert_string_equal(error.name, ERROR "BadState");
        assert_non_null(strstr(error.message, "frozen"));
        must(h, "Thaw");
        state_is(h, "active");
        sd_bus_error_free(&error);
        if (harness_spawn(h, "one", "true", &job, &error) < 0)
                fail_msg("%s", error.message);
}

static void test_unified(void **state)
{
        Harness *h = with_container(state);

        freeze_and_thaw(h);
        assert_true(harness_systemd_was_asked(h, "FreezeUnit warden-"));
        assert_true(harness_systemd_was_asked(h, "ThawUnit warden-"));
}

static void test_systemd_refuses(void **state)
{
        Harness *h = with_container(state);

        harness_set_systemd(h, "freeze-fail");
        refused(h, "Freeze", ERROR "OperationFailed", "is busy");
        state_is(h, "active");
        /* Half of it may have been frozen. */
        until_systemd_was_asked(h, "ThawUnit");
        harness_set_systemd(h, "ok");
        freeze_and_thaw(h);
}

static void test_joins(void **state)
{
        Answers answers = { 0 };
        Harness *h = with_container(state);

        harness_set_systemd(h, "freeze-mute");
        ask(h, "Freeze", &answers);
        until_systemd_was_asked(h, "FreezeUnit");
        ask(h, "Freeze", &answers);
        refused(h, "Thaw", ERROR "BadState", "while container 'one' is being frozen");
        state_is(h, "active");
        assert_int_equal(answers.n_good + answers.n_bad, 0);
        harness_systemd(h, "Release");
        harness_until(h, has_two, &answers);
        assert_int_equal(answers.n_good, 2);
        state_is(h, "frozen");
}

static void test_stop_frozen(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = with_container(state);

        must(h, "Freeze");
        if (harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0) < 0)
                fail_msg("%s", error.message);
        state_is(h, "stopped");
        assert_true(harness_systemd_was_asked(h, "ThawUnit"));
        refused(h, "Freeze", ERROR "BadState", "stopped");
}

static void test_stop_while_freezing(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Answers answers = { 0 };
        Harness *h = with_container(state);

        harness_set_systemd(h, "freeze-mute");
        ask(h, "Freeze", &answers);
        until_systemd_was_asked(h, "FreezeUnit");
        if (harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 0) < 0)
                fail_msg("%s", error.message);
        harness_until(h, has_one, &answers);
        assert_int_equal(answers.n_bad, 1);
        state_is(h, "stopped");
}

static void test_stays_frozen(void **state)
{
        Harness *h = with_container(state);

        must(h, "Freeze");
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        state_is(h, "frozen");
        must(h, "Thaw");
        state_is(h, "active");
}

static void test_legacy(void **state)
{
        Harness *h = with_container(state);

        freeze_and_thaw(h);
        freezer_is(h, "THAWED");
        must(h, "Freeze");
        freezer_is(h, "FROZEN");
        assert_false(harness_systemd_was_asked(h, "FreezeUnit"));
}

static void test_worker_fails(void **state)
{
        Harness *h = with_container(state);

        harness_set_worker(h, "fail-freeze");
        refused(h, "Freeze", ERROR "OperationFailed", "failed as told");
        state_is(h, "active");
        freezer_is(h, "THAWED");
        harness_set_worker(h, "ok");
        must(h, "Freeze");
        state_is(h, "frozen");
}

/* Nobody was told that it is frozen. */
static void test_killed_while_freezing(void **state)
{
        Answers answers = { 0 };
        Harness *h = with_container(state);

        harness_set_worker(h, "hang-freeze");
        ask(h, "Freeze", &answers);
        refused(h, "Thaw", ERROR "BadState", "is being frozen");
        harness_kill_wardend(h, SIGKILL);
        harness_write_group(h, "freezer", "freezer.state", "FROZEN");
        harness_start_wardend(h);
        state_is(h, "active");
        freezer_is(h, "THAWED");
}

/* Somebody thawed it while the daemon was away: the kernel is right. */
static void test_thawed_by_others(void **state)
{
        Harness *h = with_container(state);

        must(h, "Freeze");
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        state_is(h, "frozen");
        harness_kill_wardend(h, SIGKILL);
        harness_write_group(h, "freezer", "freezer.state", "THAWED");
        harness_start_wardend(h);
        state_is(h, "active");
}

#define UNIFIED(name, f)                               \
        {                                              \
                name, f, setup_unified, teardown, NULL \
        }
#define LEGACY(name, f)                               \
        {                                             \
                name, f, setup_legacy, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                UNIFIED("has systemd freeze and thaw on cgroup v2", test_unified),
                UNIFIED("thaws what systemd could not freeze", test_systemd_refuses),
                UNIFIED("answers all who ask for the same, and refuses the contrary", test_joins),
                UNIFIED("stops a frozen container", test_stop_frozen),
                UNIFIED("stops a container that is being frozen", test_stop_while_freezing),
                UNIFIED("finds a container frozen after it was killed", test_stays_frozen),
                LEGACY("has a worker freeze on cgroup v1, and thaws by itself", test_legacy),
                LEGACY("thaws what a worker could not freeze", test_worker_fails),
                LEGACY("thaws what was frozen when it was killed", test_killed_while_freezing),
                LEGACY("believes the kernel that somebody has thawed", test_thawed_by_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
