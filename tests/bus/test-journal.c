/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs whose output goes to the journal, and what becomes of it when the program that carries it
 * dies, before and after the job was released. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define ONE WARDEN_PATH "/container/one"

static int setup(void **state)
{
        static Harness h;

        harness_new(&h);
        assert_int_equal(harness_create(&h, "one", NULL), 0);
        *state = &h;
        return 0;
}

static int teardown(void **state)
{
        harness_free(*state);
        return 0;
}

/* "hold" or "take", of fake-journal, for the next job that it is told of. */
static void set_mode(Harness *h, const char *mode)
{
        _drop_(drop_fd) int fd = open(h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(io_write_file_atomic(fd, "journal-mode", mode, strlen(mode)), 0);
}

static char *spawn(Harness *h, const char *command)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;

        if (harness_call(h, ONE, CONTAINER, "SpawnJob", &error, &reply, "asa{sv}", 3, "/bin/sh",
                         "-c", command, 1, "Log", "s", "journal") < 0)
                fail_msg("SpawnJob: %s", error.message);
        assert_true(sd_bus_message_read(reply, "o", &path) > 0);
        return strdup(path);
}

/* Descendants of wardend that have this name: the one program, or none. */
static pid_t find_journal(const Harness *h)
{
        _drop_(drop_free) char *text = NULL;
        char path[64], *word, *save = NULL;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)h->wardend_pid,
                       (int)h->wardend_pid);
        if (io_read_file(AT_FDCWD, path, 65536, &text, NULL) < 0)
                return 0;
        for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                _drop_(drop_free) char *name = NULL;

                (void)snprintf(path, sizeof(path), "/proc/%s/comm", word);
                if (io_read_file(AT_FDCWD, path, 64, &name, NULL) >= 0 &&
                    strcmp(name, "fake-journal\n") == 0)
                        return (pid_t)strtol(word, NULL, 10);
        }
        return 0;
}

static void kill_journal(const Harness *h)
{
        pid_t pid = find_journal(h);

        assert_true(pid > 0);
        assert_int_equal(kill(pid, SIGKILL), 0);
}

static void release(Harness *h, const char *job)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        harness_until_string(h, job, JOB, "State", "exited");
        if (harness_call(h, job, JOB, "Release", &error, NULL, NULL) < 0)
                fail_msg("Release: %s", error.message);
}

/* For a client it is not there, whatever the daemon keeps. */
static void assert_unseen(Harness *h, const char *job)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *path;

        assert_true(harness_call(h, job, JOB, "Release", &error, NULL, NULL) < 0);
        assert_int_equal(sd_bus_get_property(h->bus, "org.warden.Warden1", ONE, CONTAINER, "Jobs",
                                             NULL, &reply, "ao"),
                         0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "o") > 0);
        while (sd_bus_message_read(reply, "o", &path) > 0)
                assert_string_not_equal(path, job);
}

typedef struct Expectation {
        Harness *h;
        const char *text;
} Expectation;

static int is_in_journal(void *userdata)
{
        const Expectation *e = userdata;
        _drop_(drop_fd) int fd = open(e->h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _drop_(drop_free) char *text = NULL;

        if (io_read_file(fd, "journal", 65536, &text, NULL) < 0)
                return 0;
        return strcmp(text, e->text) == 0;
}

/* What is in the journal, all of it and nothing twice. */
static void until_journal(Harness *h, const char *text)
{
        Expectation e = { h, text };

        harness_until(h, is_in_journal, &e);
}

/* How many files the daemon has for jobs of the one container: records, or places. */
static size_t count_files(const Harness *h, const char *folder)
{
        char command[256];
        size_t n = 0;
        FILE *f;

        (void)snprintf(command, sizeof(command), "ls %s/run/containers/*/%s 2>/dev/null | wc -l",
                       h->directory, folder);
        f = popen(command, "re"); /* NOLINT(cert-env33-c): a path of our own */
        assert_non_null(f);
        assert_int_equal(fscanf(f, "%zu", &n), 1);
        (void)pclose(f);
        return n;
}

static int is_forgotten(void *userdata)
{
        return count_files(userdata, "jobs") == 0 && count_files(userdata, "journal") == 0;
}

static int has_one_record(void *userdata)
{
        return count_files(userdata, "jobs") == 1;
}

static void test_taken(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        job = spawn(h, "echo one; echo two");
        until_journal(h, "one\ntwo\n");
        release(h, job);
        assert_unseen(h, job);
        harness_until(h, is_forgotten, h);
}

static void test_killed_after_release(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        set_mode(h, "hold");
        job = spawn(h, "echo one; echo two");
        release(h, job);
        assert_unseen(h, job);
        assert_int_equal(count_files(h, "jobs"), 1);
        set_mode(h, "take");
        kill_journal(h);
        until_journal(h, "one\ntwo\n");
        harness_until(h, is_forgotten, h);
        assert_unseen(h, job);
}

static void test_daemon_killed_after_release(void **state)
{
        _drop_(drop_free) char *job = NULL, *next = NULL;
        Harness *h = *state;

        set_mode(h, "hold");
        job = spawn(h, "echo one; echo two");
        release(h, job);
        harness_kill_wardend(h, SIGKILL);
        harness_start_wardend(h);
        assert_unseen(h, job);
        /* It still has its number, and its place. */
        next = spawn(h, "true");
        assert_string_not_equal(next, job);
        assert_int_equal(count_files(h, "jobs"), 2);
        release(h, next);
        set_mode(h, "take");
        kill_journal(h);
        until_journal(h, "one\ntwo\n");
        harness_until(h, is_forgotten, h);
}

static void test_container_ends(void **state)
{
        _drop_(drop_free) char *job = NULL, *other = NULL;
        Harness *h = *state;

        set_mode(h, "hold");
        job = spawn(h, "echo one");
        release(h, job);
        other = spawn(h, "echo kept");
        harness_until_string(h, other, JOB, "State", "exited");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Stop", NULL, NULL, "a{sv}", 0), 0);
        /* Only the program has it now. */
        kill_journal(h);
        harness_until(h, has_one_record, h);
        harness_until_string(h, other, JOB, "State", "exited");
        release(h, other);
        harness_until(h, is_forgotten, h);
}

static void test_open_output(void **state)
{
        _drop_(drop_free) char *job = NULL;
        char command[256];
        Harness *h = *state;

        /* A descendant goes on writing after the job's end and its release. */
        (void)snprintf(command, sizeof(command),
                       "echo early; (while [ ! -e %s/go ]; do sleep .05; done; echo late) &",
                       h->directory);
        set_mode(h, "hold");
        job = spawn(h, command);
        release(h, job);
        assert_unseen(h, job);
        set_mode(h, "take");
        kill_journal(h);
        (void)snprintf(command, sizeof(command), "%s/go", h->directory);
        assert_int_equal(close(open(command, O_CREAT | O_WRONLY, 0600)), 0);
        until_journal(h, "early\nlate\n");
        harness_until(h, is_forgotten, h);
}

static void test_container_destroyed(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        set_mode(h, "hold");
        job = spawn(h, "echo one");
        release(h, job);
        assert_int_equal(harness_call(h, NULL, MANAGER, "DestroyContainer", NULL, NULL, "s", "one"),
                         0);
        assert_int_equal(harness_count_state(h), 0);
        kill_journal(h);
        assert_int_equal(harness_create(h, "one", NULL), 0);
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("hands a job's output over, and forgets the job when it is released",
                     test_taken),
                CASE("keeps what a released job wrote until the journal has it",
                     test_killed_after_release),
                CASE("keeps it when the daemon itself is killed", test_daemon_killed_after_release),
                CASE("waits for what descendants of a released job still write", test_open_output),
                CASE("gives it up when the container has ended", test_container_ends),
                CASE("lets a container be destroyed meanwhile", test_container_destroyed),
        };

        return cmocka_run_group_tests_name("bus/journal", tests, NULL, NULL);
}
