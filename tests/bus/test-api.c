/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a client sees when nothing goes wrong. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define ERROR "org.warden.Warden1.Error."
#define ONE WARDEN_PATH "/container/one"

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

#define assert_works(r, error)                                                      \
        do {                                                                        \
                if ((r) < 0)                                                        \
                        fail_msg("%s: %s", (error).name ? (error).name : "no name", \
                                 (error).message ? (error).message : "no text");    \
        } while (0)

static void create(Harness *h, const char *name)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = harness_create(h, name, &error);

        assert_works(r, error);
}

static char *spawn(Harness *h, const char *name, const char *command)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char *path = NULL;
        int r = harness_spawn(h, name, command, &path, &error);

        assert_works(r, error);
        return path;
}

static void call(Harness *h, const char *path, const char *interface, const char *method)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = harness_call(h, path, interface, method, &error, NULL, NULL);

        assert_works(r, error);
}

static void stop(Harness *h, const char *path)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = harness_call(h, path, CONTAINER, "Stop", &error, NULL, "a{sv}", 0);

        assert_works(r, error);
}

static void assert_property(Harness *h, const char *path, const char *interface,
                            const char *property, const char *value)
{
        _drop_(drop_free) char *s = harness_get_string(h, path, interface, property);

        assert_string_equal(s, value);
}

/* What the test's connection was told, one line a signal. */
typedef struct Heard {
        char text[16384];
        const char *wanted;
} Heard;

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Heard *heard = userdata;
        const char *member = sd_bus_message_get_member(m);
        const char *path = sd_bus_message_get_path(m), *s = "";
        size_t n = strlen(heard->text);
        int32_t code = 0, signal = 0;

        if (strcmp(member, "Exited") == 0)
                (void)sd_bus_message_read(m, "ii", &code, &signal);
        else if (strcmp(member, "ContainerNew") == 0 || strcmp(member, "ContainerRemoved") == 0)
                (void)sd_bus_message_read(m, "so", &s, NULL);
        else if (strncmp(member, "Interfaces", 10) == 0)
                (void)sd_bus_message_read(m, "o", &s);
        (void)snprintf(heard->text + n, sizeof(heard->text) - n, "%s %s %s %d %d\n", member, path,
                       s, code, signal);
        return 0;
}

static int has_heard(void *userdata)
{
        const Heard *heard = userdata;

        return strstr(heard->text, heard->wanted) != NULL;
}

static void until_heard(Harness *h, Heard *heard, const char *wanted)
{
        heard->wanted = wanted;
        harness_until(h, has_heard, heard);
}

static void listen_to(Harness *h, Heard *heard)
{
        *heard = (Heard){ .text = "" };
        assert_true(sd_bus_add_match(h->bus, NULL, "type='signal',sender='org.warden.Warden1'",
                                     on_signal, heard) >= 0);
}

static void test_shows_container(void **state)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *list = NULL;
        const char *name, *text, *path;
        Harness *h = *state;
        uint32_t leader;

        create(h, "one");
        assert_property(h, ONE, CONTAINER, "Name", "one");
        assert_property(h, ONE, CONTAINER, "State", "active");
        assert_property(h, ONE, CONTAINER, "RootDirectory", "/");
        assert_property(h, ONE, CONTAINER, "Hostname", "one");
        assert_property(h, ONE, CONTAINER, "PrivateUsers", "auto");
        assert_property(h, ONE, CONTAINER, "Network", "private");

        assert_int_equal(harness_call(h, NULL, MANAGER, "ListContainers", NULL, &list, NULL), 0);
        assert_true(sd_bus_message_enter_container(list, 'a', "(ssuo)") > 0);
        assert_true(sd_bus_message_read(list, "(ssuo)", &name, &text, &leader, &path) > 0);
        assert_string_equal(name, "one");
        assert_string_equal(text, "active");
        assert_string_equal(path, ONE);
        assert_int_equal(leader, harness_get_unsigned(h, ONE, CONTAINER, "Leader"));
        assert_true(harness_is_alive((pid_t)leader));
        assert_int_equal(sd_bus_message_at_end(list, 0), 1);
}

static void test_escapes_names(void **state)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Harness *h = *state;
        const char *path;

        create(h, "web-1.example");
        assert_int_equal(
                harness_call(h, NULL, MANAGER, "GetContainer", NULL, &reply, "s", "web-1.example"),
                0);
        assert_true(sd_bus_message_read(reply, "o", &path) > 0);
        assert_string_equal(path, WARDEN_PATH "/container/web_2d1_2eexample");
        assert_property(h, path, CONTAINER, "Name", "web-1.example");
}

static void test_asks_for_scope(void **state)
{
        Harness *h = *state;
        char text[128];

        create(h, "one");
        (void)snprintf(text, sizeof(text), " PIDs=%u ",
                       harness_get_unsigned(h, ONE, CONTAINER, "Leader"));
        assert_true(harness_systemd_was_asked(h, text));
        assert_true(harness_systemd_was_asked(h, ".scope fail Description="));
        assert_true(harness_systemd_was_asked(h, " Slice=warden.slice Delegate=1 "));
        assert_true(harness_systemd_was_asked(h, " CollectMode=inactive-or-failed "));
        assert_true(harness_systemd_was_asked(h, " KillMode=control-group KillSignal=15 "));
        assert_true(harness_systemd_was_asked(h, " SendSIGHUP=0 "));
        assert_true(harness_systemd_was_asked(h, " MemoryAccounting=1 "));
        assert_true(harness_systemd_was_asked(h, " TasksMax=16384"));
}

static void test_passes_limits(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        int r;

        r = harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 5, "Name", "s",
                         "one", "RootDirectory", "s", "/", "MemoryMax", "t", UINT64_C(67108864),
                         "CPUQuotaPerSecUSec", "t", UINT64_C(500000), "TasksMax", "t",
                         UINT64_C(77));
        assert_works(r, error);
        assert_true(harness_systemd_was_asked(h, " MemoryMax=67108864"));
        assert_true(harness_systemd_was_asked(h, " CPUQuotaPerSecUSec=500000"));
        assert_true(harness_systemd_was_asked(h, " TasksMax=77"));
        assert_false(harness_systemd_was_asked(h, "TasksMax=16384"));
}

static void test_tells_of_life(void **state)
{
        Harness *h = *state;
        Heard heard;

        listen_to(h, &heard);
        create(h, "one");
        until_heard(h, &heard, "InterfacesAdded " WARDEN_PATH " " ONE);
        until_heard(h, &heard, "ContainerNew " WARDEN_PATH " one");
        stop(h, ONE);
        until_heard(h, &heard, "PropertiesChanged " ONE);
        call(h, ONE, CONTAINER, "Destroy");
        until_heard(h, &heard, "ContainerRemoved " WARDEN_PATH " one");
        until_heard(h, &heard, "InterfacesRemoved " WARDEN_PATH " " ONE);
}

static void test_runs_job(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        Heard heard;

        create(h, "one");
        listen_to(h, &heard);
        job = spawn(h, "one", "exit 7");
        assert_string_equal(job, ONE "/job/1");
        until_heard(h, &heard, "InterfacesAdded " WARDEN_PATH " " ONE "/job/1");
        until_heard(h, &heard, "Exited " ONE "/job/1  7 0");
        assert_property(h, job, JOB, "State", "exited");
        assert_property(h, job, JOB, "User", "root");
        assert_int_equal(harness_get_int(h, job, JOB, "ExitCode"), 7);
        assert_int_equal(harness_get_int(h, job, JOB, "ExitSignal"), 0);
        assert_int_equal(harness_get_unsigned(h, job, JOB, "PID"), 0);

        call(h, job, JOB, "Release");
        until_heard(h, &heard, "InterfacesRemoved " WARDEN_PATH " " ONE "/job/1");
        assert_property(h, job, JOB, "State", "");
}

static void test_kills_job(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        Heard heard;
        uint32_t pid;

        create(h, "one");
        listen_to(h, &heard);
        job = spawn(h, "one", "exec sleep 1000");
        assert_property(h, job, JOB, "State", "running");
        assert_int_equal(harness_get_int(h, job, JOB, "ExitCode"), -1);
        pid = harness_get_unsigned(h, job, JOB, "PID");
        assert_true(harness_is_alive((pid_t)pid));
        assert_true(harness_call(h, job, JOB, "Release", &error, NULL, NULL) < 0);
        assert_string_equal(error.name, ERROR "BadState");

        assert_int_equal(harness_call(h, job, JOB, "Kill", NULL, NULL, "i", SIGTERM), 0);
        until_heard(h, &heard, "Exited " ONE "/job/1  -1 15");
        assert_property(h, job, JOB, "State", "killed");
        assert_false(harness_is_alive((pid_t)pid));
}

static void test_kills_all_jobs(void **state)
{
        _drop_(drop_free) char *first = NULL, *second = NULL;
        Harness *h = *state;

        create(h, "one");
        first = spawn(h, "one", "exec sleep 1000");
        second = spawn(h, "one", "exec sleep 1000");
        assert_int_equal(harness_call(h, ONE, CONTAINER, "Kill", NULL, NULL, "i", SIGKILL), 0);
        harness_until_string(h, first, JOB, "State", "killed");
        harness_until_string(h, second, JOB, "State", "killed");
        assert_property(h, ONE, CONTAINER, "State", "active");
}

static void read_all(int fd, char *text, size_t size)
{
        ssize_t n = io_read_full(fd, text, size - 1);

        assert_true(n >= 0);
        text[n] = 0;
}

static void test_gives_stdio(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        char text[64];
        int in[2], out[2], r;

        create(h, "one");
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 3, "/bin/sh", "-c",
                         "read word; echo got $word; echo $EXTRA >&2", 4, "Stdin", "h", in[0],
                         "Stdout", "h", out[1], "Stderr", "h", out[1], "Environment", "as", 1,
                         "EXTRA=more");
        assert_works(r, error);
        fd_close(in[0]);
        fd_close(out[1]);
        assert_int_equal(write(in[1], "hello\n", 6), 6);
        read_all(out[0], text, sizeof(text));
        assert_string_equal(text, "got hello\nmore\n");
        fd_close(in[1]);
        fd_close(out[0]);
}

static void assert_spawn_fails(Harness *h, const char *program, const char *user, const char *name)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        assert_true(harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1, program,
                                 1, "User", "s", user) < 0);
        assert_string_equal(error.name, name);
        assert_true(strlen(error.message) > 10);
}

static void test_says_why_not_executed(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        create(h, "one");
        assert_spawn_fails(h, "/no/such/program", "root", ERROR "ProgramNotFound");
        assert_spawn_fails(h, "/etc/hostname", "root", ERROR "ProgramNotExecutable");
        assert_spawn_fails(h, "/bin/true", "nosuchuser", ERROR "NoSuchUser");
        assert_true(harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1,
                                 "/bin/true", 1, "WorkingDirectory", "s", "/no/such") < 0);
        assert_non_null(strstr(error.message, "irectory"));
}

static void test_stops_and_starts(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;
        uint32_t leader;

        create(h, "one");
        job = spawn(h, "one", "exec sleep 1000");
        leader = harness_get_unsigned(h, ONE, CONTAINER, "Leader");
        stop(h, ONE);
        assert_false(harness_is_alive((pid_t)leader));
        assert_property(h, ONE, CONTAINER, "State", "stopped");
        assert_property(h, job, JOB, "State", "killed");
        assert_int_equal(harness_get_unsigned(h, ONE, CONTAINER, "Leader"), 0);
        stop(h, ONE);

        assert_true(harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 1,
                                 "/bin/true", 0) < 0);
        assert_string_equal(error.name, ERROR "BadState");
        assert_non_null(strstr(error.message, "stopped"));

        call(h, ONE, CONTAINER, "Start");
        assert_property(h, ONE, CONTAINER, "State", "active");
        assert_true(harness_get_unsigned(h, ONE, CONTAINER, "Leader") > 0);
}

static void test_stops_in_background(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        create(h, "one");
        job = spawn(h, "one", "trap '' TERM; while :; do sleep 0.1; done");
        harness_until_ignores((pid_t)harness_get_unsigned(h, job, JOB, "PID"), SIGTERM);
        assert_int_equal(harness_call(h, NULL, MANAGER, "StopContainer", NULL, NULL, "sa{sv}",
                                      "one", 2, "Background", "b", 1, "KillUSec", "t",
                                      UINT64_C(100000)),
                         0);
        harness_until_string(h, ONE, CONTAINER, "State", "stopped");
        assert_int_equal(harness_get_int(h, job, JOB, "ExitSignal"), SIGKILL);
}

static void test_frees_name(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        int r;

        create(h, "one");
        assert_true(harness_create(h, "one", &error) < 0);
        assert_string_equal(error.name, ERROR "NameExists");
        assert_non_null(strstr(error.message, "one"));
        sd_bus_error_free(&error);

        r = harness_call(h, NULL, MANAGER, "DestroyContainer", &error, NULL, "s", "one");
        assert_works(r, error);
        assert_int_equal(harness_count_state(h), 0);
        create(h, "one");
}

static void test_knows_what_is_not_there(void **state)
{
        const char *methods[] = { "GetContainer", "DestroyContainer" };
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                assert_true(harness_call(h, NULL, MANAGER, methods[i], &error, NULL, "s", "nope") <
                            0);
                assert_string_equal(error.name, ERROR "NoSuchContainer");
                assert_non_null(strstr(error.message, "nope"));
                sd_bus_error_free(&error);
        }
        assert_true(harness_call(h, NULL, MANAGER, "GetContainerByPID", &error, NULL, "u",
                                 (uint32_t)getpid()) < 0);
        assert_string_equal(error.name, ERROR "NoSuchContainer");
        sd_bus_error_free(&error);
        assert_true(harness_call(h, WARDEN_PATH "/container/nope", CONTAINER, "Start", &error, NULL,
                                 NULL) < 0);
        assert_string_equal(error.name, SD_BUS_ERROR_UNKNOWN_OBJECT);
}

typedef struct Crowd {
        unsigned n_ok, n_failed;
} Crowd;

#define CROWD 100

static int on_crowd(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Crowd *crowd = userdata;
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                print_message("# %s: %s\n", e->name, e->message);
        *(e ? &crowd->n_failed : &crowd->n_ok) += 1;
        return 0;
}

static int is_crowd_answered(void *userdata)
{
        const Crowd *crowd = userdata;

        return crowd->n_ok + crowd->n_failed == CROWD;
}

static void test_creates_many_at_once(void **state)
{
        Crowd created = { 0 }, destroyed = { 0 };
        Harness *h = *state;
        char name[16];

        for (unsigned i = 0; i < CROWD; i++) {
                (void)snprintf(name, sizeof(name), "c%u", i);
                assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1",
                                                     WARDEN_PATH, MANAGER, "CreateContainer",
                                                     on_crowd, &created, "a{sv}", 2, "Name", "s",
                                                     name, "RootDirectory", "s", "/") >= 0);
        }
        harness_until(h, is_crowd_answered, &created);
        assert_int_equal(created.n_ok, CROWD);
        assert_int_equal(harness_count_state(h), CROWD);

        for (unsigned i = 0; i < CROWD; i++) {
                (void)snprintf(name, sizeof(name), "c%u", i);
                assert_true(sd_bus_call_method_async(h->bus, NULL, "org.warden.Warden1",
                                                     WARDEN_PATH, MANAGER, "DestroyContainer",
                                                     on_crowd, &destroyed, "s", name) >= 0);
        }
        harness_until(h, is_crowd_answered, &destroyed);
        assert_int_equal(destroyed.n_ok, CROWD);
        assert_int_equal(harness_count_state(h), 0);
}

/* Everything that can be read of a container and a job, as busctl shows it. */
static void test_hides_environment(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;
        char text[65536];
        FILE *f;
        int r;

        r = harness_call(h, NULL, MANAGER, "CreateContainer", &error, NULL, "a{sv}", 3, "Name", "s",
                         "one", "RootDirectory", "s", "/", "Environment", "as", 1, "A=hunter2");
        assert_works(r, error);
        r = harness_call(h, ONE, CONTAINER, "SpawnJob", &error, NULL, "asa{sv}", 2, "/bin/sleep",
                         "99", 1, "Environment", "as", 1, "B=hunter2");
        assert_works(r, error);
        f = popen("busctl --system call org.warden.Warden1 " WARDEN_PATH
                  " org.freedesktop.DBus.ObjectManager GetManagedObjects",
                  "re");
        assert_non_null(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = 0;
        assert_int_equal(pclose(f), 0);
        assert_non_null(strstr(text, ONE "/job/1"));
        assert_null(strstr(text, "hunter2"));
}

#define LOG_CONTROL "/org/freedesktop/LogControl1 org.freedesktop.LogControl1"

/* The three tools that people have; a shell writes what they would type. */
static void test_works_with_tools(void **state)
{
        static const char *const commands[] = {
                "busctl --system call org.warden.Warden1 " WARDEN_PATH " " MANAGER
                " CreateContainer 'a{sv}' 3 Name s busctl RootDirectory s / Labels 'a{ss}' 1 a b",
                "busctl --system tree org.warden.Warden1 | grep -q container/busctl",
                "busctl --system introspect org.warden.Warden1 " WARDEN_PATH
                "/container/busctl | grep -q '^.SpawnJob *method *asa{sv} *o'",
                "gdbus call --system --dest org.warden.Warden1 --object-path " WARDEN_PATH
                " --method " MANAGER ".CreateContainer"
                " \"{'Name': <'gdbus'>, 'RootDirectory': <'/'>, 'MemoryMax': <uint64 10485760>}\"",
                "gdbus call --system --dest org.warden.Warden1 --object-path " WARDEN_PATH
                "/container/gdbus --method " CONTAINER ".SpawnJob"
                " \"['/bin/true']\" \"{'User': <'root'>}\" | grep -q job/1",
                "dbus-send --system --print-reply --dest=org.warden.Warden1 " WARDEN_PATH
                " " MANAGER ".ListContainers | grep -q gdbus",
                "dbus-send --system --print-reply --dest=org.warden.Warden1 " WARDEN_PATH
                " " MANAGER ".DestroyContainer string:gdbus",
                "dbus-send --system --print-reply --dest=org.warden.Warden1 "
                "/org/freedesktop/LogControl1 org.freedesktop.DBus.Properties.Set "
                "string:org.freedesktop.LogControl1 string:LogLevel variant:string:warning",
                "test \"$(busctl --system get-property org.warden.Warden1 " LOG_CONTROL
                " LogLevel)\" = 's \"warning\"'",
                "! busctl --system set-property org.warden.Warden1 " LOG_CONTROL
                " LogLevel s loud 2>/dev/null",
        };

        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                char line[1024];

                (void)snprintf(line, sizeof(line), "{ %s; } >/dev/null", commands[i]);
                if (system(line) != 0)
                        fail_msg("failed: %s", commands[i]);
        }
}

static int is_scope_asked(void *userdata)
{
        return harness_systemd_was_asked(userdata, "StartTransientUnit");
}

/* Once it was let in: a client that is gone before that is nobody, and refused. */
static void test_survives_vanished_caller(void **state)
{
        sd_bus *other = NULL;
        Harness *h = *state;

        harness_set_systemd(h, "hang");
        assert_true(sd_bus_open_system(&other) >= 0);
        assert_true(sd_bus_call_method_async(other, NULL, "org.warden.Warden1", WARDEN_PATH,
                                             MANAGER, "CreateContainer", on_crowd, NULL, "a{sv}", 2,
                                             "Name", "s", "one", "RootDirectory", "s", "/") >= 0);
        assert_true(sd_bus_flush(other) >= 0);
        harness_until(h, is_scope_asked, h);
        sd_bus_flush_close_unref(other);
        harness_systemd(h, "Release");
        harness_until_string(h, ONE, CONTAINER, "State", "active");
}

static int on_overheard(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        *(int *)userdata = 1;
        return 0;
}

/* Returns 1 when a signal of ours reached it. */
static int overhears(sd_bus *bus, int ready_fd)
{
        int is_overheard = 0;

        if (sd_bus_add_match(bus, NULL, "type='signal',path_namespace='" WARDEN_PATH "'",
                             on_overheard, &is_overheard) < 0 ||
            write(ready_fd, "r", 1) != 1)
                return 1;
        for (int i = 0; i < 50; i++) {
                while (sd_bus_process(bus, NULL) > 0)
                        ;
                (void)sd_bus_wait(bus, 10 * USEC_PER_MSEC);
        }
        return is_overheard;
}

/* As somebody who is not root: what the policy allows, and nothing else. */
static int run_as_nobody(int ready_fd)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *bus = NULL;
        int r;

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
            sd_bus_open_system(&bus) < 0)
                return 10;
        r = sd_bus_call_method(bus, "org.warden.Warden1", WARDEN_PATH, "org.freedesktop.DBus.Peer",
                               "Ping", NULL, NULL, NULL);
        if (r < 0)
                return 11;
        r = sd_bus_call_method(bus, "org.warden.Warden1", WARDEN_PATH,
                               "org.freedesktop.DBus.Introspectable", "Introspect", &error, NULL,
                               NULL);
        if (r >= 0 || !sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
                return 15;
        sd_bus_error_free(&error);
        r = sd_bus_call_method(bus, "org.warden.Warden1", WARDEN_PATH, MANAGER, "ListContainers",
                               &error, NULL, NULL);
        if (r >= 0 || !sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
                return 12;
        sd_bus_error_free(&error);
        r = sd_bus_call_method(bus, "org.warden.Warden1", WARDEN_PATH,
                               "org.freedesktop.DBus.Properties", "GetAll", &error, NULL, "s",
                               MANAGER);
        if (r >= 0 || !sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
                return 13;
        return overhears(bus, ready_fd) ? 14 : 0;
}

static void test_refuses_others(void **state)
{
        Harness *h = *state;
        int ready[2], status;
        char byte;
        pid_t pid;

        if (geteuid() != 0) {
                print_message("# needs root, to become nobody\n");
                skip();
        }
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(run_as_nobody(ready[1]));
        fd_close(ready[1]);
        if (read(ready[0], &byte, 1) == 1)
                create(h, "one");
        fd_close(ready[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static int has_status(void *userdata)
{
        Harness *h = userdata;

        harness_read_notify(h, 10 * USEC_PER_MSEC);
        return strcmp(h->status, "2 containers, 1 jobs") == 0;
}

static void test_shows_status(void **state)
{
        _drop_(drop_free) char *job = NULL;
        Harness *h = *state;

        create(h, "one");
        create(h, "two");
        job = spawn(h, "two", "exec sleep 1000");
        harness_until(h, has_status, h);
}

static void test_reloads(void **state)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Harness *h = *state;

        create(h, "one");
        harness_configure(h, "[Manager]\nContainersMax=1\n");
        harness_reload_wardend(h);
        assert_true(harness_create(h, "two", &error) < 0);
        assert_string_equal(error.name, ERROR "LimitReached");
}

static void test_gives_way(void **state)
{
        Harness *h = *state, second = *h;
        int status;

        strncat(second.directory, "/2", sizeof(second.directory) - strlen(second.directory) - 1);
        assert_int_equal(mkdir(second.directory, 0700), 0);
        second.notify_fd = -EBADF;
        harness_launch_wardend(&second);
        assert_int_equal(waitpid(second.wardend_pid, &status, 0), second.wardend_pid);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), 0);
        create(h, "one");
}

#define CASE(name, f)                          \
        {                                      \
                name, f, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("shows a container and lists it", test_shows_container),
                CASE("escapes names in paths", test_escapes_names),
                CASE("asks systemd for a scope of the right kind", test_asks_for_scope),
                CASE("passes limits on as systemd's properties", test_passes_limits),
                CASE("tells of a container's life by signals", test_tells_of_life),
                CASE("runs a job and says how it ended", test_runs_job),
                CASE("kills a job, and releases no running one", test_kills_job),
                CASE("kills all jobs but not the container", test_kills_all_jobs),
                CASE("gives a job the client's descriptors", test_gives_stdio),
                CASE("says why a program was not executed", test_says_why_not_executed),
                CASE("stops and starts a container", test_stops_and_starts),
                CASE("stops in the background and kills in the end", test_stops_in_background),
                CASE("refuses a name twice and frees it", test_frees_name),
                CASE("names what is not there", test_knows_what_is_not_there),
                CASE("creates and destroys a hundred at once", test_creates_many_at_once),
                CASE("shows no environment to anybody", test_hides_environment),
                CASE("works with busctl, gdbus and dbus-send", test_works_with_tools),
                CASE("makes a container whose client went away", test_survives_vanished_caller),
                CASE("lets only root in, and tells nobody else", test_refuses_others),
                CASE("counts containers and jobs in its status", test_shows_status),
                CASE("reads its configuration again on SIGHUP", test_reloads),
                CASE("ends when the name is taken", test_gives_way),
        };

        return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
