/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One wrong thing in a call that is right otherwise: it is refused with the error that the table
 * says, the text names the field, and nothing is left. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "harness.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"

typedef struct Bad {
        const char *key, *types;
        const char *s[3];
        uint64_t n[2];
        const char *error; /* behind ERROR; NULL: InvalidSpec */
        const char *text;  /* in the message, beside the key */
} Bad;

static const Bad bad_creates[] = {
        { "Name", "s", { "" } },
        { "Name", "s", { "../x" } },
        { "Name", "s", { "a/b" } },
        { "Name", "s", { "-a" } },
        { "Name", "s", { "with space" } },
        { "Name", "s", { "0123456789012345678901234567890123456789012345678901234567890123" } },
        { "Name", "i", { NULL }, { 5 }, NULL, "expected a value of type s, got i" },
        { "RootDirectory", "s", { "" } },
        { "RootDirectory", "s", { "relative" }, { 0 }, NULL, "relative" },
        { "RootDirectory", "s", { "/a/../b" } },
        { "ReadOnly", "s", { "yes" }, { 0 }, NULL, "expected a value of type b, got s" },
        { "Labels", "as", { "a=b" }, { 0 }, NULL, "expected a value of type a{ss}, got as" },
        { "Labels", "a{ss}", { "", "b" } },
        { "Labels", "a{ss}", { "a=b", "c" } },
        { "Environment", "as", { "NOTANASSIGNMENT" } },
        { "Environment", "as", { "=x" } },
        { "Environment", "s", { "A=B" } },
        { "Hostname", "s", { "under_score" } },
        { "Hostname", "s", { "" } },
        { "PrivateUsers", "s", { "yes" } },
        { "PrivateUsers", "s", { "0:65536" } },
        { "PrivateUsers", "s", { "4294967290:65536" } },
        { "PrivateUsers", "s", { "100000:" } },
        { "PrivateUsers", "b", { NULL }, { 1 } },
        { "Network", "s", { "bridge" }, { 0 }, NULL, "'private', 'host', 'none'" },
        { "BindMounts", "a(sss)", { "relative", "/x", "" } },
        { "BindMounts", "a(sss)", { "/x", "relative", "" } },
        { "BindMounts", "a(sss)", { "/x", "/y", "sideways" }, { 0 }, NULL, "sideways" },
        { "TemporaryFileSystem", "as", { "tmp" } },
        { "TemporaryFileSystem", "as", { "/tmp:size=lots" } },
        { "GraceUSec", "s", { "10s" } },
        { "MemoryMax", "t", { NULL }, { 1 } },
        { "MemoryMax", "s", { "1G" } },
        { "MemoryMax", "u", { NULL }, { 1 << 30 } },
        { "CPUWeight", "t", { NULL }, { 0 } },
        { "CPUWeight", "t", { NULL }, { 10001 } },
        { "CPUQuotaPerSecUSec", "t", { NULL }, { 0 } },
        { "TasksMax", "t", { NULL }, { 0 } },
        { "IOWeight", "t", { NULL }, { 10001 } },
        { "Command", "as", { "/bin/true" }, { 0 }, "NotSupported", "not supported" },
        { "Address", "s", { "10.0.0.1" }, { 0 }, NULL, "there is no pool" },
        { "OOMPolicy", "s", { "panic" }, { 0 }, NULL, "'stop', 'kill' or 'continue'" },
        { "OOMPolicy", "u", { NULL }, { 1 } },
        { "MemoryPressureThresholdUSec", "t", { NULL }, { 999 }, NULL, "from 1000 (1 ms)" },
        { "MemoryPressureThresholdUSec", "t", { NULL }, { 1000001 }, NULL, "to 1000000 (1 s)" },
        { "MemoryPressureThresholdUSec", "t", { NULL }, { UINT64_MAX }, NULL, "to 1000000 (1 s)" },
        { "MemoryPressureThresholdUSec", "s", { "150ms" } },
        { "DiskMax", "t", { NULL }, { 1000 }, NULL, "1048576" },
        { "DiskMax", "s", { "1G" } },
        { "DiskInodesMax", "t", { NULL }, { 15 }, NULL, "16" },
        { "Storage", "s", { "disk" }, { 0 }, NULL, "'directory', 'loop' or 'tmpfs'" },
        { "Storage", "s", { "loop" }, { 0 }, NULL, "needs DiskMax" },
        { "Storage", "b", { NULL }, { 1 } },
        { "MemoryMaxx", "t", { NULL }, { 1 << 30 }, NULL, "did you mean MemoryMax?" },
        { "memorymax", "t", { NULL }, { 1 << 30 }, NULL, "did you mean MemoryMax?" },
        { "Rootdir", "s", { "/" }, { 0 }, NULL, "there is no such key" },
        { "Colour", "s", { "red" }, { 0 }, NULL, "there is no such key" },
        { "", "s", { "red" }, { 0 }, NULL, "there is no such key" },
};

static const Bad bad_spawns[] = {
        { "User", "s", { "" } },
        { "User", "u", { NULL }, { 1000 }, NULL, "expected a value of type s, got u" },
        { "WorkingDirectory", "s", { "tmp" } },
        { "Environment", "as", { "X" } },
        { "TTY", "i", { NULL }, { 1 } },
        { "TTYSize", "(qq)", { NULL }, { 0, 80 }, NULL, "1 to 65535" },
        { "TTYSize", "(qq)", { NULL }, { 24, 80 }, NULL, "only for a TTY" },
        { "Stdin", "i", { NULL }, { 0 }, NULL, "expected a value of type h, got i" },
        { "Rlimits", "a{s(tt)}", { "FILES" }, { 1, 1 }, NULL, "FILES" },
        { "Rlimits", "a{s(tt)}", { "NOFILE" }, { 2, 1 } },
        { "UMask", "u", { NULL }, { 01000 }, NULL, "0777" },
        { "Nice", "i", { NULL }, { 20 }, NULL, "-20 to 19" },
        { "Nice", "i", { NULL }, { INT32_MAX }, NULL, "-20 to 19" },
        { "Log", "s", { "file" }, { 0 }, NULL, "'ring', 'journal', 'both' or 'none'" },
        { "RingBytes", "t", { NULL }, { 0 }, NULL, "less than 4096" },
        { "RingBytes", "t", { NULL }, { 4095 }, NULL, "less than 4096" },
        { "RingBytes", "t", { NULL }, { UINT64_MAX }, NULL, "RingBytesMax" },
        { "RingBytes", "u", { NULL }, { 65536 } },
        { "Backpressure", "s", { "yes" } },
        { "OpenStdin", "i", { NULL }, { 1 } },
        { "Users", "s", { "root" }, { 0 }, NULL, "did you mean User?" },
        { "WorkDirectory", "s", { "/" }, { 0 }, NULL, "did you mean WorkingDirectory?" },
};

static int append_value(sd_bus_message *m, const Bad *bad)
{
        const char *t = bad->types;

        if (strcmp(t, "s") == 0)
                return sd_bus_message_append(m, t, bad->s[0]);
        if (strcmp(t, "as") == 0)
                return sd_bus_message_append(m, t, 1, bad->s[0]);
        if (strcmp(t, "a{ss}") == 0)
                return sd_bus_message_append(m, t, 1, bad->s[0], bad->s[1]);
        if (strcmp(t, "a(sss)") == 0)
                return sd_bus_message_append(m, t, 1, bad->s[0], bad->s[1], bad->s[2]);
        if (strcmp(t, "(qq)") == 0)
                return sd_bus_message_append(m, t, (int)bad->n[0], (int)bad->n[1]);
        if (strcmp(t, "a{s(tt)}") == 0)
                return sd_bus_message_append(m, t, 1, bad->s[0], bad->n[0], bad->n[1]);
        if (strcmp(t, "t") == 0)
                return sd_bus_message_append(m, t, bad->n[0]);
        return sd_bus_message_append(m, t, (int)bad->n[0]);
}

static void append_entry(sd_bus_message *m, const Bad *bad)
{
        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append(m, "s", bad->key) >= 0);
        assert_true(sd_bus_message_open_container(m, 'v', bad->types) >= 0);
        assert_true(append_value(m, bad) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
}

/* What is right: a name and a root, or a command; less what the bad entry is about. */
static void append_good(sd_bus_message *m, const Bad *bad)
{
        static const Bad good[] = {
                { "Name", "s", { "good" } },
                { "RootDirectory", "s", { "/" } },
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (strcmp(good[i].key, bad->key) != 0)
                        append_entry(m, &good[i]);
}

static void assert_refused(Harness *h, const Bad *bad, int is_create)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char name[128];

        assert_true(sd_bus_message_new_method_call(
                            h->bus, &m, "org.warden.Warden1", is_create ? WARDEN_PATH : ONE,
                            is_create ? MANAGER : CONTAINER,
                            is_create ? "CreateContainer" : "SpawnJob") >= 0);
        if (!is_create)
                assert_true(sd_bus_message_append(m, "as", 1, "/bin/true") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        if (is_create)
                append_good(m, bad);
        append_entry(m, bad);
        assert_true(sd_bus_message_close_container(m) >= 0);

        if (sd_bus_call(h->bus, m, 0, &error, NULL) >= 0)
                fail_msg("%s was taken as %s '%s' %llu", bad->key, bad->types,
                         bad->s[0] ? bad->s[0] : "", (unsigned long long)bad->n[0]);
        (void)snprintf(name, sizeof(name), ERROR "%s", bad->error ? bad->error : "InvalidSpec");
        if (strcmp(error.name, name) != 0 || !strstr(error.message, bad->key) ||
            (bad->text && !strstr(error.message, bad->text)))
                fail_msg("%s %s: got %s: %s", bad->key, bad->types, error.name, error.message);
}

static void test_creates(void **state)
{
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(bad_creates); i++)
                assert_refused(h, &bad_creates[i], 1);
        assert_int_equal(harness_count_state(h), 0);
        assert_false(harness_systemd_was_asked(h, "StartTransientUnit"));
}

static void test_spawns(void **state)
{
        Harness *h = *state;
        char *jobs;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad_spawns); i++)
                assert_refused(h, &bad_spawns[i], 0);
        /* Numbers are given to jobs that were tried; none is shown. */
        jobs = harness_get_string(h, ONE "/job/1", JOB, "State");
        assert_string_equal(jobs, "");
        free(jobs);
}

static void assert_error(Harness *h, int r, const sd_bus_error *error, const char *name,
                         const char *text)
{
        assert_true(r < 0);
        if (strcmp(error->name, name) != 0 || !strstr(error->message, text))
                fail_msg("got %s: %s", error->name, error->message);
}

static void test_twice(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        int r;

        r = harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3, "Name", "s",
                         "one", "RootDirectory", "s", "/", "Name", "s", "two");
        assert_error(h, r, &error, ERROR "InvalidSpec", "Name: given twice");
        assert_int_equal(harness_count_state(h), 0);
}

static void test_missing(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        int r;

        r = harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 0);
        assert_error(h, r, &error, ERROR "InvalidSpec", "RootDirectory");
        sd_bus_error_free(&error);
        assert_int_equal(harness_create(h, "one", NULL), 0);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 0, 0);
        assert_error(h, r, &error, ERROR "InvalidSpec", "rgv");
}

static void test_together(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        int r;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, "/bin/true", 2,
                         "TTY", "b", 1, "Stdout", "h", 1);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Stdout");
        sd_bus_error_free(&error);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, "/bin/true", 2,
                         "DiscardOutput", "b", 1, "Stderr", "h", 1);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Stderr");
        sd_bus_error_free(&error);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, "/bin/true", 2,
                         "OpenStdin", "b", 1, "Stdin", "h", 0);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Stdin: contradicts OpenStdin");
        sd_bus_error_free(&error);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, "/bin/true", 2,
                         "DiscardOutput", "b", 1, "Log", "s", "journal");
        assert_error(h, r, &error, ERROR "InvalidSpec", "Log: contradicts DiscardOutput");
        sd_bus_error_free(&error);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, "/bin/true", 2,
                         "Log", "s", "none", "RingBytes", "t", UINT64_C(65536));
        assert_error(h, r, &error, ERROR "InvalidSpec", "RingBytes");
        sd_bus_error_free(&error);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, "/bin/true", 1,
                         "Rlimits", "a{s(tt)}", 2, "NOFILE", UINT64_C(1), UINT64_C(1),
                         "LimitNOFILE", UINT64_C(1), UINT64_C(1));
        assert_error(h, r, &error, ERROR "InvalidSpec", "NOFILE is given twice");
}

/* An array that has a few strings too many, and one string that is too long. */
static void test_too_much(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _drop_(drop_free) char *text = calloc(1, 200000);
        Harness *h = *state;
        int r;

        assert_non_null(text);
        memset(text, 'x', 199999);
        text[1] = '=';
        r = harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 2,
                         "RootDirectory", "s", "/", "Environment", "as", 1, text);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Environment");
        sd_bus_error_free(&error);

        assert_true(sd_bus_message_new_method_call(h->bus, &m, "org.warden.Warden1", WARDEN_PATH,
                                                   MANAGER, "CreateContainer") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append(m, "s", "Environment") >= 0);
        assert_true(sd_bus_message_open_container(m, 'v', "as") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
        for (int i = 0; i < 20000; i++)
                assert_true(sd_bus_message_append(m, "s", "A=B") >= 0);
        for (int i = 0; i < 4; i++)
                assert_true(sd_bus_message_close_container(m) >= 0);
        r = sd_bus_call(h->bus, m, 0, &error, NULL);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Environment");
}

static void test_arguments(void **state)
{
        static const struct {
                const char *object, *interface, *method, *types;
                int value;
        } rows[] = {
                { ONE, CONTAINER, "Kill", "i", 0 },
                { ONE, CONTAINER, "Kill", "i", 65 },
                { ONE, CONTAINER, "Kill", "i", -9 },
                { ONE "/job/1", JOB, "Kill", "i", 0 },
        };
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        assert_int_equal(harness_spawn(h, "one", "exec sleep 1000", &job, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                int r = harness_call(h, rows[i].object, rows[i].interface, rows[i].method, &error,
                                     NULL, rows[i].types, rows[i].value);

                assert_error(h, r, &error, ERROR "InvalidSpec", "Signal");
        }
}

static void test_options(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int r;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        assert_int_equal(harness_spawn(h, "one", "exec sleep 1000", &job, NULL), 0);
        r = harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 1, "KillUsec", "t",
                         UINT64_C(5));
        assert_error(h, r, &error, ERROR "InvalidSpec", "did you mean KillUSec?");
        sd_bus_error_free(&error);
        r = harness_call(h, ONE, CONTAINER, "Stop", &error, NULL, "a{sv}", 1, "Background", "s",
                         "no");
        assert_error(h, r, &error, ERROR "InvalidSpec", "Background");
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "Attach", &error, NULL, "a{sv}", 1, "Follow", "b", 1);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Follow");
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "Attach", &error, NULL, "a{sv}", 1, "Stdout", "i", 1);
        assert_error(h, r, &error, ERROR "InvalidSpec", "Stdout");
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "Attach", &error, NULL, "a{sv}", 1, "Stdin", "b", 1);
        assert_error(h, r, &error, ERROR "BadState", "OpenStdin");
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "Attach", &error, NULL, "a{sv}", 3, "Stdin", "b", 0, "Stdout",
                         "b", 0, "Stderr", "b", 0);
        assert_error(h, r, &error, ERROR "InvalidSpec", "no stream");
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "Attach", &error, NULL, "a{sv}", 2, "FromNow", "b", 1,
                         "StdoutPosition", "t", UINT64_C(1));
        assert_error(h, r, &error, ERROR "InvalidSpec", "FromNow");
}

static void test_sizes(void **state)
{
        static const struct {
                int rows, columns;
        } sizes[] = { { 0, 80 }, { 24, 0 }, { 0, 0 } };
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        int r;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        assert_int_equal(harness_spawn(h, "one", "exec sleep 1000", &job, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                r = harness_call(h, job, JOB, "SetTTYSize", &error, NULL, "qq", sizes[i].rows,
                                 sizes[i].columns);
                assert_error(h, r, &error, ERROR "InvalidSpec", "rows");
                sd_bus_error_free(&error);
        }
        /* 65536 by 1 and -1 by 80 have no spelling in "qq"; in another type they are no size. */
        r = harness_call(h, job, JOB, "SetTTYSize", &error, NULL, "uu", 65536, 1);
        assert_true(r < 0);
        assert_string_equal(error.name, SD_BUS_ERROR_INVALID_ARGS);
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "SetTTYSize", &error, NULL, "ii", -1, 80);
        assert_true(r < 0);
        sd_bus_error_free(&error);
        r = harness_call(h, job, JOB, "SetTTYSize", &error, NULL, "qq", 24, 80);
        assert_error(h, r, &error, ERROR "BadState", "no terminal");
}

/* A client that never reads its answers may have so many calls waiting and no more. */
static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        unsigned *n_refused = userdata;

        if (e && sd_bus_error_has_name(e, ERROR "LimitReached") && strstr(e->message, "wait"))
                (*n_refused)++;
        return 0;
}

#define BOUND 4096

static void assert_works_for_another(void)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *other = NULL;

        assert_true(sd_bus_open_system(&other) >= 0);
        if (sd_bus_call_method(other, "org.warden.Warden1", WARDEN_PATH, MANAGER, "CreateContainer",
                               &error, NULL, "a{sv}", 2, "Name", "s", "two", "RootDirectory", "s",
                               "/") < 0)
                fail_msg("%s: %s", error.name, error.message);
        sd_bus_flush_close_unref(other);
}

static int has_refusal(void *userdata)
{
        return *(unsigned *)userdata > 0;
}

static void test_bounds_calls(void **state)
{
        unsigned n_refused = 0;
        Harness *h = *state;

        assert_int_equal(harness_create(h, "one", NULL), 0);
        harness_set_worker(h, "hang-remove");
        for (unsigned i = 0; i <= BOUND; i++)
                assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1", ONE,
                                                     CONTAINER, "Destroy", on_answer, &n_refused,
                                                     NULL) >= 0);
        harness_until(h, has_refusal, &n_refused);
        assert_int_equal(n_refused, 1);
        /* Somebody else has a bound of its own. */
        assert_works_for_another();
}

static int setup(void **state)
{
        static Harness h;

        harness_new(&h);
        *state = &h;
        return 0;
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("refuses a container with one wrong key", test_creates),
                CASE("refuses a job with one wrong key", test_spawns),
                CASE("refuses a key that comes twice", test_twice),
                CASE("says what is missing", test_missing),
                CASE("refuses keys that contradict each other", test_together),
                CASE("refuses too many and too long strings", test_too_much),
                CASE("refuses numbers that are no signal", test_arguments),
                CASE("refuses options that there are not", test_options),
                CASE("refuses sizes that no terminal has", test_sizes),
                CASE("bounds the calls that wait for one client", test_bounds_calls),
        };

        return cmocka_run_group_tests_name("bad-input", tests, NULL, NULL);
}
