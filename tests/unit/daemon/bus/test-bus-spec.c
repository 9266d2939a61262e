/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every key arrives where it belongs. What is refused is in tests/bus/test-bad-input.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "bus-message.h"
#include "daemon/bus/bus-spec.h"

typedef struct Fixture {
        sd_bus *bus;
        ContainerSpec *spec;
        BusSpawn spawn;
        Fault fault;
} Fixture;

static int setup(void **state)
{
        static Fixture f;

        f = (Fixture){ .bus = bus_nowhere(), .spec = container_spec_new(), .fault = FAULT_INIT };
        f.spawn = BUS_SPAWN_INIT;
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        container_spec_free(f->spec);
        job_spec_free(f->spawn.spec);
        sd_bus_close_unref(f->bus);
        return 0;
}

static int read_container(Fixture *f, sd_bus_message *m)
{
        int r = bus_spec_read_container(m, f->spec, &f->fault);

        sd_bus_message_unref(m);
        return r;
}

static int read_spawn(Fixture *f, sd_bus_message *m)
{
        int r = bus_spec_read_spawn(m, &f->spawn, &f->fault);

        sd_bus_message_unref(m);
        return r;
}

static void test_container(void **state)
{
        Fixture *f = *state;
        const ContainerSpec *s = f->spec;

        assert_int_equal(
                read_container(f,
                               message_new(f->bus, "a{sv}", 11, "Name", "s", "web", "RootDirectory",
                                           "s", "/srv/root", "ReadOnly", "b", 1, "Labels", "a{ss}",
                                           2, "a", "1", "b", "2=3", "Environment", "as", 1,
                                           "PATH=/bin", "Hostname", "s", "host.example",
                                           "PrivateUsers", "s", "200000:65536", "Network", "s",
                                           "none", "BindMounts", "a(sss)", 1, "/src", "/dst",
                                           "ro,nosuid", "TemporaryFileSystem", "as", 1,
                                           "/tmp:size=1M", "GraceUSec", "t", UINT64_C(5000000))),
                0);
        assert_string_equal(s->name, "web");
        assert_string_equal(s->root_directory, "/srv/root");
        assert_int_equal(s->is_read_only, 1);
        assert_string_equal(s->labels[0], "a=1");
        assert_string_equal(s->labels[1], "b=2=3");
        assert_string_equal(s->environment[0], "PATH=/bin");
        assert_string_equal(s->hostname, "host.example");
        assert_int_equal(s->private_users, PRIVATE_USERS_RANGE);
        assert_int_equal(s->uid_base, 200000);
        assert_int_equal(s->uid_count, 65536);
        assert_int_equal(s->network, NETWORK_NONE);
        assert_int_equal(s->n_bind_mounts, 1);
        assert_string_equal(s->bind_mounts[0].source, "/src");
        assert_string_equal(s->bind_mounts[0].destination, "/dst");
        assert_int_equal(s->bind_mounts[0].is_read_only, 1);
        assert_int_equal(s->bind_mounts[0].is_nosuid, 1);
        assert_int_equal(s->n_tmpfs_mounts, 1);
        assert_int_equal(s->tmpfs_mounts[0].size_bytes, 1048576);
        assert_int_equal(s->grace_usec, 5000000);
}

static void test_every_limit(void **state)
{
        Fixture *f = *state;

        for (int i = 0; i < _LIMIT_MAX; i++) {
                Limit limit = (Limit)i;
                uint64_t value = limit == LIMIT_CPU_WEIGHT || limit == LIMIT_IO_WEIGHT
                                         ? 77
                                         : UINT64_C(2000000) + (uint64_t)i;

                f->spec = container_spec_free(f->spec);
                f->spec = container_spec_new();
                assert_int_equal(
                        read_container(f, message_new(f->bus, "a{sv}", 2, "RootDirectory", "s", "/",
                                                      limit_to_string(limit), "t", value)),
                        0);
                assert_int_equal(f->spec->limits.set, 1u << i);
                assert_true(f->spec->limits.values[i] == value);
        }
}

static void test_keeps_defaults(void **state)
{
        Fixture *f = *state;

        f->spec->grace_usec = 123;
        assert_int_equal(
                read_container(f, message_new(f->bus, "a{sv}", 1, "RootDirectory", "s", "/")), 0);
        assert_null(f->spec->name);
        assert_null(f->spec->hostname);
        assert_int_equal(f->spec->grace_usec, 123);
        assert_int_equal(f->spec->private_users, PRIVATE_USERS_AUTO);
        assert_int_equal(f->spec->network, NETWORK_PRIVATE);
        assert_int_equal(f->spec->limits.set, 0);
}

static void test_validates_whole(void **state)
{
        Fixture *f = *state;

        assert_int_equal(read_container(f, message_new(f->bus, "a{sv}", 0)), -EINVAL);
        assert_int_equal(f->fault.kind, FAULT_INVALID);
        assert_non_null(strstr(f->fault.text, "RootDirectory"));
}

static void test_spawn(void **state)
{
        Fixture *f = *state;
        const JobSpec *s;

        assert_int_equal(
                read_spawn(f,
                           message_new(f->bus, "asa{sv}", 2, "/bin/echo", "hello", 11, "User", "s",
                                       "app:app", "WorkingDirectory", "s", "/srv", "Environment",
                                       "as", 1, "A=B", "TTY", "b", 1, "TTYSize", "(qq)", 30, 100,
                                       "Rlimits", "a{s(tt)}", 2, "NOFILE", UINT64_C(10),
                                       UINT64_C(20), "LimitCORE", UINT64_C(0), UINT64_MAX,
                                       "Privileged", "b", 1, "DiscardOutput", "b", 0, "Identifier",
                                       "s", "echo", "UMask", "u", 0077, "Nice", "i", -5)),
                0);
        s = f->spawn.spec;
        assert_string_equal(s->argv[0], "/bin/echo");
        assert_string_equal(s->argv[1], "hello");
        assert_null(s->argv[2]);
        assert_string_equal(s->user, "app:app");
        assert_string_equal(s->working_directory, "/srv");
        assert_string_equal(s->environment[0], "A=B");
        assert_int_equal(s->is_tty, 1);
        assert_int_equal(s->rows, 30);
        assert_int_equal(s->columns, 100);
        assert_int_equal(s->rlimits_set, 1u << RLIMIT_NOFILE | 1u << RLIMIT_CORE);
        assert_int_equal(s->rlimits[RLIMIT_NOFILE].soft, 10);
        assert_int_equal(s->rlimits[RLIMIT_NOFILE].hard, 20);
        assert_true(s->rlimits[RLIMIT_CORE].hard == UINT64_MAX);
        assert_int_equal(s->is_privileged, 1);
        assert_int_equal(s->is_output_discarded, 0);
        assert_string_equal(s->identifier, "echo");
        assert_int_equal(s->umask, 0077);
        assert_int_equal(s->nice, -5);
}

static void test_spawn_defaults(void **state)
{
        Fixture *f = *state;

        assert_int_equal(read_spawn(f, message_new(f->bus, "asa{sv}", 1, "/bin/true", 0)), 0);
        assert_null(f->spawn.spec->user);
        assert_int_equal(f->spawn.spec->umask, -1);
        assert_int_equal(f->spawn.spec->nice, INT32_MAX);
        for (int i = 0; i < 3; i++)
                assert_int_equal(f->spawn.fds[i], -EBADF);
}

static void test_stop(void **state)
{
        Fixture *f = *state;
        sd_bus_message *m = message_new(f->bus, "a{sv}", 0);
        BusStop stop;

        assert_int_equal(bus_spec_read_stop(m, &stop, &f->fault), 0);
        assert_true(stop.kill_usec == USEC_INFINITY);
        assert_int_equal(stop.is_background, 0);
        sd_bus_message_unref(m);

        m = message_new(f->bus, "a{sv}", 2, "Background", "b", 1, "KillUSec", "t", UINT64_C(0));
        assert_int_equal(bus_spec_read_stop(m, &stop, &f->fault), 0);
        assert_true(stop.kill_usec == 0);
        assert_int_equal(stop.is_background, 1);
        sd_bus_message_unref(m);
}

static void test_signal(void **state)
{
        static const struct {
                int32_t value;
                int is_valid;
        } rows[] = { { 0, 0 }, { 1, 1 }, { 15, 1 }, { 64, 1 }, { 65, 0 }, { -1, 0 } };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                sd_bus_message *m = message_new(f->bus, "i", rows[i].value);
                int32_t signal = -100;
                int r = bus_spec_read_signal(m, &signal, &f->fault);

                assert_int_equal(r, rows[i].is_valid ? 0 : -EINVAL);
                assert_int_equal(signal, rows[i].is_valid ? rows[i].value : -100);
                sd_bus_message_unref(m);
        }
}

#define CASE(name, function)                          \
        {                                             \
                name, function, setup, teardown, NULL \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("reads every key of a container", test_container),
                CASE("reads every limit", test_every_limit),
                CASE("leaves the defaults of what is not given", test_keeps_defaults),
                CASE("validates the container as a whole", test_validates_whole),
                CASE("reads every key of a job", test_spawn),
                CASE("leaves the defaults of a job", test_spawn_defaults),
                CASE("reads the options of a stop", test_stop),
                CASE("takes 1 to 64 as a signal", test_signal),
        };

        return cmocka_run_group_tests_name("bus-spec", tests, NULL, NULL);
}
