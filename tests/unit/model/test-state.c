/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/state.h"

#define NO -EPROTO

/* The whole table, written down a second time by hand: rows are states in the order of the enum,
 * columns events. */
static const int expected[_CONTAINER_STATE_MAX][_CONTAINER_EVENT_MAX] = {
        [CONTAINER_NEW] = { CONTAINER_CREATING, NO, NO, NO, NO, NO, NO, NO, NO, NO,
                            CONTAINER_DESTROYING, NO, NO },
        [CONTAINER_CREATING] = { NO, CONTAINER_ACTIVE, CONTAINER_FAILED, NO, NO, NO, NO, NO, NO,
                                 CONTAINER_CREATING, CONTAINER_DESTROYING, NO, NO },
        [CONTAINER_ACTIVE] = { NO, NO, NO, CONTAINER_ACTIVE, CONTAINER_ACTIVE, CONTAINER_STOPPING,
                               NO, CONTAINER_FROZEN, CONTAINER_ACTIVE, CONTAINER_STOPPED,
                               CONTAINER_DESTROYING, NO, NO },
        [CONTAINER_FROZEN] = { NO, NO, NO, NO, CONTAINER_FROZEN, CONTAINER_STOPPING, NO,
                               CONTAINER_FROZEN, CONTAINER_ACTIVE, CONTAINER_STOPPED,
                               CONTAINER_DESTROYING, NO, NO },
        [CONTAINER_STOPPING] = { NO, NO, NO, NO, NO, CONTAINER_STOPPING, NO, NO, NO,
                                 CONTAINER_STOPPED, CONTAINER_DESTROYING, NO, NO },
        [CONTAINER_STOPPED] = { NO, NO, NO, NO, CONTAINER_STOPPED, CONTAINER_STOPPED,
                                CONTAINER_CREATING, NO, NO, CONTAINER_STOPPED, CONTAINER_DESTROYING,
                                NO, NO },
        [CONTAINER_DESTROYING] = { NO, CONTAINER_DESTROYING, CONTAINER_DESTROYING, NO, NO, NO, NO,
                                   NO, NO, CONTAINER_DESTROYING, CONTAINER_DESTROYING,
                                   CONTAINER_GONE, CONTAINER_FAILED },
        [CONTAINER_GONE] = { NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO },
        [CONTAINER_FAILED] = { NO, NO, NO, NO, NO, NO, NO, NO, NO, CONTAINER_FAILED,
                               CONTAINER_DESTROYING, NO, NO },
};

static void test_table(void **state)
{
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                for (int e = 0; e < _CONTAINER_EVENT_MAX; e++) {
                        int next = container_state_next((ContainerState)s, (ContainerEvent)e, NULL);

                        if (next != expected[s][e])
                                fail_msg("%s and %s lead to %d, not %d",
                                         container_state_to_string((ContainerState)s),
                                         container_event_to_string((ContainerEvent)e), next,
                                         expected[s][e]);
                }
}

static void test_faults(void **state)
{
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                for (int e = 0; e < _CONTAINER_EVENT_MAX; e++) {
                        Fault fault = FAULT_INIT;
                        int r = container_state_next((ContainerState)s, (ContainerEvent)e, &fault);

                        assert_int_equal(fault.kind, r < 0 ? FAULT_BAD_STATE : FAULT_NONE);
                        assert_int_equal(fault.error, r < 0 ? -EPROTO : 0);
                        if (r < 0)
                                assert_non_null(strstr(
                                        fault.text, container_state_to_string((ContainerState)s)));
                }
}

static void expect_text(ContainerState s, ContainerEvent e, const char *text)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(container_state_next(s, e, &fault), -EPROTO);
        assert_string_equal(fault.text, text);
}

static void test_texts(void **state)
{
        expect_text(CONTAINER_STOPPED, EVENT_SPAWN,
                    "Cannot spawn a job while the container is stopped");
        expect_text(CONTAINER_ACTIVE, EVENT_START, "Cannot start while the container is active");
        expect_text(CONTAINER_CREATING, EVENT_STOP, "Cannot stop while the container is creating");
        expect_text(CONTAINER_GONE, EVENT_DESTROY, "Cannot destroy while the container is gone");
}

static void test_destroy_always(void **state)
{
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                if (s != CONTAINER_GONE)
                        assert_int_equal(
                                container_state_next((ContainerState)s, EVENT_DESTROY, NULL),
                                CONTAINER_DESTROYING);
}

static void test_spawn_changes_nothing(void **state)
{
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++) {
                int r = container_state_next((ContainerState)s, EVENT_SPAWN, NULL);

                assert_true(r == s || r == -EPROTO);
        }
}

static void test_reachable(void **state)
{
        int is_reached[_CONTAINER_STATE_MAX] = { [CONTAINER_NEW] = 1 };

        for (int round = 0; round < _CONTAINER_STATE_MAX; round++)
                for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                        for (int e = 0; is_reached[s] && e < _CONTAINER_EVENT_MAX; e++) {
                                int r = container_state_next((ContainerState)s, (ContainerEvent)e,
                                                             NULL);

                                if (r >= 0)
                                        is_reached[r] = 1;
                        }
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                assert_true(is_reached[s]);
}

static void test_invalid(void **state)
{
        static const int bad[] = { -1, -22, _CONTAINER_STATE_MAX, INT32_MAX, INT32_MIN };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Fault fault = FAULT_INIT;

                assert_int_equal(
                        container_state_next((ContainerState)bad[i], EVENT_DESTROY, &fault),
                        -EPROTO);
                assert_int_equal(fault.kind, FAULT_BAD_STATE);
                assert_null(container_state_to_string((ContainerState)bad[i]));
        }
        assert_int_equal(
                container_state_next(CONTAINER_ACTIVE, (ContainerEvent)_CONTAINER_EVENT_MAX, NULL),
                -EPROTO);
        assert_int_equal(container_state_next(CONTAINER_ACTIVE, _CONTAINER_EVENT_INVALID, NULL),
                         -EPROTO);
        assert_null(container_event_to_string(_CONTAINER_EVENT_MAX));
}

static void test_names(void **state)
{
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                assert_int_equal(
                        container_state_from_string(container_state_to_string((ContainerState)s)),
                        s);
        assert_int_equal(container_state_from_string("running"), _CONTAINER_STATE_INVALID);
        for (int e = 0; e < _CONTAINER_EVENT_MAX; e++)
                for (int other = 0; other < e; other++)
                        assert_string_not_equal(container_event_to_string((ContainerEvent)e),
                                                container_event_to_string((ContainerEvent)other));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "answers each pair of state and event as written down", test_table },
                { "explains each refusal and only refusals", test_faults },
                { "names what was wanted and the state", test_texts },
                { "lets everything but the gone be destroyed", test_destroy_always },
                { "asks about a spawn without changing the state", test_spawn_changes_nothing },
                { "reaches every state from new", test_reachable },
                { "refuses states and events that are none", test_invalid },
                { "names every state and finds it by name", test_names },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
