/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a client sees when the worker or systemd fails, hangs or dies, at every step of a create and
 * of a destroy: an error that names the stage and the cause, nothing left, and a daemon that makes
 * the next container. */

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

static void assert_create_fails(Harness *h, const char *name, const char *text)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        assert_true(harness_create(h, "one", &error) < 0);
        if (strcmp(error.name, name) != 0 || !strstr(error.message, text))
                fail_msg("got %s: %s", error.name, error.message);
}

/* All is well again: no state and no process of the failed one is left, and the name is free. */
static void assert_recovered(Harness *h)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        assert_int_equal(harness_count_state(h), 0);
        harness_until_processes(h, HARNESS_PROCESSES);
        harness_set_worker(h, "ok");
        harness_set_systemd(h, "ok");
        if (harness_create(h, "one", &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static void use_short_timeouts(Harness *h)
{
        harness_configure(h, "[Manager]\nCreateTimeoutSec=500ms\n");
        harness_reload_wardend(h);
}

static int on_created(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int *result = userdata;

        *result = sd_bus_message_get_error(m) ? -1 : 1;
        return 0;
}

static void create_async(Harness *h, int *result)
{
        *result = 0;
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", WARDEN_PATH,
                                             MANAGER, "CreateContainer", on_created, result,
                                             "a{sv}", 2, "Name", "s", "one", "RootDirectory", "s",
                                             "/") >= 0);
        assert_true(sd_bus_flush(h->bus) >= 0);
}

static int has_result(void *userdata)
{
        return *(int *)userdata != 0;
}

static int is_scope_asked(void *userdata)
{
        return harness_systemd_was_asked(userdata, "StartTransientUnit");
}

/* The worker */

static void test_worker_fails(void **state)
{
        static const char *const modes[] = { "fail-clone", "fail-early", "fail-late" };
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                char text[64];

                harness_set_worker(h, modes[i]);
                (void)snprintf(text, sizeof(text), "fake: failed as told, %s", modes[i] + 5);
                assert_create_fails(h, ERROR "OperationFailed", text);
                assert_int_equal(harness_count_state(h), 0);
        }
        assert_recovered(h);
}

static void test_worker_crashes(void **state)
{
        static const char *const modes[] = { "crash-clone", "crash-early", "crash-late" };
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                harness_set_worker(h, modes[i]);
                assert_create_fails(h, ERROR "OperationFailed", "worker: ended without an answer");
                assert_int_equal(harness_count_state(h), 0);
        }
        assert_recovered(h);
}

static void test_worker_hangs(void **state)
{
        static const char *const modes[] = { "hang-clone", "hang-early", "hang-late" };
        Harness *h = *state;

        use_short_timeouts(h);
        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                harness_set_worker(h, modes[i]);
                assert_create_fails(h, ERROR "TimedOut", "");
                assert_int_equal(harness_count_state(h), 0);
        }
        assert_recovered(h);
}

static void test_pid1_never_answers(void **state)
{
        Harness *h = *state;

        use_short_timeouts(h);
        harness_set_worker(h, "deaf");
        assert_create_fails(h, ERROR "TimedOut", "");
        assert_recovered(h);
}

static void test_pid1_dies_at_once(void **state)
{
        Harness *h = *state;

        harness_set_worker(h, "dead");
        assert_create_fails(h, ERROR "OperationFailed", "PID 1");
        assert_recovered(h);
}

/* wardend's one child; 0: there is none. */
static pid_t find_worker_program(const Harness *h)
{
        _drop_(drop_free) char *text = NULL;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)h->wardend_pid,
                       (int)h->wardend_pid);
        assert_int_equal(io_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
        return (pid_t)strtol(text, NULL, 10);
}

typedef struct Replaced {
        const Harness *harness;
        pid_t old;
} Replaced;

static int is_replaced(void *userdata)
{
        const Replaced *replaced = userdata;
        pid_t pid = find_worker_program(replaced->harness);

        return pid > 0 && pid != replaced->old;
}

static void test_worker_program_dies(void **state)
{
        Replaced replaced = { .harness = *state };
        Harness *h = *state;

        replaced.old = find_worker_program(h);
        assert_true(replaced.old > 1);
        assert_int_equal(kill(replaced.old, SIGKILL), 0);
        harness_until(h, is_replaced, &replaced);
        assert_recovered(h);
}

/* The program lives on in the operations that it had forked. */
static void test_operation_outlives_program(void **state)
{
        Harness *h = *state;
        int result;

        harness_set_systemd(h, "hang");
        create_async(h, &result);
        harness_until(h, is_scope_asked, h);
        assert_int_equal(kill(find_worker_program(h), SIGKILL), 0);
        harness_systemd(h, "Release");
        harness_until(h, has_result, &result);
        assert_int_equal(result, 1);
}

/* systemd */

static void test_systemd_refuses(void **state)
{
        Harness *h = *state;

        harness_set_systemd(h, "fail");
        assert_create_fails(h, ERROR "OperationFailed", "scope: Cannot set property Fake");
        assert_recovered(h);
}

static void test_systemd_fails_job(void **state)
{
        Harness *h = *state;

        harness_set_systemd(h, "job-failed");
        assert_create_fails(h, ERROR "OperationFailed", "scope: ");
        assert_recovered(h);
}

static void test_systemd_hangs(void **state)
{
        static const char *const modes[] = { "mute", "hang" };
        Harness *h = *state;

        use_short_timeouts(h);
        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                harness_set_systemd(h, modes[i]);
                assert_create_fails(h, ERROR "TimedOut", "");
                assert_int_equal(harness_count_state(h), 0);
        }
        assert_recovered(h);
}

static void test_systemd_in_any_order(void **state)
{
        static const char *const modes[] = { "early", "reload" };
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                harness_set_systemd(h, modes[i]);
                if (harness_create(h, "one", &error) < 0)
                        fail_msg("%s: %s: %s", modes[i], error.name, error.message);
                assert_int_equal(
                        harness_call(h, NULL, MANAGER, "DestroyContainer", NULL, NULL, "s", "one"),
                        0);
        }
}

static void test_systemd_is_replaced(void **state)
{
        Harness *h = *state;
        int result;

        harness_set_systemd(h, "vanish");
        create_async(h, &result);
        harness_stop_systemd(h);
        (void)snprintf(h->systemd_mode, sizeof(h->systemd_mode), "ok");
        harness_start_systemd(h);
        harness_until(h, has_result, &result);
        assert_int_equal(result, 1);
        assert_true(harness_systemd_was_asked(h, "Subscribe"));
}

/* Destroying */

static void test_remove_fails(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *container_state = NULL;
        Harness *h = *state;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        harness_set_worker(h, "fail-remove");
        assert_true(harness_call(h, ONE, CONTAINER, "Destroy", &error, NULL, NULL) < 0);
        assert_non_null(strstr(error.message, "fake: failed as told, remove"));
        container_state = harness_get_string(h, ONE, CONTAINER, "State");
        assert_string_equal(container_state, "failed");

        harness_set_worker(h, "ok");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Destroy", NULL, NULL, NULL), 0);
        assert_recovered(h);
}

static void test_destroy_is_shared(void **state)
{
        Harness *h = *state;
        int first = 0, second = 0;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", ONE, CONTAINER,
                                             "Destroy", on_created, &first, NULL) >= 0);
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", ONE, CONTAINER,
                                             "Destroy", on_created, &second, NULL) >= 0);
        harness_until(h, has_result, &first);
        harness_until(h, has_result, &second);
        assert_int_equal(first, 1);
        assert_int_equal(second, 1);
        assert_recovered(h);
}

static void test_leader_is_killed(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        assert_int_equal(harness_spawn(h, "one", "exec sleep 1000", &job, NULL), 0);
        assert_int_equal(kill((pid_t)harness_get_unsigned(h, ONE, CONTAINER, "Leader"), SIGKILL),
                         0);
        harness_until_string(h, ONE, CONTAINER, "State", "stopped");
        harness_until_string(h, job, JOB, "State", "lost");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Start", NULL, NULL, NULL), 0);
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("undoes a create whose worker fails", test_worker_fails),
                CASE("undoes a create whose worker crashes", test_worker_crashes),
                CASE("undoes a create whose worker hangs", test_worker_hangs),
                CASE("undoes a create whose PID 1 never answers", test_pid1_never_answers),
                CASE("undoes a create whose PID 1 dies at once", test_pid1_dies_at_once),
                CASE("starts its worker program again", test_worker_program_dies),
                CASE("goes on with what the program had begun", test_operation_outlives_program),
                CASE("undoes a create that systemd refuses", test_systemd_refuses),
                CASE("undoes a create whose scope fails", test_systemd_fails_job),
                CASE("undoes a create when systemd hangs", test_systemd_hangs),
                CASE("takes systemd's answers in any order", test_systemd_in_any_order),
                CASE("goes on when systemd is replaced", test_systemd_is_replaced),
                CASE("keeps what could not be removed, and tries again", test_remove_fails),
                CASE("answers everybody who destroys", test_destroy_is_shared),
                CASE("notices that PID 1 was killed", test_leader_is_killed),
        };

        return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
