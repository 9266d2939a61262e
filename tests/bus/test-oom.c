/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is made of the kernel's count of kills for want of memory. The count is a file that a case
 * writes, and the kernel's event one that it sends to the daemon's own eventfd; real kills are for
 * the system tests. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define ONE WARDEN_PATH "/container/one"

typedef struct Test {
        Harness h;
        unsigned n_signals, n_wanted;
} Test;

static int on_oom(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Test *t = userdata;

        t->n_signals++;
        return 0;
}

static int setup(void **state)
{
        static Test t;

        t.n_signals = 0;
        if (harness_new_with_cgroup(&t.h, HARNESS_CGROUP_LEGACY) < 0) {
                *state = NULL;
                return 0;
        }
        if (sd_bus_match_signal(t.h.bus, NULL, NULL, ONE, CONTAINER, "OutOfMemory", on_oom, &t) < 0)
                return -1;
        *state = &t;
        return 0;
}

static int teardown(void **state)
{
        Test *t = *state;

        if (t)
                harness_free(&t->h);
        return 0;
}

static Test *with_container(void **state, const char *policy)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Test *t = *state;

        /* Who is not root has no mount namespace to put other control groups into. */
        if (!t)
                skip();
        if (harness_call(&t->h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3, "Name",
                         "s", "one", "RootDirectory", "s", "/", "OOMPolicy", "s", policy) < 0)
                fail_msg("%s: %s", error.name, error.message);
        return t;
}

static void count_kills(Test *t, unsigned kills)
{
        char text[80];

        (void)snprintf(text, sizeof(text), "oom_kill_disable 0\nunder_oom 0\noom_kill %u\n", kills);
        harness_write_group(&t->h, "memory", "memory.oom_control", text);
}

/* The kernel's side of the eventfd that wardend has written to cgroup.event_control. */
static void send_event(Test *t)
{
        _drop_(drop_free) char *text = harness_read_group(&t->h, "memory", "cgroup.event_control");
        _drop_(drop_fd) int pidfd = pidfd_open(t->h.wardend_pid, 0);
        _drop_(drop_fd) int event_fd = -EBADF;
        uint64_t one = 1;
        int number;

        assert_int_equal(sscanf(text, "%d", &number), 1);
        assert_true(pidfd >= 0);
        event_fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
        assert_true(event_fd >= 0);
        assert_int_equal(write(event_fd, &one, sizeof(one)), sizeof(one));
}

static int has_wanted(void *userdata)
{
        const Test *t = userdata;

        return t->n_signals >= t->n_wanted;
}

static void until_signals(Test *t, unsigned n)
{
        t->n_wanted = n;
        harness_until(&t->h, has_wanted, t);
        assert_int_equal(t->n_signals, n);
}

static uint64_t get_kills(Test *t)
{
        uint64_t kills = UINT64_MAX;

        assert_true(sd_bus_get_property_trivial(t->h.bus, "org.warden.Warden1", ONE, CONTAINER,
                                                "OOMKills", NULL, 't', &kills) >= 0);
        return kills;
}

static char *spawn(Test *t, const char *command)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char *job = NULL;

        if (harness_spawn(&t->h, "one", command, &job, &error) < 0)
                fail_msg("%s", error.message);
        return job;
}

static void test_each_once(void **state)
{
        Test *t = with_container(state, "continue");

        send_event(t); /* memory is short, and nobody was killed */
        count_kills(t, 2);
        send_event(t);
        until_signals(t, 2);
        send_event(t);
        count_kills(t, 3);
        send_event(t);
        until_signals(t, 3);
        assert_int_equal(get_kills(t), 3);
        harness_until_string(&t->h, ONE, CONTAINER, "State", "active");
}

/* PID 1's report may come before the kernel's event, or be the only one. */
static void test_claims_job(void **state)
{
        _drop_(drop_free) char *victim = NULL, *other = NULL;
        Test *t = with_container(state, "continue");

        count_kills(t, 1);
        victim = spawn(t, "kill -9 $$");
        harness_until_string(&t->h, victim, JOB, "EndReason", "oom");
        until_signals(t, 1);
        /* One job for each kill. */
        other = spawn(t, "kill -9 $$");
        harness_until_string(&t->h, other, JOB, "EndReason", "signal");
        assert_int_equal(get_kills(t), 1);
}

static void test_stops(void **state)
{
        Test *t = with_container(state, "stop");

        count_kills(t, 1);
        send_event(t);
        until_signals(t, 1);
        harness_until_string(&t->h, ONE, CONTAINER, "State", "stopped");
}

static void test_kills_all(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Test *t = with_container(state, "kill");

        job = spawn(t, "sleep 1000");
        count_kills(t, 1);
        send_event(t);
        harness_until_string(&t->h, job, JOB, "EndReason", "oom");
        harness_until_string(&t->h, ONE, CONTAINER, "State", "active");
}

static void test_while_away(void **state)
{
        Test *t = with_container(state, "continue");

        count_kills(t, 1);
        send_event(t);
        until_signals(t, 1);
        harness_kill_wardend(&t->h, SIGKILL);
        count_kills(t, 3);
        harness_start_wardend(&t->h);
        until_signals(t, 3);
        assert_int_equal(get_kills(t), 3);
        harness_kill_wardend(&t->h, SIGKILL);
        harness_start_wardend(&t->h);
        assert_int_equal(get_kills(t), 3);
        /* A new event is the first thing after it. */
        count_kills(t, 4);
        send_event(t);
        until_signals(t, 4);
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("tells of each kill once, and of nothing else", test_each_once),
                CASE("takes one job for the victim of each kill", test_claims_job),
                CASE("stops the container where its policy is stop", test_stops),
                CASE("kills all jobs where the policy is kill", test_kills_all),
                CASE("tells once of what happened while it was away", test_while_away),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
