/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deleting what containers leave, however they left it. Needs root. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "inside.h"

static int is_gone(const char *path)
{
        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* The trash of the state directory is empty: rmdir() can tell. */
static int trash_is_emptied(const Harness *h)
{
        char path[160];

        (void)snprintf(path, sizeof(path), "%s/containers/.trash", h->state);
        for (int i = 0; i < 6000; i++) {
                if (rmdir(path) == 0 || errno == ENOENT)
                        return 1;
                (void)usleep(10000);
        }
        return 0;
}

static void test_frees_names_at_once(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        fd_close(in.fd);
        harness_end(&in.made);
        assert_int_equal(harness_remove(in.h, &in.made), WORKER_DONE);
        assert_true(is_gone(in.made.layer));
        assert_true(is_gone(in.made.runtime));
        assert_true(trash_is_emptied(in.h));
        /* Again: nothing is there, and that is fine. */
        assert_int_equal(harness_remove(in.h, &in.made), WORKER_DONE);
        plan_free(in.plan);
}

/* Deeper than the kernel lets a path be, and than descriptors or a stack would last. */
static void test_deletes_deep_trees(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_string_equal(ask(&in, "deep 1000"), "ok");
        assert_string_equal(ask(&in, "write /d/d/d/x"), "ok");
        inside_leave(&in);
        assert_true(trash_is_emptied(*state));
}

static void test_deletes_what_an_earlier_life_left(void **state)
{
        char path[256];
        Harness h;

        SKIP_UNLESS_ROOT(state);
        assert_int_equal(harness_make(&h), 0);
        (void)snprintf(path, sizeof(path), "%s/containers/.trash/old/deep/er", h.state);
        assert_int_equal(io_mkdir_parents(path, 0700), 0);
        assert_int_equal(
                harness_launch(&h, getenv("WARDEN_TEST_WORKER"), getenv("WARDEN_TEST_INIT")), 0);
        assert_true(trash_is_emptied(&h));
        assert_int_equal(harness_stop(&h), 0);
}

static void test_refuses_other_directories(void **state)
{
        Made made = MADE_INIT;

        SKIP_UNLESS_ROOT(state);
        (void)snprintf(made.layer, sizeof(made.layer), "/tmp");
        (void)snprintf(made.runtime, sizeof(made.runtime), "%s", ((Harness *)*state)->root);
        assert_int_equal(harness_remove(*state, &made), WORKER_FAILED);
        assert_false(is_gone(((Harness *)*state)->root));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "frees names at once and is content with nothing", test_frees_names_at_once },
                { "deletes deep trees", test_deletes_deep_trees },
                { "deletes what an earlier life left", test_deletes_what_an_earlier_life_left },
                { "refuses directories that are no container's", test_refuses_other_directories },
        };

        return cmocka_run_group_tests_name("worker/remove", tests, harness_setup, harness_teardown);
}
