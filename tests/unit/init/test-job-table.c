/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "init/job-table.h"

static JobTable *table;

static int setup(void **state)
{
        table = calloc(1, sizeof(*table));
        return table ? 0 : -1;
}

static int teardown(void **state)
{
        for (uint32_t i = 0; i < WSHD_JOBS_MAX; i++)
                job_done(&table->slots[i]);
        free(table);
        return 0;
}

static Job *acquire(uint32_t id)
{
        Job *job;

        assert_int_equal(job_table_acquire(table, id, &job), 0);
        assert_int_equal(job->id, id);
        assert_int_equal(job->state, JOB_STARTING);
        return job;
}

static void test_lowest(void **state)
{
        Job *jobs[5];

        for (uint32_t i = 0; i < 5; i++) {
                jobs[i] = acquire(100 + i);
                assert_int_equal(job_table_slot(table, jobs[i]), i);
        }
        job_table_release(table, jobs[3]);
        job_table_release(table, jobs[1]);
        assert_int_equal(table->n_slots, 5);
        assert_int_equal(job_table_slot(table, acquire(200)), 1);
        assert_int_equal(job_table_slot(table, acquire(201)), 3);
        assert_int_equal(job_table_slot(table, acquire(202)), 5);
}

static void test_shrink(void **state)
{
        Job *a = acquire(1), *b = acquire(2), *c = acquire(3);

        job_table_release(table, b);
        assert_int_equal(table->n_slots, 3);
        job_table_release(table, c);
        assert_int_equal(table->n_slots, 1);
        job_table_release(table, a);
        assert_int_equal(table->n_slots, 0);
}

static void test_duplicate(void **state)
{
        Job *job = acquire(1), *other;

        assert_int_equal(job_table_acquire(table, 1, &other), -EEXIST);
        job_on_started(job);
        job_on_exit(job, 0, 1);
        assert_int_equal(job_table_acquire(table, 1, &other), -EEXIST);
        job_table_release(table, job);
        (void)acquire(1);
        /* Zero asks for one of its own, and never for the same. */
        assert_int_equal(job_table_acquire(table, 0, &job), 0);
        assert_int_equal(job_table_acquire(table, 0, &other), 0);
        assert_true(job->id >= WSHD_OWN_JOBS && other->id >= WSHD_OWN_JOBS);
        assert_int_not_equal(job->id, other->id);
}

static void test_full(void **state)
{
        Job *job;

        for (uint32_t i = 0; i < WSHD_JOBS_MAX; i++)
                (void)acquire(i + 1);
        assert_int_equal(job_table_acquire(table, 99999, &job), -ENOSPC);
        assert_int_equal(job_table_acquire(table, 17, &job), -EEXIST);
        job_table_release(table, &table->slots[2000]);
        assert_int_equal(job_table_slot(table, acquire(99999)), 2000);
        assert_int_equal(job_table_acquire(table, 99998, &job), -ENOSPC);
}

static void test_find(void **state)
{
        Job *job;

        assert_null(job_table_find(table, 0));
        assert_null(job_table_find_pid(table, 0));
        job = acquire(5);
        job->pid = 500;
        acquire(6)->pid = 600;
        assert_ptr_equal(job_table_find(table, 5), job);
        assert_null(job_table_find(table, 7));
        assert_ptr_equal(job_table_find_pid(table, 500), job);
        assert_null(job_table_find_pid(table, 501));
}

/* The number may be another process's by now. */
static void test_find_reaped(void **state)
{
        Job *job = acquire(5), *other;

        job->pid = 500;
        job_on_exit(job, 0, 1);
        assert_null(job_table_find_pid(table, 500));
        other = acquire(6);
        other->pid = 500;
        assert_ptr_equal(job_table_find_pid(table, 500), other);
        assert_ptr_equal(job_table_find(table, 5), job);
}

static void test_alive(void **state)
{
        Job *job;

        assert_false(job_table_is_alive(table));
        job = acquire(5);
        assert_true(job_table_is_alive(table));
        job_on_started(job);
        assert_true(job_table_is_alive(table));
        job_on_exit(job, 0, 1);
        assert_false(job_table_is_alive(table));
}

int main(void)
{
#define CASE(sentence, function)                          \
        {                                                 \
                sentence, function, setup, teardown, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("gives the lowest free slot", test_lowest),
                CASE("forgets the slots above the last job", test_shrink),
                CASE("refuses a number that is in use", test_duplicate),
                CASE("is full at its bound and not before", test_full),
                CASE("finds jobs by number and by pid", test_find),
                CASE("does not find a reaped job by its pid", test_find_reaped),
                CASE("knows whether any process is left", test_alive),
        };

        return cmocka_run_group_tests_name("init/job-table", tests, NULL, NULL);
}
