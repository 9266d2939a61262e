/* SPDX-License-Identifier: LGPL-2.1-or-later */

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

#include "basic/fd.h"
#include "basic/io.h"
#include "cgroup/cgroup.h"

#define UNIT "warden-0123456789a.scope"

static void assert_cut(const char *path, const char *expected)
{
        char buffer[256];

        (void)snprintf(buffer, sizeof(buffer), "%s", path);
        assert_int_equal(cgroup_cut(buffer, UNIT), expected ? 0 : -ENODATA);
        assert_string_equal(buffer, expected ? expected : path);
}

static void test_keeps_scope(void **state)
{
        assert_cut("/warden.slice/" UNIT, "/warden.slice/" UNIT);
}

static void test_cuts_below(void **state)
{
        assert_cut("/warden.slice/" UNIT "/payload/x", "/warden.slice/" UNIT);
        assert_cut("/warden.slice/" UNIT "/bad\xff\xfe", "/warden.slice/" UNIT);
        assert_cut("/warden.slice/" UNIT "/" UNIT, "/warden.slice/" UNIT);
}

static void test_wants_whole_component(void **state)
{
        assert_cut("/warden.slice/x" UNIT, NULL);
        assert_cut("/warden.slice/" UNIT "x", NULL);
        assert_cut("/warden.slice/x" UNIT "/" UNIT "/y", "/warden.slice/x" UNIT "/" UNIT);
        assert_cut("/system.slice/other.service", NULL);
        assert_cut("/", NULL);
        assert_cut("", NULL);
        assert_cut(UNIT, NULL);
}

static void test_find(void **state)
{
        _drop_(drop_free) char *cgroup = NULL;

        assert_int_equal(cgroup_find(cgroup_mode(), (uint32_t)getpid(), NULL, &cgroup), 0);
        assert_int_equal(cgroup[0], '/');
        assert_null(strchr(cgroup, '\n'));
        assert_int_equal(cgroup_find(cgroup_mode(), 0, NULL, &cgroup), -ENOENT);
}

static void assert_parsed_in(CgroupMode mode, const char *text, const char *expected)
{
        _drop_(drop_free) char *cgroup = NULL;
        int r = cgroup_parse(mode, text, &cgroup);

        assert_int_equal(r, expected ? 0 : -ENODATA);
        if (expected)
                assert_string_equal(cgroup, expected);
}

static void assert_parsed(const char *text, const char *expected)
{
        assert_parsed_in(CGROUP_HYBRID, text, expected);
        assert_parsed_in(CGROUP_LEGACY, text, expected);
}

static void test_foreign_hierarchies(void **state)
{
        assert_parsed_in(CGROUP_UNIFIED, "4:memory:/m\n1:name=systemd:/s\n0::/u\n", "/u");
        assert_parsed_in(CGROUP_UNIFIED, "0::/u\n1:name=systemd:/s\n", "/u");
        assert_parsed_in(CGROUP_UNIFIED, "1:name=systemd:/s\n", NULL);
}

static void test_hierarchies(void **state)
{
        assert_parsed("0::/warden.slice/a.scope\n", "/warden.slice/a.scope");
        assert_parsed("4:memory:/m\n1:name=systemd:/s\n", "/s");
        assert_parsed("4:memory:/m\n1:name=systemd:/s\n0::/u\n", "/s");
        assert_parsed("0::/u\n1:name=systemd:/s", "/s");
        assert_parsed("4:memory:/m\n", NULL);
        assert_parsed("", NULL);
}

static void test_hostile_group(void **state)
{
        assert_parsed("0::/a.scope/x:name=systemd:/b.scope\n", "/a.scope/x:name=systemd:/b.scope");
        assert_parsed("4:memory:/a.scope/x:name=systemd:/b.scope\n1:name=systemd:/a.scope\n",
                      "/a.scope");
        assert_parsed("4:memory:/a.scope/0::/b.scope\n0::/a.scope\n", "/a.scope");
}

static void test_mode(void **state)
{
        CgroupMode mode = cgroup_mode();

        assert_in_range(mode, 0, _CGROUP_MODE_MAX - 1);
        for (int i = 0; i < _CGROUP_MODE_MAX; i++)
                assert_int_equal(cgroup_mode_from_string(cgroup_mode_to_string((CgroupMode)i)), i);
        assert_int_equal(cgroup_mode_from_string("v2"), _CGROUP_MODE_INVALID);
        assert_null(cgroup_mode_to_string(_CGROUP_MODE_MAX));
        assert_null(cgroup_mode_to_string(_CGROUP_MODE_INVALID));
}

/* We run in no unit of that name. */
static void test_stranger(void **state)
{
        char *group = NULL;

        assert_int_equal(cgroup_find(cgroup_mode(), (uint32_t)getpid(), UNIT, &group), -ENODATA);
        assert_null(group);
}

/* A tree like that of /sys/fs/cgroup. */
typedef struct Tree {
        char path[64];
        int fd;
} Tree;

static int setup(void **state)
{
        static const char *const directories[] = {
                "memory",
                "memory/a.slice",
                "memory/a.slice/b.scope",
                "cpu,cpuacct",
                "cpu,cpuacct/a.slice",
                "systemd",
                "systemd/a.slice",
                "unified",
                "unified/a.slice",
                "blkio",
                "blkio/a.slice",
                "a.slice",
        };
        Tree *tree = calloc(1, sizeof(*tree));

        if (!tree)
                return -1;
        (void)snprintf(tree->path, sizeof(tree->path), "/tmp/warden-cgroup-XXXXXX");
        if (!mkdtemp(tree->path))
                return -1;
        tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(tree->fd, directories[i], 0700) < 0)
                        return -1;
        *state = tree;
        return symlinkat("cpu,cpuacct", tree->fd, "cpu");
}

static int teardown(void **state)
{
        Tree *tree = *state;

        (void)io_remove_tree(AT_FDCWD, tree->path);
        fd_close(tree->fd);
        free(tree);
        return 0;
}

static void make_file(const Tree *tree, const char *path, const char *text)
{
        int fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
        fd_close(fd);
}

static void assert_opens(const Tree *tree, CgroupMode mode, const char *controller,
                         const char *group, const char *expected)
{
        _drop_(drop_fd) int fd = -EBADF;
        struct stat a, b;

        assert_int_equal(cgroup_open_below(tree->path, mode, controller, group, &fd), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(fstatat(tree->fd, expected, &b, 0), 0);
        assert_int_equal(a.st_ino, b.st_ino);
}

static void test_open(void **state)
{
        const Tree *tree = *state;

        assert_opens(tree, CGROUP_LEGACY, "memory", "/a.slice/b.scope", "memory/a.slice/b.scope");
        assert_opens(tree, CGROUP_HYBRID, "memory", "/a.slice", "memory/a.slice");
        assert_opens(tree, CGROUP_LEGACY, "cpu", "/a.slice", "cpu,cpuacct/a.slice");
        assert_opens(tree, CGROUP_LEGACY, "io", "/a.slice", "blkio/a.slice");
        assert_opens(tree, CGROUP_LEGACY, "", "/a.slice", "systemd/a.slice");
        assert_opens(tree, CGROUP_HYBRID, "", "/a.slice", "unified/a.slice");
        assert_opens(tree, CGROUP_HYBRID, "", "/", "unified");
        assert_opens(tree, CGROUP_UNIFIED, "", "/a.slice", "a.slice");
        assert_opens(tree, CGROUP_UNIFIED, "cpu", "/a.slice", "a.slice");
}

static void test_open_fails(void **state)
{
        const Tree *tree = *state;
        int fd = -EBADF;

        assert_int_equal(
                cgroup_open_below(tree->path, CGROUP_LEGACY, "memory", "/a.slice/c.scope", &fd),
                -ENOENT);
        assert_int_equal(cgroup_open_below(tree->path, CGROUP_LEGACY, "pids", "/a.slice", &fd),
                         -EOPNOTSUPP);
        assert_int_equal(cgroup_open_below(tree->path, CGROUP_LEGACY, "memory", "a.slice", &fd),
                         -EINVAL);
        assert_int_equal(cgroup_open_below(tree->path, CGROUP_LEGACY, "memory", "/../cpu", &fd),
                         -EINVAL);
        assert_int_equal(cgroup_open_below(tree->path, CGROUP_LEGACY, "memory", "/..", &fd),
                         -EINVAL);
        assert_int_equal(cgroup_open_below(tree->path, CGROUP_LEGACY, "..", "/a.slice", &fd),
                         -EINVAL);
        assert_int_equal(fd, -EBADF);
}

static void test_controller_is_off(void **state)
{
        const Tree *tree = *state;
        int fd = -EBADF;

        assert_int_equal(cgroup_open_below(tree->path, CGROUP_UNIFIED, "memory", "/a.slice", &fd),
                         -EOPNOTSUPP);
        make_file(tree, "a.slice/memory.current", "0\n");
        assert_opens(tree, CGROUP_UNIFIED, "memory", "/a.slice", "a.slice");
}

static void assert_number(const Tree *tree, const char *text, int expected, uint64_t number)
{
        uint64_t n = 42;

        make_file(tree, "number", text);
        assert_int_equal(cgroup_read_u64(tree->fd, "number", &n), expected);
        assert_true(n == (expected < 0 ? 42 : number));
}

static void test_number(void **state)
{
        const Tree *tree = *state;
        uint64_t n;

        assert_number(tree, "0\n", 0, 0);
        assert_number(tree, "4096\n", 0, 4096);
        assert_number(tree, "18446744073709551615\n", 0, UINT64_MAX);
        assert_number(tree, "max\n", 0, UINT64_MAX);
        assert_number(tree, "", -EBADMSG, 0);
        assert_number(tree, "maximum\n", -EBADMSG, 0);
        assert_number(tree, "-1\n", -EBADMSG, 0);
        assert_number(tree, "18446744073709551616\n", -EBADMSG, 0);
        assert_number(tree, "anon 0123456789012345678901234567890123456789012345678901234567890\n",
                      -EBADMSG, 0);
        assert_int_equal(cgroup_read_u64(tree->fd, "none", &n), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "keeps the path of a scope", test_keeps_scope, NULL, NULL, NULL },
                { "cuts what the container named", test_cuts_below, NULL, NULL, NULL },
                { "takes whole components only", test_wants_whole_component, NULL, NULL, NULL },
                { "reads one control group", test_find, NULL, NULL, NULL },
                { "leaves v1 hierarchies aside that a host of v2 has", test_foreign_hierarchies },
                { "knows systemd's hierarchy from others", test_hierarchies, NULL, NULL, NULL },
                { "is not misled by the name of a group", test_hostile_group, NULL, NULL, NULL },
                { "does not take another unit's process", test_stranger, NULL, NULL, NULL },
                { "knows one of three modes", test_mode, NULL, NULL, NULL },
                { "opens a group in the hierarchy that has the controller", test_open, setup,
                  teardown, NULL },
                { "tells a missing group from a missing controller", test_open_fails, setup,
                  teardown, NULL },
                { "sees on v2 whether the group has the controller", test_controller_is_off, setup,
                  teardown, NULL },
                { "reads a number, and max as the largest", test_number, setup, teardown, NULL },
        };

        return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
