/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "shell/container-find.h"

typedef struct Fixture {
        char path[64];
        int containers_fd;
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));
        int fd;

        assert_non_null(f);
        (void)snprintf(f->path, sizeof(f->path), "/tmp/test-container-find.XXXXXX");
        assert_non_null(mkdtemp(f->path));
        fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->containers_fd = io_mkdir_open(fd, "containers", 0700);
        assert_true(f->containers_fd >= 0);
        fd_close(fd);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        fd_close(f->containers_fd);
        assert_int_equal(io_remove_tree(AT_FDCWD, f->path), 0);
        free(f);
        return 0;
}

static void save(const Fixture *f, const char *id, const char *name, ContainerState state,
                 uint64_t created_usec)
{
        _drop_(drop_container_record) ContainerRecord *record = container_record_new();
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        int fd;

        record->id = strdup(id);
        record->spec->name = strdup(name);
        record->spec->root_directory = strdup("/srv");
        record->state = state;
        record->created_usec = created_usec;
        record->next_job = 1;
        assert_int_equal(container_record_encode(record, &w), 0);
        fd = io_mkdir_open(f->containers_fd, id, 0700);
        assert_int_equal(io_write_file_atomic(fd, "state", w.data, w.size), 0);
        fd_close(fd);
}

/* The id of what is found, or NULL. */
static char *find(const Fixture *f, const char *name)
{
        _drop_(drop_container_record) ContainerRecord *record = NULL;
        Fault fault = FAULT_INIT;
        struct stat one, other;
        int fd = -EBADF, r;

        r = container_find(f->path, name, &fd, &record, &fault);
        if (r < 0) {
                assert_int_equal(r, -ENOENT);
                assert_int_equal(fault.kind, FAULT_NO_SUCH_CONTAINER);
                assert_non_null(strstr(fault.text, name));
                return NULL;
        }
        assert_int_equal(fstat(fd, &one), 0);
        assert_int_equal(fstatat(f->containers_fd, record->id, &other, 0), 0);
        assert_true(one.st_ino == other.st_ino);
        fd_close(fd);
        return take_ptr(record->id);
}

static void check(const Fixture *f, const char *name, const char *id)
{
        _drop_(drop_free) char *found = find(f, name);

        assert_non_null(found);
        assert_string_equal(found, id);
}

static void test_by_name(void **state)
{
        const Fixture *f = *state;

        save(f, "00000000001", "web", CONTAINER_ACTIVE, 1);
        save(f, "00000000002", "db", CONTAINER_ACTIVE, 1);
        check(f, "web", "00000000001");
        check(f, "db", "00000000002");
        check(f, "00000000002", "00000000002");
        assert_null(find(f, "we"));
}

static void test_the_one_that_runs(void **state)
{
        const Fixture *f = *state;

        save(f, "00000000001", "web", CONTAINER_DESTROYING, 3);
        save(f, "00000000002", "web", CONTAINER_ACTIVE, 2);
        check(f, "web", "00000000002");
        save(f, "00000000003", "web", CONTAINER_STOPPED, 4);
        check(f, "web", "00000000002");
}

static void test_rubbish(void **state)
{
        const Fixture *f = *state;
        int fd;

        fd_close(io_mkdir_open(f->containers_fd, "00000000001", 0700));
        fd = io_mkdir_open(f->containers_fd, "00000000002", 0700);
        assert_int_equal(io_write_file_atomic(fd, "state", "rubbish", 7), 0);
        fd_close(fd);
        fd_close(io_mkdir_open(f->containers_fd, ".trash", 0700));
        save(f, "00000000003", "web", CONTAINER_STOPPED, 1);
        check(f, "web", "00000000003");
}

static void test_no_daemon_ever(void **state)
{
        const Fixture f = { .path = "/tmp/no-such-directory" };

        assert_null(find(&f, "web"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "finds by name and by id, and nothing by half", test_by_name, setup, teardown },
                { "prefers the one that runs to the one that goes", test_the_one_that_runs, setup,
                  teardown },
                { "passes over what is half-made or damaged", test_rubbish, setup, teardown },
                { "finds nothing where wardend never ran", test_no_daemon_ever },
        };

        return cmocka_run_group_tests_name("shell/container-find", tests, NULL, NULL);
}
