/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "daemon/retention.h"

#define ENTRIES 600

typedef struct Fixture {
        sd_event *event;
        Retention *retention;
        RetentionList groups[2];
        RetentionEntry entries[ENTRIES];
        int dropped[ENTRIES], n_dropped;
} Fixture;

static void on_drop(void *userdata, RetentionEntry *entry)
{
        Fixture *f = userdata;

        assert_null(entry->group);
        assert_true(f->n_dropped < ENTRIES);
        f->dropped[f->n_dropped++] = (int)(entry - f->entries);
}

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        *state = f;
        return !f || sd_event_new(&f->event) < 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        retention_free(f->retention);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

static void begin(Fixture *f, uint64_t age_usec, size_t group_max)
{
        RetentionLimits limits = { age_usec, group_max };

        assert_int_equal(retention_new(f->event, limits, on_drop, f, &f->retention), 0);
}

static void turn(Fixture *f)
{
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static void test_count(void **state)
{
        Fixture *f = *state;

        begin(f, USEC_INFINITY, 2);
        for (int i = 0; i < 5; i++)
                retention_add(f->retention, &f->groups[0], &f->entries[i], 100 + (uint64_t)i);
        retention_add(f->retention, &f->groups[1], &f->entries[5], 50);
        assert_int_equal(f->n_dropped, 0); /* nothing goes while somebody is at it */
        turn(f);
        assert_int_equal(f->n_dropped, 3);
        for (int i = 0; i < 3; i++)
                assert_int_equal(f->dropped[i], i);
        assert_int_equal(f->groups[0].n, 2);
        assert_int_equal(f->groups[1].n, 1);
}

static void test_order(void **state)
{
        static const uint64_t ended[] = { 30, 10, 20, 10, 40 };
        static const int expected[] = { 1, 3, 2, 0 };
        Fixture *f = *state;

        begin(f, USEC_INFINITY, 1);
        for (int i = 0; i < 5; i++)
                retention_add(f->retention, &f->groups[0], &f->entries[i], ended[i]);
        turn(f);
        assert_int_equal(f->n_dropped, 4);
        assert_memory_equal(f->dropped, expected, sizeof(expected));
        assert_ptr_equal(f->groups[0].first, &f->entries[4]);
}

static void test_age(void **state)
{
        Fixture *f = *state;
        uint64_t now = io_now_monotonic_usec();

        begin(f, 400 * USEC_PER_MSEC, 100);
        retention_add(f->retention, &f->groups[0], &f->entries[0], now);
        retention_add(f->retention, &f->groups[1], &f->entries[1], now - 300 * USEC_PER_MSEC);
        retention_add(f->retention, &f->groups[0], &f->entries[2], now - 500 * USEC_PER_MSEC);
        turn(f);
        assert_int_equal(f->n_dropped, 1);
        assert_int_equal(f->dropped[0], 2);
        while (f->n_dropped < 3 && io_now_monotonic_usec() < now + 5 * USEC_PER_SEC)
                assert_true(sd_event_run(f->event, USEC_PER_SEC) >= 0);
        assert_int_equal(f->n_dropped, 3);
        assert_int_equal(f->dropped[1], 1);
        assert_int_equal(f->dropped[2], 0);
        assert_true(io_now_monotonic_usec() >= now + 400 * USEC_PER_MSEC);
}

/* Infinity is not a number that can be added to. */
static void test_infinity(void **state)
{
        Fixture *f = *state;

        begin(f, USEC_INFINITY, 100);
        retention_add(f->retention, &f->groups[0], &f->entries[0], 0);
        retention_add(f->retention, &f->groups[0], &f->entries[1], io_now_monotonic_usec());
        turn(f);
        assert_int_equal(f->n_dropped, 0);
}

static void test_remove(void **state)
{
        Fixture *f = *state;

        begin(f, USEC_INFINITY, 2);
        for (int i = 0; i < 3; i++)
                retention_add(f->retention, &f->groups[0], &f->entries[i], (uint64_t)i);
        retention_remove(f->retention, &f->entries[1]);
        retention_remove(f->retention, &f->entries[1]);
        turn(f);
        assert_int_equal(f->n_dropped, 0);
        assert_int_equal(f->groups[0].n, 2);
        retention_remove(f->retention, &f->entries[0]);
        retention_remove(f->retention, &f->entries[2]);
        assert_int_equal(f->groups[0].n, 0);
        assert_null(f->groups[0].first);
        assert_null(f->groups[0].last);
}

/* A group goes while it has too many: as a container that is destroyed with its jobs. */
static void test_group_goes(void **state)
{
        Fixture *f = *state;

        begin(f, USEC_INFINITY, 1);
        for (int i = 0; i < 6; i++)
                retention_add(f->retention, &f->groups[i % 2], &f->entries[i], (uint64_t)i);
        for (int i = 0; i < 6; i += 2)
                retention_remove(f->retention, &f->entries[i]);
        f->groups[0] = (RetentionList){ 0 };
        turn(f);
        assert_int_equal(f->n_dropped, 2);
        assert_int_equal(f->dropped[0], 1);
        assert_int_equal(f->dropped[1], 3);
}

static void test_limits(void **state)
{
        Fixture *f = *state;
        uint64_t now = io_now_monotonic_usec();

        begin(f, USEC_INFINITY, 100);
        for (int i = 0; i < 10; i++)
                retention_add(f->retention, &f->groups[0], &f->entries[i],
                              now - 10 * USEC_PER_SEC + (uint64_t)i);
        turn(f);
        assert_int_equal(f->n_dropped, 0);
        retention_set_limits(f->retention, (RetentionLimits){ USEC_INFINITY, 7 });
        turn(f);
        assert_int_equal(f->n_dropped, 3);
        retention_set_limits(f->retention, (RetentionLimits){ 5 * USEC_PER_SEC, 7 });
        turn(f);
        assert_int_equal(f->n_dropped, 10);
        assert_int_equal(f->groups[0].n, 0);
}

static void test_many(void **state)
{
        Fixture *f = *state;

        begin(f, USEC_INFINITY, 10);
        for (int i = 0; i < ENTRIES; i++)
                retention_add(f->retention, &f->groups[0], &f->entries[i], (uint64_t)i);
        assert_true(sd_event_run(f->event, 0) > 0);
        assert_in_range(f->n_dropped, 1, ENTRIES - 11); /* others had a turn */
        turn(f);
        assert_int_equal(f->n_dropped, ENTRIES - 10);
        for (int i = 0; i < f->n_dropped; i++)
                assert_int_equal(f->dropped[i], i);
}

/* With nothing due, the loop has nothing to wake up for. */
static void test_idle(void **state)
{
        Fixture *f = *state;

        begin(f, 50 * USEC_PER_MSEC, 10);
        turn(f);
        retention_add(f->retention, &f->groups[0], &f->entries[0], io_now_monotonic_usec());
        retention_remove(f->retention, &f->entries[0]);
        while (sd_event_run(f->event, 600 * USEC_PER_MSEC) > 0)
                ; /* one early wake-up, and no more */
        assert_int_equal(f->n_dropped, 0);
        assert_int_equal(sd_event_run(f->event, 300 * USEC_PER_MSEC), 0);
}

#define CASE(name, func)                          \
        {                                         \
                name, func, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("drops the oldest of a group that has too many", test_count),
                CASE("goes by the time of the end, not by that of the addition", test_order),
                CASE("drops what is too old when its time has come", test_age),
                CASE("keeps for ever where the age is infinite", test_infinity),
                CASE("forgets what went by itself", test_remove),
                CASE("survives the end of a group that has too many", test_group_goes),
                CASE("applies other limits to what is kept already", test_limits),
                CASE("drops many in turns, in order", test_many),
                CASE("does not wake up for nothing", test_idle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
