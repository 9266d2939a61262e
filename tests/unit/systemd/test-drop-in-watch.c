/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
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
#include <systemd/sd-event.h>

#include "systemd/drop-in-watch.h"

#define UNIT "warden-x.scope"

typedef struct Fixture {
        char directory[64]; /* "transient" is made in it by the cases */
        char transient[80];
        sd_event *event;
        DropInWatch *watch;
        int n_told;
        char unit[64]; /* the last one */
} Fixture;

static void on_drop_in(void *userdata, const char *unit)
{
        Fixture *f = userdata;

        f->n_told++;
        (void)snprintf(f->unit, sizeof(f->unit), "%s", unit);
}

static int setup(void **state)
{
        static Fixture f;

        f = (Fixture){ .n_told = 0 };
        (void)snprintf(f.directory, sizeof(f.directory), "/tmp/warden-drop-in-XXXXXX");
        assert_non_null(mkdtemp(f.directory));
        (void)snprintf(f.transient, sizeof(f.transient), "%s/transient", f.directory);
        assert_true(sd_event_new(&f.event) >= 0);
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;
        char command[96];

        drop_in_watch_free(f->watch);
        sd_event_unref(f->event);
        (void)snprintf(command, sizeof(command), "rm -r %s", f->directory);
        return system(command);
}

static void watch(Fixture *f)
{
        assert_int_equal(
                drop_in_watch_new(f->event, f->transient, "warden-", on_drop_in, f, &f->watch), 0);
}

static void make_folder(Fixture *f, const char *name)
{
        char path[160];

        (void)snprintf(path, sizeof(path), "%s/%s", f->transient, name);
        assert_int_equal(mkdir(path, 0755), 0);
}

static void write_file(Fixture *f, const char *name)
{
        char path[160];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", f->transient, name);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
}

/* All that has happened so far. Returns how often we were told. */
static int settle(Fixture *f)
{
        f->n_told = 0;
        while (sd_event_run(f->event, 0) > 0)
                ;
        return f->n_told;
}

static void test_tells(void **state)
{
        Fixture *f = *state;

        assert_int_equal(mkdir(f->transient, 0755), 0);
        watch(f);
        write_file(f, UNIT);
        assert_int_equal(settle(f), 0);
        make_folder(f, UNIT ".d");
        assert_true(settle(f) > 0);
        assert_string_equal(f->unit, UNIT);
        write_file(f, UNIT ".d/50-MemoryMax.conf");
        assert_true(settle(f) > 0);
        assert_int_equal(settle(f), 0);
}

static void test_others(void **state)
{
        Fixture *f = *state;

        assert_int_equal(mkdir(f->transient, 0755), 0);
        watch(f);
        make_folder(f, "other.scope.d");
        make_folder(f, "warden-x.service.d");
        make_folder(f, ".scope.d");
        write_file(f, "other.scope.d/50-MemoryMax.conf");
        assert_int_equal(settle(f), 0);
}

static void test_before(void **state)
{
        Fixture *f = *state;

        assert_int_equal(mkdir(f->transient, 0755), 0);
        make_folder(f, UNIT ".d");
        watch(f);
        assert_int_equal(drop_in_watch_look(f->watch, "warden-y.scope"), 0);
        assert_int_equal(drop_in_watch_look(f->watch, UNIT), 1);
        assert_int_equal(settle(f), 0);
        write_file(f, UNIT ".d/50-TasksMax.conf");
        assert_true(settle(f) > 0);
}

static void test_missing(void **state)
{
        Fixture *f = *state;

        watch(f);
        assert_int_equal(drop_in_watch_look(f->watch, UNIT), 0);
        assert_int_equal(drop_in_watch_begin(f->watch), -ENOENT);
        assert_int_equal(mkdir(f->transient, 0755), 0);
        assert_int_equal(drop_in_watch_begin(f->watch), 0);
        assert_int_equal(drop_in_watch_begin(f->watch), 0);
        make_folder(f, UNIT ".d");
        assert_true(settle(f) > 0);
}

static void test_again(void **state)
{
        Fixture *f = *state;
        char path[160];

        assert_int_equal(mkdir(f->transient, 0755), 0);
        watch(f);
        make_folder(f, UNIT ".d");
        (void)settle(f);
        (void)snprintf(path, sizeof(path), "%s/" UNIT ".d", f->transient);
        assert_int_equal(rmdir(path), 0);
        (void)settle(f);
        make_folder(f, UNIT ".d");
        assert_true(settle(f) > 0);
        write_file(f, UNIT ".d/50-TasksMax.conf");
        assert_true(settle(f) > 0);
}

#define SENTENCE(sentence, test)                      \
        {                                             \
                sentence, test, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                SENTENCE("tells of the first property and of the next", test_tells),
                SENTENCE("does not tell of units that are not ours", test_others),
                SENTENCE("watches what was changed before", test_before),
                SENTENCE("begins when the directory comes to be", test_missing),
                SENTENCE("watches a folder that is made again", test_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
