/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/container-spec.h"

/* Each case gets a spec that is valid, and the empty fault. */
typedef struct Fixture {
        ContainerSpec *spec;
        Fault fault;
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        if (!f)
                return -1;
        f->spec = container_spec_new();
        if (!f->spec)
                return -1;
        f->spec->root_directory = strdup("/srv/root");
        *state = f;
        return f->spec->root_directory ? 0 : -1;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        container_spec_free(f->spec);
        free(f);
        return 0;
}

static void replace(char **p, const char *s)
{
        free(*p);
        *p = s ? strdup(s) : NULL;
}

static void expect_refusal(Fixture *f, const char *text)
{
        f->fault = FAULT_INIT;
        assert_true(container_spec_validate(f->spec, &f->fault) < 0);
        assert_int_equal(f->fault.kind, FAULT_INVALID);
        assert_string_equal(f->fault.text, text);
}

static void test_defaults(void **state)
{
        Fixture *f = *state;

        assert_int_equal(f->spec->private_users, PRIVATE_USERS_AUTO);
        assert_int_equal(f->spec->network, NETWORK_PRIVATE);
        assert_int_equal(f->spec->grace_usec, 10 * USEC_PER_SEC);
        assert_false(f->spec->is_read_only);
        assert_int_equal(f->spec->limits.set, 0);
        assert_int_equal(container_spec_validate(f->spec, &f->fault), 0);
        assert_int_equal(f->fault.kind, FAULT_NONE);
}

static void test_full(void **state)
{
        Fixture *f = *state;
        ContainerSpec *s = f->spec;

        replace(&s->name, "web-1");
        replace(&s->hostname, "web.example.org");
        assert_int_equal(strv_append(&s->environment, "PATH=/bin"), 0);
        assert_int_equal(container_spec_add_label(s, "app", "web=1", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(s, "/data", "/data", "ro", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(s, "/data", "/data/sub", NULL, NULL), 0);
        assert_int_equal(container_spec_add_tmpfs(s, "/tmp:size=1M", NULL), 0);
        assert_int_equal(container_spec_set_private_users(s, "100000:65536", NULL), 0);
        assert_int_equal(limits_set(&s->limits, LIMIT_TASKS_MAX, 100, NULL), 0);
        assert_int_equal(container_spec_validate(s, NULL), 0);
}

static void test_root_directory(void **state)
{
        Fixture *f = *state;

        replace(&f->spec->root_directory, NULL);
        expect_refusal(f, "RootDirectory: is missing");
        replace(&f->spec->root_directory, "srv/root");
        expect_refusal(f, "RootDirectory: 'srv/root' is not an absolute path");
        replace(&f->spec->root_directory, "/srv/../root");
        expect_refusal(f, "RootDirectory: '/srv/../root' has a '..' component");
}

static void test_pressure(void **state)
{
        Fixture *f = *state;

        f->spec->pressure_usec = 1000;
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
        f->spec->pressure_usec = 1000000;
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
        f->spec->pressure_usec = 999;
        expect_refusal(f, "MemoryPressureThresholdUSec: 999 is not from 1000 (1 ms) to 1000000 "
                          "(1 s)");
        f->spec->pressure_usec = 1000001;
        expect_refusal(f, "MemoryPressureThresholdUSec: 1000001 is not from 1000 (1 ms) to 1000000 "
                          "(1 s)");
}

static void test_names(void **state)
{
        Fixture *f = *state;

        replace(&f->spec->name, "../x");
        expect_refusal(f, "Name: '../x' is not a letter or digit followed by at most 62 letters, "
                          "digits, '_', '.' or '-'");
        replace(&f->spec->name, "x");
        replace(&f->spec->hostname, "my_host");
        expect_refusal(f, "Hostname: 'my_host' is not a host name of at most 64 characters");
}

static void test_modes(void **state)
{
        Fixture *f = *state;

        f->spec->network = _NETWORK_MODE_INVALID;
        expect_refusal(f, "Network: is not 'private', 'host', 'none', 'container:NAME' or "
                          "'netns:PATH'");
        f->spec->network = NETWORK_NONE;
        f->spec->private_users = _PRIVATE_USERS_MAX;
        expect_refusal(f, "PrivateUsers: is not set");
}

static void test_environment(void **state)
{
        Fixture *f = *state;

        assert_int_equal(strv_append(&f->spec->environment, "NOVALUE"), 0);
        expect_refusal(f, "Environment: an entry has no '=': every one is KEY=VALUE");
}

static void test_limits(void **state)
{
        Fixture *f = *state;

        /* As if it came from somewhere that did not ask limits_set(). */
        f->spec->limits.values[LIMIT_CPU_WEIGHT] = 20000;
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
        f->spec->limits.set = 1U << LIMIT_CPU_WEIGHT;
        expect_refusal(f, "CPUWeight: 20000 is not from 1 to 10000");
}

static void test_destinations(void **state)
{
        Fixture *f = *state;

        assert_int_equal(container_spec_add_bind_mount(f->spec, "/a", "/x", "", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(f->spec, "/b", "/x", "", NULL), 0);
        expect_refusal(f, "BindMounts: destination '/x' is given twice");
        replace(&f->spec->bind_mounts[1].destination, "/y");
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
        assert_int_equal(container_spec_add_tmpfs(f->spec, "/y:ro", NULL), 0);
        expect_refusal(f, "TemporaryFileSystem: destination '/y' is given twice");
}

static void test_private_users(void **state)
{
        Fixture *f = *state;
        char text[32];

        assert_int_equal(container_spec_set_private_users(f->spec, "no", NULL), 0);
        container_spec_format_private_users(f->spec, text, sizeof(text));
        assert_string_equal(text, "no");
        assert_int_equal(container_spec_set_private_users(f->spec, "1:4294967294", NULL), 0);
        assert_int_equal(f->spec->private_users, PRIVATE_USERS_RANGE);
        assert_int_equal(f->spec->uid_base, 1);
        assert_int_equal(f->spec->uid_count, UINT32_MAX - 1);
        container_spec_format_private_users(f->spec, text, sizeof(text));
        assert_string_equal(text, "1:4294967294");
        assert_int_equal(container_spec_set_private_users(f->spec, "4294967294:1", NULL), 0);
        assert_int_equal(container_spec_set_private_users(f->spec, "auto", NULL), 0);
        container_spec_format_private_users(f->spec, text, sizeof(text));
        assert_string_equal(text, "auto");
        assert_int_equal(f->spec->uid_count, 0);
}

static void test_private_users_refusals(void **state)
{
        Fixture *f = *state;
        static const struct {
                const char *given, *text;
        } cases[] = {
                { "0:65536", "PrivateUsers: a range from 0 is the host's root; say 'no' for a "
                             "container with the host's users" },
                { "100000:0", "PrivateUsers: the range is empty" },
                { "1:4294967295", "PrivateUsers: 1:4294967295 goes beyond 4294967294" },
                { "4294967295:1", "PrivateUsers: 4294967295:1 goes beyond 4294967294" },
                { "4294967296:1",
                  "PrivateUsers: '4294967296:1' is not 'auto', 'no' or BASE:COUNT" },
                { "", "PrivateUsers: '' is not 'auto', 'no' or BASE:COUNT" },
                { "yes", "PrivateUsers: 'yes' is not 'auto', 'no' or BASE:COUNT" },
                { "100000", "PrivateUsers: '100000' is not 'auto', 'no' or BASE:COUNT" },
                { "100000:", "PrivateUsers: '100000:' is not 'auto', 'no' or BASE:COUNT" },
                { ":5", "PrivateUsers: ':5' is not 'auto', 'no' or BASE:COUNT" },
                { "1:2:3", "PrivateUsers: '1:2:3' is not 'auto', 'no' or BASE:COUNT" },
                { "-1:5", "PrivateUsers: '-1:5' is not 'auto', 'no' or BASE:COUNT" },
                { "000000000000000000001:5",
                  "PrivateUsers: '000000000000000000001:5' is not 'auto', 'no' or BASE:COUNT" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                f->fault = FAULT_INIT;
                assert_int_equal(
                        container_spec_set_private_users(f->spec, cases[i].given, &f->fault),
                        -EINVAL);
                assert_string_equal(f->fault.text, cases[i].text);
                assert_int_equal(f->spec->private_users, PRIVATE_USERS_AUTO);
        }
}

static void test_uid_ranges(void **state)
{
        assert_true(uid_range_is_valid(1, 1));
        assert_true(uid_range_is_valid(1, UINT32_MAX - 1));
        assert_false(uid_range_is_valid(1, UINT32_MAX));
        assert_false(uid_range_is_valid(0, 1));
        assert_false(uid_range_is_valid(1, 0));
        assert_false(uid_range_is_valid(UINT32_MAX, 1));
}

static void test_labels(void **state)
{
        Fixture *f = *state;

        assert_int_equal(container_spec_add_label(f->spec, "org.app/x", "a=b\nc", NULL), 0);
        assert_int_equal(container_spec_add_label(f->spec, "org", "", NULL), 0);
        assert_string_equal(f->spec->labels[0], "org.app/x=a=b\nc");
        assert_string_equal(f->spec->labels[1], "org=");
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
}

static void test_label_refusals(void **state)
{
        Fixture *f = *state;
        char big[LABEL_VALUE_MAX + 2];

        memset(big, 'v', sizeof(big));
        big[sizeof(big) - 1] = 0;
        assert_int_equal(container_spec_add_label(f->spec, "a", "1", NULL), 0);
        assert_int_equal(container_spec_add_label(f->spec, "a", "2", &f->fault), -EINVAL);
        assert_string_equal(f->fault.text, "Labels: key 'a' is given twice");
        assert_int_equal(container_spec_add_label(f->spec, "", "2", NULL), -EINVAL);
        assert_int_equal(container_spec_add_label(f->spec, "a=b", "2", NULL), -EINVAL);
        assert_int_equal(container_spec_add_label(f->spec, "a\n", "2", NULL), -EINVAL);
        assert_int_equal(container_spec_add_label(f->spec, "b", big, NULL), -EINVAL);
        assert_int_equal(container_spec_add_label(f->spec, big, "1", NULL), -EINVAL);
        big[LABEL_VALUE_MAX] = 0;
        assert_int_equal(container_spec_add_label(f->spec, "b", big, NULL), 0);
        assert_int_equal(strv_length(f->spec->labels), 2);
}

static void test_labels_as_a_whole(void **state)
{
        Fixture *f = *state;

        assert_int_equal(strv_append(&f->spec->labels, "a=1"), 0);
        assert_int_equal(strv_append(&f->spec->labels, "ab"), 0);
        expect_refusal(f, "Labels: 'ab' is not KEY=VALUE");
        replace(&f->spec->labels[1], "a=2");
        expect_refusal(f, "Labels: key 'a' is given twice");
        replace(&f->spec->labels[1], "=2");
        expect_refusal(f, "Labels: a key is empty");
        replace(&f->spec->labels[1], "ab=2");
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
}

static void test_counts(void **state)
{
        Fixture *f = *state;
        char text[32];

        for (int i = 0; i < BIND_MOUNTS_MAX; i++) {
                (void)snprintf(text, sizeof(text), "/b%d", i);
                assert_int_equal(container_spec_add_bind_mount(f->spec, "/a", text, "", NULL), 0);
        }
        assert_int_equal(container_spec_add_bind_mount(f->spec, "/a", "/b", "", &f->fault), -E2BIG);
        assert_string_equal(f->fault.text, "BindMounts: more than 256");
        for (int i = 0; i < TMPFS_MAX; i++) {
                (void)snprintf(text, sizeof(text), "/t%d", i);
                assert_int_equal(container_spec_add_tmpfs(f->spec, text, NULL), 0);
        }
        assert_int_equal(container_spec_add_tmpfs(f->spec, "/t", NULL), -E2BIG);
        for (int i = 0; i < LABELS_MAX; i++) {
                (void)snprintf(text, sizeof(text), "l%d", i);
                assert_int_equal(container_spec_add_label(f->spec, text, "", NULL), 0);
        }
        assert_int_equal(container_spec_add_label(f->spec, "l", "", NULL), -E2BIG);
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
}

static void test_failed_add(void **state)
{
        Fixture *f = *state;

        assert_int_equal(container_spec_add_bind_mount(f->spec, "a", "/b", "", NULL), -EINVAL);
        assert_int_equal(container_spec_add_tmpfs(f->spec, "a", NULL), -EINVAL);
        assert_int_equal(f->spec->n_bind_mounts, 0);
        assert_int_equal(f->spec->n_tmpfs_mounts, 0);
        assert_int_equal(container_spec_validate(f->spec, NULL), 0);
}

static void test_network_names(void **state)
{
        for (int i = 0; i < _NETWORK_MODE_MAX; i++)
                assert_int_equal(network_mode_from_string(network_mode_to_string((NetworkMode)i)),
                                 i);
        assert_null(network_mode_to_string(_NETWORK_MODE_MAX));
        assert_null(network_mode_to_string(_NETWORK_MODE_INVALID));
        assert_int_equal(network_mode_from_string("bridge"), _NETWORK_MODE_INVALID);
}

#define CASE(name, func)                    \
        {                                   \
                name, func, setup, teardown \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("has defaults that are valid with a root", test_defaults),
                CASE("takes a spec with everything in it", test_full),
                CASE("wants a normal root directory", test_root_directory),
                CASE("bounds the threshold of pressure", test_pressure),
                CASE("wants proper names", test_names),
                CASE("refuses modes that are none", test_modes),
                CASE("checks the environment", test_environment),
                CASE("checks the limits that are set, and only those", test_limits),
                CASE("refuses two mounts of any kind on one place", test_destinations),
                CASE("reads and writes the three forms of PrivateUsers", test_private_users),
                CASE("refuses ranges with root, beyond the end, or malformed",
                     test_private_users_refusals),
                { "knows which ranges of uids can be a container's", test_uid_ranges },
                CASE("takes labels with any value", test_labels),
                CASE("refuses bad, double and long labels", test_label_refusals),
                CASE("checks labels that came as a whole", test_labels_as_a_whole),
                CASE("bounds the number of mounts and labels", test_counts),
                CASE("is unchanged by what it refuses to add", test_failed_add),
                { "names every network mode and finds it by name", test_network_names },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
