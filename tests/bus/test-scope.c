/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* systemd/scope.c alone, with the fake systemd. */

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
#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"
#include "systemd/scope.h"

#define UNIT "warden-0123456789a.scope"

typedef struct Answer {
        int n;
        int error;
        Fault fault;
} Answer;

typedef struct Fixture {
        Harness h;
        sd_event *event;
        sd_bus *bus;
        SystemdClient *client;
        ScopeCall *call;
        Answer answer;
} Fixture;

static int setup(void **state)
{
        static Fixture f;

        f = (Fixture){ .call = NULL };
        harness_new_bus(&f.h);
        assert_true(sd_event_new(&f.event) >= 0);
        assert_true(sd_bus_open_system(&f.bus) >= 0);
        assert_true(sd_bus_attach_event(f.bus, f.event, 0) >= 0);
        assert_int_equal(systemd_client_new(f.bus, &f.client), 0);
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        scope_call_free(f->call);
        systemd_client_free(f->client);
        sd_bus_flush_close_unref(f->bus);
        sd_event_unref(f->event);
        harness_free(&f->h);
        return 0;
}

static void on_done(void *userdata, int error, const Fault *fault)
{
        Answer *answer = userdata;

        answer->n++;
        answer->error = error;
        if (fault)
                answer->fault = *fault;
}

static ScopeCall *start(Fixture *f, const char *unit, Answer *answer)
{
        Limits limits = { .set = 0 };
        ScopeRequest request = {
                .unit = unit,
                .description = "A container",
                .slice = "warden.slice",
                .pid = (uint32_t)getpid(),
                .stop_usec = UINT64_C(15000000),
                .limits = &limits,
        };
        ScopeCall *call = NULL;

        assert_int_equal(limits_set(&limits, LIMIT_TASKS_MAX, UINT64_C(50), NULL), 0);
        assert_int_equal(scope_start(f->client, &request, on_done, answer, &call, NULL), 0);
        assert_int_equal(answer->n, 0);
        return call;
}

static void run_usec(Fixture *f, uint64_t usec)
{
        uint64_t end = io_now_monotonic_usec() + usec;

        for (uint64_t now = io_now_monotonic_usec(); now < end; now = io_now_monotonic_usec())
                assert_true(sd_event_run(f->event, end - now) >= 0);
}

static void run_until_answer(Fixture *f, const Answer *answer)
{
        uint64_t end = io_now_monotonic_usec() + 10 * USEC_PER_SEC;

        while (answer->n == 0) {
                assert_true(sd_event_run(f->event, 20 * USEC_PER_MSEC) >= 0);
                if (io_now_monotonic_usec() > end)
                        fail_msg("no answer within 10 s");
        }
        assert_int_equal(answer->n, 1);
}

static void run_until_asked(Fixture *f, const char *text)
{
        for (int i = 0; i < 6000; i++) {
                if (harness_systemd_was_asked(&f->h, text))
                        return;
                assert_true(sd_event_run(f->event, 10 * USEC_PER_MSEC) >= 0);
        }
        fail_msg("systemd was not asked for %s", text);
}

static void expect(void **state, const char *mode, int error, FaultKind kind, const char *text)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, mode);
        f->call = start(f, UNIT, &f->answer);
        run_until_answer(f, &f->answer);
        if (f->answer.error != error || f->answer.fault.kind != kind ||
            !strstr(f->answer.fault.text, text))
                fail_msg("got %d: %s", f->answer.error, f->answer.fault.text);
        /* Nothing more comes, whatever systemd says. */
        harness_systemd(&f->h, "Release");
        run_usec(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->answer.n, 1);
}

static void test_done(void **state)
{
        Fixture *f = *state;

        expect(state, "ok", 0, FAULT_NONE, "");
        assert_true(harness_systemd_was_asked(&f->h, "StartTransientUnit " UNIT " fail "));
        assert_true(harness_systemd_was_asked(&f->h, " TimeoutStopUSec=15000000 "));
        assert_true(harness_systemd_was_asked(&f->h, " TasksMax=50"));
        assert_false(harness_systemd_was_asked(&f->h, "GetUnit"));
}

static void test_early(void **state)
{
        expect(state, "early", 0, FAULT_NONE, "");
}

static void test_refused(void **state)
{
        expect(state, "fail", -EROFS, FAULT_FAILED,
               "scope: Cannot set property Fake, or unknown property.");
}

static void test_job_failed(void **state)
{
        expect(state, "job-failed", -EIO, FAULT_FAILED,
               "scope: systemd ended the job of " UNIT " as failed");
}

static void test_reload(void **state)
{
        expect(state, "reload", 0, FAULT_NONE, "");
}

static void test_reload_lost(void **state)
{
        expect(state, "reload-lost", -ENOENT, FAULT_FAILED, "scope: Unit " UNIT " not loaded");
}

static void test_reload_queued(void **state)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, "reload-queued");
        f->call = start(f, UNIT, &f->answer);
        run_until_asked(f, "GetUnit " UNIT);
        run_usec(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->answer.n, 0);
        harness_systemd(&f->h, "Release");
        run_until_answer(f, &f->answer);
        assert_int_equal(f->answer.error, 0);
}

static void test_taken(void **state)
{
        Fixture *f = *state;

        assert_true(sd_bus_call_method(f->h.bus, "org.freedesktop.systemd1", "/org/warden/Test1",
                                       "org.warden.Test1", "AddUnit", NULL, NULL, "ss", UNIT,
                                       "taken") >= 0);
        f->call = start(f, UNIT, &f->answer);
        run_until_asked(f, "StartTransientUnit");
        run_usec(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->answer.n, 0);
        harness_systemd(&f->h, "Release");
        run_until_answer(f, &f->answer);
        assert_int_equal(f->answer.error, 0);
}

static void test_stays_taken(void **state)
{
        Fixture *f = *state;

        assert_true(sd_bus_call_method(f->h.bus, "org.freedesktop.systemd1", "/org/warden/Test1",
                                       "org.warden.Test1", "AddUnit", NULL, NULL, "ss", UNIT,
                                       "taken") >= 0);
        f->call = start(f, UNIT, &f->answer);
        run_until_answer(f, &f->answer);
        assert_int_equal(f->answer.error, -ETIMEDOUT);
        assert_non_null(strstr(f->answer.fault.text, "another unit has the scope's name"));
}

static void restart_systemd(Fixture *f, const char *unit, const char *state)
{
        harness_stop_systemd(&f->h);
        (void)snprintf(f->h.systemd_mode, sizeof(f->h.systemd_mode), "ok");
        (void)snprintf(f->h.systemd_unit, sizeof(f->h.systemd_unit), "%s", unit);
        (void)snprintf(f->h.systemd_unit_state, sizeof(f->h.systemd_unit_state), "%s", state);
        harness_start_systemd(&f->h);
}

/* It went before it had done anything: the scope is asked for again. */
static void test_vanished_before(void **state)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, "vanish");
        f->call = start(f, UNIT, &f->answer);
        run_usec(f, 100 * USEC_PER_MSEC);
        restart_systemd(f, "", "");
        run_until_answer(f, &f->answer);
        assert_int_equal(f->answer.error, 0);
        assert_true(harness_systemd_was_asked(&f->h, "Subscribe"));
        assert_true(harness_systemd_was_asked(&f->h, "StartTransientUnit " UNIT));
}

/* It had made the scope, and nobody heard of it: not asked for twice. */
static void test_vanished_after(void **state)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, "vanish-queued");
        f->call = start(f, UNIT, &f->answer);
        run_usec(f, 100 * USEC_PER_MSEC);
        restart_systemd(f, UNIT, "active");
        run_until_answer(f, &f->answer);
        assert_int_equal(f->answer.error, 0);
        assert_false(harness_systemd_was_asked(&f->h, "StartTransientUnit"));
}

static void test_vanished_failed(void **state)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, "vanish-queued");
        f->call = start(f, UNIT, &f->answer);
        run_usec(f, 100 * USEC_PER_MSEC);
        restart_systemd(f, UNIT, "failed");
        run_until_answer(f, &f->answer);
        assert_int_equal(f->answer.error, -ESRCH);
}

static void test_canceled(void **state)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, "hang");
        f->call = start(f, UNIT, &f->answer);
        run_until_asked(f, "StartTransientUnit");
        f->call = scope_call_free(f->call);
        harness_systemd(&f->h, "Release");
        run_usec(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->answer.n, 0);
}

static void test_outlives_client(void **state)
{
        Fixture *f = *state;

        harness_set_systemd(&f->h, "hang");
        f->call = start(f, UNIT, &f->answer);
        run_until_asked(f, "StartTransientUnit");
        f->client = systemd_client_free(f->client);
        harness_systemd(&f->h, "Release");
        run_usec(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->answer.n, 0);
}

#define MANY 200

static void test_many(void **state)
{
        static Answer answers[MANY];
        static ScopeCall *calls[MANY];
        Fixture *f = *state;
        char unit[64];

        memset(answers, 0, sizeof(answers));
        for (unsigned i = 0; i < MANY; i++) {
                (void)snprintf(unit, sizeof(unit), "warden-%011u.scope", i);
                calls[i] = start(f, unit, &answers[i]);
        }
        for (unsigned i = 0; i < MANY; i++) {
                run_until_answer(f, &answers[i]);
                assert_int_equal(answers[i].error, 0);
                scope_call_free(calls[i]);
        }
}

/* Somebody who is not systemd says that the job is done. */
static void test_forged(void **state)
{
        Fixture *f = *state;
        const char *us;

        harness_set_systemd(&f->h, "hang");
        f->call = start(f, UNIT, &f->answer);
        run_until_asked(f, "StartTransientUnit");
        run_usec(f, 20 * USEC_PER_MSEC);
        assert_true(sd_bus_get_unique_name(f->bus, &us) >= 0);
        for (unsigned i = 1; i < 4; i++) {
                _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
                char job[64];

                (void)snprintf(job, sizeof(job), "/org/freedesktop/systemd1/job/%u", i);
                assert_true(sd_bus_message_new_signal(f->h.bus, &m, "/org/freedesktop/systemd1",
                                                      "org.freedesktop.systemd1.Manager",
                                                      "JobRemoved") >= 0);
                assert_true(sd_bus_message_append(m, "uoss", i, job, UNIT, "done") >= 0);
                assert_true(sd_bus_send_to(f->h.bus, m, us, NULL) >= 0);
        }
        assert_true(sd_bus_flush(f->h.bus) >= 0);
        run_usec(f, 100 * USEC_PER_MSEC);
        assert_int_equal(f->answer.n, 0);
        harness_systemd(&f->h, "Release");
        run_until_answer(f, &f->answer);
}

static void test_stops_and_kills(void **state)
{
        Fixture *f = *state;

        assert_int_equal(scope_stop(f->client, UNIT) < 0, 0);
        assert_int_equal(scope_kill(f->client, UNIT) < 0, 0);
        run_until_asked(f, "StopUnit " UNIT);
        run_until_asked(f, "KillUnit " UNIT);
        /* The unit is not there: no harm. */
        run_usec(f, 20 * USEC_PER_MSEC);
}

#define CASE(name, function)                          \
        {                                             \
                name, function, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("puts a process into a scope", test_done),
                CASE("takes JobRemoved before the reply", test_early),
                CASE("passes on why systemd refused", test_refused),
                CASE("fails with the job", test_job_failed),
                CASE("finds a scope whose end of job was lost in a reload", test_reload),
                CASE("fails when the scope was lost in a reload", test_reload_lost),
                CASE("waits on when the job survived a reload", test_reload_queued),
                CASE("waits for a name that is about to be free", test_taken),
                CASE("gives up on a name that stays taken", test_stays_taken),
                CASE("asks the next systemd when one went without a word", test_vanished_before),
                CASE("finds what the last systemd had made", test_vanished_after),
                CASE("fails with what the last systemd had lost", test_vanished_failed),
                CASE("does not call back when it was canceled", test_canceled),
                CASE("does not call back when the client has ended", test_outlives_client),
                CASE("keeps two hundred calls apart", test_many),
                CASE("believes nobody but systemd", test_forged),
                CASE("stops and kills what is not there", test_stops_and_kills),
        };

        return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
