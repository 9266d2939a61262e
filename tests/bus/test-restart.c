/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wardend is killed at a moment that the fakes hold still, and started again: what was there is
 * there again, what ended meanwhile says how, and what was half made is gone. */

#include <errno.h>
#include <fcntl.h>
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

#include "basic/fd.h"
#include "basic/macro.h"
#include "harness.h"

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

static void create(Harness *h, const char *name)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (harness_create(h, name, &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
}

static char *spawn(Harness *h, const char *name, const char *command)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char *job = NULL;

        if (harness_spawn(h, name, command, &job, &error) < 0)
                fail_msg("%s: %s", error.name, error.message);
        return job;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        *(int *)userdata = sd_bus_message_get_error(m) ? -1 : 1;
        return 0;
}

static int has_answer(void *userdata)
{
        return *(int *)userdata != 0;
}

static void begin_create(Harness *h, const char *name, int *answer)
{
        *answer = 0;
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", WARDEN_PATH,
                                             MANAGER, "CreateContainer", on_answer, answer, "a{sv}",
                                             2, "Name", "s", name, "RootDirectory", "s", "/") >= 0);
        assert_true(sd_bus_flush(h->bus) >= 0);
}

static void assert_property(Harness *h, const char *path, const char *interface,
                            const char *property, const char *value)
{
        _drop_(drop_free) char *s = harness_get_string(h, path, interface, property);

        assert_string_equal(s, value);
}

static void restart(Harness *h, int signal)
{
        harness_kill_wardend(h, signal);
        harness_start_wardend(h);
}

static void test_keeps_containers(void **state)
{
        _drop_(drop_free) char *job = NULL, *id = NULL;
        Harness *h = *state;
        uint32_t leader, pid;

        create(h, "one");
        create(h, "two");
        job = spawn(h, "one", "exec sleep 1000");
        id = harness_get_string(h, ONE, CONTAINER, "Id");
        leader = harness_get_unsigned(h, ONE, CONTAINER, "Leader");
        pid = harness_get_unsigned(h, job, JOB, "PID");
        restart(h, SIGKILL);

        assert_property(h, ONE, CONTAINER, "State", "active");
        assert_property(h, ONE, CONTAINER, "Id", id);
        assert_int_equal(harness_get_unsigned(h, ONE, CONTAINER, "Leader"), leader);
        assert_property(h, job, JOB, "State", "running");
        assert_int_equal(harness_get_unsigned(h, job, JOB, "PID"), pid);
        assert_true(harness_is_alive((pid_t)pid));
        assert_property(h, WARDEN_PATH "/container/two", CONTAINER, "State", "active");
}

static void test_keeps_on_term(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        create(h, "one");
        job = spawn(h, "one", "exec sleep 1000");
        restart(h, SIGTERM);
        assert_property(h, ONE, CONTAINER, "State", "active");
        assert_property(h, job, JOB, "State", "running");
}

/* Three generations, so that what is restored is also saved. */
static void test_keeps_again(void **state)
{
        _drop_(drop_free) char *job = NULL, *second = NULL;
        Harness *h = *state;

        create(h, "one");
        job = spawn(h, "one", "exit 3");
        harness_until_string(h, job, JOB, "State", "exited");
        restart(h, SIGKILL);
        second = spawn(h, "one", "exit 4");
        assert_string_not_equal(second, job);
        harness_until_string(h, second, JOB, "State", "exited");
        restart(h, SIGKILL);
        assert_int_equal(harness_get_int(h, job, JOB, "ExitCode"), 3);
        assert_int_equal(harness_get_int(h, second, JOB, "ExitCode"), 4);
        assert_int_equal(harness_call(h, job, JOB, "Release", NULL, NULL, NULL), 0);
        restart(h, SIGKILL);
        assert_property(h, job, JOB, "State", "");
        assert_property(h, second, JOB, "State", "exited");
}

static void test_learns_exit_status(void **state)
{
        _drop_(drop_free) char *exits = NULL, *killed = NULL;
        Harness *h = *state;
        int in[2];

        create(h, "one");
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        exits = spawn(h, "one", "sleep 0.3; exit 42");
        killed = spawn(h, "one", "sleep 0.3; kill -9 $$");
        harness_kill_wardend(h, SIGKILL);
        (void)usleep(600000);
        harness_start_wardend(h);

        assert_property(h, exits, JOB, "State", "exited");
        assert_int_equal(harness_get_int(h, exits, JOB, "ExitCode"), 42);
        assert_property(h, killed, JOB, "State", "killed");
        assert_int_equal(harness_get_int(h, killed, JOB, "ExitSignal"), 9);
        fd_close(in[0]);
        fd_close(in[1]);
}

static void test_notices_ended_container(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        uint32_t leader;

        create(h, "one");
        job = spawn(h, "one", "exec sleep 1000");
        leader = harness_get_unsigned(h, ONE, CONTAINER, "Leader");
        harness_kill_wardend(h, SIGKILL);
        assert_int_equal(kill((pid_t)leader, SIGKILL), 0);
        harness_until_processes(h, 2);
        harness_start_wardend(h);

        assert_property(h, ONE, CONTAINER, "State", "stopped");
        assert_property(h, job, JOB, "State", "lost");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Start", NULL, NULL, NULL), 0);
        assert_property(h, ONE, CONTAINER, "State", "active");
}

static int is_nothing_left(void *userdata)
{
        return harness_count_state(userdata) == 0;
}

static void test_undoes_half_made(void **state)
{
        static const struct {
                const char *worker, *systemd;
        } moments[] = {
                { "hang-clone", "ok" },   /* saved as creating, nothing in the kernel */
                { "hang-early", "hang" }, /* a process, its scope is asked for */
                { "ok", "mute" },         /* the same, and the worker waits at the gate */
                { "hang-late", "ok" },    /* in its scope, the gate is open */
                { "deaf", "ok" },         /* executed, and not heard of */
        };
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(moments); i++) {
                int answer;

                harness_set_worker(h, moments[i].worker);
                harness_set_systemd(h, moments[i].systemd);
                begin_create(h, "one", &answer);
                (void)usleep(150000);
                assert_int_equal(harness_count_state(h), 1);
                harness_kill_wardend(h, SIGKILL);
                harness_until(h, has_answer, &answer);
                assert_int_equal(answer, -1);

                harness_set_worker(h, "ok");
                harness_set_systemd(h, "ok");
                harness_start_wardend(h);
                harness_until(h, is_nothing_left, h);
                harness_until_processes(h, HARNESS_PROCESSES);
                assert_property(h, ONE, CONTAINER, "State", "");
        }
        create(h, "one");
}

static void test_finishes_destroy(void **state)
{
        Harness *h = *state;
        int answer = 0;

        create(h, "one");
        harness_set_worker(h, "hang-remove");
        assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", ONE, CONTAINER,
                                             "Destroy", on_answer, &answer, NULL) >= 0);
        harness_until_string(h, ONE, CONTAINER, "State", "destroying");
        harness_until_processes(h, HARNESS_PROCESSES + 1); /* the worker that hangs */
        harness_kill_wardend(h, SIGKILL);
        assert_int_equal(harness_count_state(h), 1);

        harness_set_worker(h, "ok");
        harness_start_wardend(h);
        harness_until(h, is_nothing_left, h);
        harness_until_processes(h, HARNESS_PROCESSES);
        create(h, "one");
}

static void test_finishes_stop(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        create(h, "one");
        job = spawn(h, "one", "trap '' TERM; while :; do sleep 0.05; done");
        harness_until_ignores((pid_t)harness_get_unsigned(h, job, JOB, "PID"), SIGTERM);
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Stop", NULL, NULL, "a{sv}", 2,
                                      "Background", "b", 1, "KillUSec", "t", UINT64_C(500000)),
                         0);
        assert_property(h, ONE, CONTAINER, "State", "stopping");
        restart(h, SIGKILL);
        harness_until_string(h, ONE, CONTAINER, "State", "stopped");
}

/* Nobody's directory and a state file that is rubbish: neither may keep the daemon from
 * starting. */
static void test_skips_rubbish(void **state)
{
        char path[160];
        Harness *h = *state;
        FILE *f;

        create(h, "one");
        harness_kill_wardend(h, SIGKILL);
        (void)snprintf(path, sizeof(path), "%s/run/containers/0000000000z", h->directory);
        assert_int_equal(mkdir(path, 0700), 0);
        (void)snprintf(path, sizeof(path), "%s/run/containers/0123456789a", h->directory);
        assert_int_equal(mkdir(path, 0700), 0);
        (void)snprintf(path, sizeof(path), "%s/run/containers/0123456789a/state", h->directory);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs("rubbish", f) >= 0);
        assert_int_equal(fclose(f), 0);
        harness_start_wardend(h);
        assert_property(h, ONE, CONTAINER, "State", "active");
        create(h, "two");
}

static void test_waits_for_pid1(void **state)
{
        Harness *h = *state;
        uint32_t leader;

        create(h, "one");
        leader = harness_get_unsigned(h, ONE, CONTAINER, "Leader");
        harness_kill_wardend(h, SIGKILL);
        assert_int_equal(kill((pid_t)leader, SIGSTOP), 0);
        harness_launch_wardend(h);
        harness_read_notify(h, 500 * USEC_PER_MSEC);
        assert_int_equal(h->is_ready, 0);
        assert_int_equal(kill((pid_t)leader, SIGCONT), 0);
        harness_read_notify(h, 10 * USEC_PER_SEC);
        assert_int_equal(h->is_ready, 1);
        assert_property(h, ONE, CONTAINER, "State", "active");
}

static void test_killed_often(void **state)
{
        Harness *h = *state;
        char name[16];

        /* At whatever moment it is: a create that was answered stays, one that was not is whole or
         * gone. */
        for (unsigned i = 0; i < 12; i++) {
                int answer;

                (void)snprintf(name, sizeof(name), "c%u", i);
                begin_create(h, name, &answer);
                (void)usleep(i * 700);
                harness_kill_wardend(h, SIGKILL);
                harness_until(h, has_answer, &answer);
                harness_start_wardend(h);
                (void)snprintf(name, sizeof(name), "d%u", i);
                if (answer == 1) {
                        _drop_(drop_free) char *path = NULL, *s = NULL;

                        assert_true(asprintf(&path, WARDEN_PATH "/container/c%u", i) > 0);
                        s = harness_get_string(h, path, CONTAINER, "State");
                        assert_string_equal(s, "active");
                }
                create(h, name);
        }
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("finds containers and jobs again", test_keeps_containers),
                CASE("leaves containers alone when it is stopped", test_keeps_on_term),
                CASE("finds them a second and a third time", test_keeps_again),
                CASE("learns how jobs ended while it was away", test_learns_exit_status),
                CASE("notices a container that ended meanwhile", test_notices_ended_container),
                CASE("undoes what was half made, at every step", test_undoes_half_made),
                CASE("finishes a destroy", test_finishes_destroy),
                CASE("finishes a stop", test_finishes_stop),
                CASE("starts in spite of rubbish in its directory", test_skips_rubbish),
                CASE("is ready only when every PID 1 has answered", test_waits_for_pid1),
                CASE("survives kills at any moment", test_killed_often),
        };

        return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
