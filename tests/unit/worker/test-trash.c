/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "worker/trash.h"

typedef struct Place {
        char path[64];
        int fd;
} Place;

static int place_setup(void **state)
{
        Place *place = calloc(1, sizeof(*place));

        if (!place)
                return -ENOMEM;
        (void)snprintf(place->path, sizeof(place->path), "/tmp/warden-trash-XXXXXX");
        if (!mkdtemp(place->path))
                return -errno;
        place->fd = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        *state = place;
        return place->fd < 0 ? -errno : 0;
}

static int place_teardown(void **state)
{
        Place *place = *state;
        int r = io_remove_tree(AT_FDCWD, place->path);

        fd_close(place->fd);
        free(place);
        return r;
}

/* A path in the place; lasts until the next call. */
static const char *in_place(const Place *place, const char *name)
{
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", place->path, name);
        return path;
}

static int exists(const Place *place, const char *name)
{
        return faccessat(place->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_puts_and_deletes(void **state)
{
        Place *place = *state;
        TrashEntry entry = TRASH_ENTRY_INIT;
        struct stat st;

        assert_int_equal(io_mkdir_parents(in_place(place, "one/a/b"), 0755), 0);
        assert_int_equal(mknodat(place->fd, "one/a/file", S_IFREG | 0644, 0), 0);
        assert_int_equal(mknodat(place->fd, "one/fifo", S_IFIFO | 0644, 0), 0);
        assert_int_equal(trash_put(in_place(place, "one"), &entry, NULL), 0);
        assert_false(exists(place, "one"));
        assert_int_equal(fstatat(place->fd, TRASH_NAME, &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
        assert_int_equal(strncmp(entry.name, "one-", 4), 0);
        assert_int_equal(faccessat(entry.trash_fd, entry.name, F_OK, 0), 0);
        assert_int_equal(trash_delete(&entry), 0);
        assert_int_equal(faccessat(entry.trash_fd, entry.name, F_OK, 0), -1);
        trash_entry_done(&entry);
        assert_int_equal(entry.trash_fd, -EBADF);
}

static void test_is_content_with_nothing(void **state)
{
        Place *place = *state;
        TrashEntry entry = TRASH_ENTRY_INIT;

        assert_int_equal(trash_put(in_place(place, "missing"), &entry, NULL), 0);
        assert_int_equal(entry.trash_fd, -EBADF);
        assert_int_equal(trash_delete(&entry), 0);
        assert_int_equal(trash_put(in_place(place, "no/such/parent"), &entry, NULL), 0);
        assert_int_equal(entry.trash_fd, -EBADF);
        assert_false(exists(place, TRASH_NAME));
        assert_int_equal(trash_empty(place->path), 0);
        assert_int_equal(trash_empty(in_place(place, "missing")), 0);
}

static void test_takes_one_name_many_times(void **state)
{
        Place *place = *state;

        for (int i = 0; i < 10; i++) {
                TrashEntry entry = TRASH_ENTRY_INIT;

                assert_int_equal(mkdirat(place->fd, "same", 0755), 0);
                assert_int_equal(trash_put(in_place(place, "same"), &entry, NULL), 0);
                trash_entry_done(&entry);
        }
        assert_int_equal(trash_empty(place->path), 0);
        assert_int_equal(unlinkat(place->fd, TRASH_NAME, AT_REMOVEDIR), 0);
}

static void test_refuses_what_has_no_name(void **state)
{
        static const char *const paths[] = { "/", "/top", "relative", "", "/trailing/" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                TrashEntry entry = TRASH_ENTRY_INIT;
                Fault fault = FAULT_INIT;

                assert_int_equal(trash_put(paths[i], &entry, &fault), -EINVAL);
                assert_int_equal(fault.kind, FAULT_INVALID);
        }
}

static void test_follows_no_link(void **state)
{
        Place *place = *state;
        TrashEntry entry = TRASH_ENTRY_INIT;

        assert_int_equal(io_mkdir_parents(in_place(place, "victim/kept"), 0755), 0);
        assert_int_equal(io_mkdir_parents(in_place(place, "evil"), 0755), 0);
        assert_int_equal(symlinkat("../../victim", place->fd, "evil/link"), 0);
        assert_int_equal(symlinkat("/tmp", place->fd, "evil/tmp"), 0);
        assert_int_equal(symlinkat("victim", place->fd, "link"), 0);
        assert_int_equal(trash_put(in_place(place, "evil"), &entry, NULL), 0);
        assert_int_equal(trash_delete(&entry), 0);
        trash_entry_done(&entry);
        /* The link itself is what is put away. */
        assert_int_equal(trash_put(in_place(place, "link"), &entry, NULL), 0);
        assert_int_equal(trash_delete(&entry), 0);
        trash_entry_done(&entry);
        assert_true(exists(place, "victim/kept"));
        assert_false(exists(place, "link"));
}

/* As a container can make them: deeper than a path, the descriptors or the stack would reach, and
 * with more of it on the way down. */
static void make_deep(int dir_fd, unsigned depth)
{
        int fd = fd_dup(dir_fd);

        for (unsigned i = 0; i < depth; i++) {
                int next = io_mkdir_open(fd, "d", 0755);

                assert_true(next >= 0);
                if (i % 50 == 0)
                        assert_int_equal(mkdirat(next, "side", 0755), 0);
                if (i % 70 == 0)
                        assert_int_equal(mknodat(next, "file", S_IFREG | 0600, 0), 0);
                fd_close(fd);
                fd = next;
        }
        fd_close(fd);
}

static void test_deletes_any_depth(void **state)
{
        Place *place = *state;
        TrashEntry entry = TRASH_ENTRY_INIT;
        int fd;

        fd = io_mkdir_open(place->fd, "deep", 0755);
        make_deep(fd, 3000);
        fd_close(fd);
        assert_int_equal(trash_put(in_place(place, "deep"), &entry, NULL), 0);
        assert_int_equal(trash_delete(&entry), 0);
        assert_int_equal(unlinkat(place->fd, TRASH_NAME, AT_REMOVEDIR), 0);
        trash_entry_done(&entry);
}

static void test_empties_what_was_left(void **state)
{
        Place *place = *state;
        char path[64];

        for (int i = 0; i < 20; i++) {
                (void)snprintf(path, sizeof(path), TRASH_NAME "/left-%d/x/y", i);
                assert_int_equal(io_mkdir_parents(in_place(place, path), 0755), 0);
        }
        assert_int_equal(mknodat(place->fd, TRASH_NAME "/file", S_IFREG | 0600, 0), 0);
        assert_int_equal(trash_empty(place->path), 0);
        assert_int_equal(unlinkat(place->fd, TRASH_NAME, AT_REMOVEDIR), 0);
}

/* Whoever may write beside the containers could lead us elsewhere. */
static void test_empties_no_link(void **state)
{
        Place *place = *state;

        assert_int_equal(io_mkdir_parents(in_place(place, "precious/kept"), 0755), 0);
        assert_int_equal(symlinkat("precious", place->fd, TRASH_NAME), 0);
        assert_int_not_equal(trash_empty(place->path), 0);
        assert_true(exists(place, "precious/kept"));
}

int main(void)
{
        struct CMUnitTest tests[] = {
                { "puts away and deletes", test_puts_and_deletes },
                { "is content with nothing", test_is_content_with_nothing },
                { "takes one name many times", test_takes_one_name_many_times },
                { "refuses what has no name or no parent", test_refuses_what_has_no_name },
                { "follows no link", test_follows_no_link },
                { "deletes trees of any depth", test_deletes_any_depth },
                { "empties what was left", test_empties_what_was_left },
                { "empties no link in the place of the trash", test_empties_no_link },
        };

        for (size_t i = 0; i < ELEMENTSOF(tests); i++) {
                tests[i].setup_func = place_setup;
                tests[i].teardown_func = place_teardown;
        }
        return cmocka_run_group_tests_name("worker/trash", tests, NULL, NULL);
}
