/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against folders that look like control groups, where nothing moves by itself: what is asked of
 * the kernel, when it is given up, and what is left then. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "cgroup/freezer.h"
#include "made-tree.h"

#define GROUP "/warden.slice/warden-1.scope"

static int make_top(void **state)
{
        char path[128];

        if (made_tree_setup(state, "/tmp/test-freezer-XXXXXX") < 0)
                return -1;
        (void)snprintf(path, sizeof(path), "%s/freezer", (const char *)*state);
        return mkdir(path, 0700);
}

static void assert_text(const char *top, const char *name, const char *expected)
{
        _drop_(drop_free) char *text = NULL;
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        assert_int_equal(io_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static int begins_with(const char *top, const char *name, char c)
{
        _drop_(drop_free) char *text = NULL;
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        assert_int_equal(io_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
        return text[0] == c;
}

static int is_there(const char *top, const char *name)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        return access(path, F_OK) == 0;
}

static int freeze_within(const char *top, uint64_t usec)
{
        return freezer_freeze_below(top, CGROUP_LEGACY, GROUP, io_now_monotonic_usec() + usec);
}

static int freeze_soon(const char *top)
{
        return freeze_within(top, 20 * USEC_PER_MSEC);
}

/* As after the kernel has moved all of them. */
static void put_frozen_group(const char *top)
{
        made_tree_put(top, "systemd" GROUP "/cgroup.procs", "12\n123\n");
        made_tree_put(top, "freezer" GROUP "/cgroup.procs", "123\n12\n");
        made_tree_put(top, "freezer" GROUP "/freezer.state", "THAWED");
}

static void test_freezes(void **state)
{
        put_frozen_group(*state);
        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_LEGACY, GROUP), 0);
        assert_int_equal(freeze_within(*state, 30 * USEC_PER_SEC), 0);
        assert_text(*state, "freezer" GROUP "/freezer.state", "FROZEN");
        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_LEGACY, GROUP), 1);
        assert_int_equal(freezer_thaw_below(*state, CGROUP_LEGACY, GROUP), 0);
        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_LEGACY, GROUP), 0);
}

/* 2 is no line of the freezer's list, though there is one that ends with it. */
static void test_moves(void **state)
{
        put_frozen_group(*state);
        made_tree_put(*state, "systemd" GROUP "/cgroup.procs", "12\n");
        made_tree_put(*state, "systemd" GROUP "/below/cgroup.procs", "2\n");
        /* A machine that is busy comes to nothing within a little time. */
        for (uint64_t usec = 20 * USEC_PER_MSEC; usec < 30 * USEC_PER_SEC; usec *= 4) {
                made_tree_put(*state, "freezer" GROUP "/freezer.state", "THAWED");
                assert_int_equal(freeze_within(*state, usec), -ETIMEDOUT);
                if (begins_with(*state, "freezer" GROUP "/cgroup.procs", '2'))
                        break;
        }
        /* Written over the list, since it is a file like any other here. */
        assert_text(*state, "freezer" GROUP "/cgroup.procs", "223\n12\n");
}

static void test_gives_up(void **state)
{
        put_frozen_group(*state);
        made_tree_put(*state, "systemd" GROUP "/cgroup.procs", "77\n");
        assert_int_equal(freeze_soon(*state), -ETIMEDOUT);
        assert_text(*state, "freezer" GROUP "/freezer.state", "THAWED");
}

static void test_leaves_nothing(void **state)
{
        /* No file appears in a folder that is none of the kernel's. */
        assert_int_equal(freeze_soon(*state), -ENOENT);
        assert_false(is_there(*state, "freezer/warden.slice"));
        assert_true(is_there(*state, "freezer"));
}

static void test_removes(void **state)
{
        char path[256];

        made_tree_put(*state, "freezer/warden.slice/warden-2.scope/x", "");
        made_tree_put(*state, "freezer" GROUP "/x", "");
        freezer_remove_below(*state, CGROUP_LEGACY, GROUP);
        assert_true(is_there(*state, "freezer" GROUP));
        (void)snprintf(path, sizeof(path), "%s/freezer" GROUP "/x", (char *)*state);
        assert_int_equal(unlink(path), 0);
        freezer_remove_below(*state, CGROUP_LEGACY, GROUP);
        assert_false(is_there(*state, "freezer" GROUP));
        assert_true(is_there(*state, "freezer/warden.slice/warden-2.scope"));
}

static void test_without(void **state)
{
        char path[128];

        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_LEGACY, GROUP), 0);
        assert_int_equal(freezer_thaw_below(*state, CGROUP_LEGACY, GROUP), 0);
        (void)snprintf(path, sizeof(path), "%s/freezer", (char *)*state);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_LEGACY, GROUP), 0);
        assert_int_equal(freezer_thaw_below(*state, CGROUP_LEGACY, GROUP), 0);
        assert_int_equal(freeze_soon(*state), -EOPNOTSUPP);
}

/* systemd's own file. */
static void test_unified(void **state)
{
        char group[] = GROUP;

        made_tree_put(*state, "warden.slice/warden-1.scope/cgroup.freeze", "1\n");
        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_UNIFIED, group), 1);
        made_tree_put(*state, "warden.slice/warden-1.scope/cgroup.freeze", "0\n");
        assert_int_equal(freezer_is_frozen_below(*state, CGROUP_UNIFIED, group), 0);
        made_tree_put(*state, "warden.slice/warden-1.scope/cgroup.freeze", "maybe\n");
        assert_true(freezer_is_frozen_below(*state, CGROUP_UNIFIED, group) < 0);
}

#define CASE(name, f)                                       \
        {                                                   \
                name, f, make_top, made_tree_teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("is frozen when all are in the group and stand still", test_freezes),
                CASE("moves who is not there yet, from groups below, too", test_moves),
                CASE("thaws when it gives up", test_gives_up),
                CASE("leaves no group where there is no freezer", test_leaves_nothing),
                CASE("removes what is empty, and the slices above it", test_removes),
                CASE("has nothing to thaw without a group", test_without),
                CASE("reads systemd's file on cgroup v2", test_unified),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
