/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/plan.h"

#define ID "0123456789a"

/* Everything in a plan, as text: what a worker will do can be read off and compared. */
static char *plan_dump(const Plan *p)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        fprintf(f, "id %s\nname %s\nhostname %s\nroot %s%s\nlayer %s\nruntime %s\n", p->id, p->name,
                p->hostname, p->root_directory, p->is_read_only ? " ro" : "", p->layer_directory,
                p->runtime_directory);
        fprintf(f, "uids %" PRIu32 "+%" PRIu32 "\nnetwork %s\ntimeout %" PRIu64 "\n", p->uid_base,
                p->uid_count, network_mode_to_string(p->network), p->timeout_usec);
        fprintf(f, "storage %s %" PRIu64 " %" PRIu64 " project %" PRIu32 "\n",
                storage_kind_to_string(p->storage), p->disk.bytes, p->disk.inodes, p->project_id);
        for (size_t i = 0; i < p->n_bind_mounts; i++) {
                const BindMount *m = &p->bind_mounts[i];

                fprintf(f, "bind %s -> %s (%s)%s%s%s%s%s%s\n", m->source, m->destination,
                        m->options, m->is_read_only ? " ro" : "", m->is_recursive ? " rec" : "",
                        m->is_idmapped ? " idmap" : "", m->is_nosuid ? " nosuid" : "",
                        m->is_nodev ? " nodev" : "", m->is_noexec ? " noexec" : "");
        }
        for (size_t i = 0; i < p->n_tmpfs_mounts; i++) {
                const TmpfsMount *m = &p->tmpfs_mounts[i];

                fprintf(f, "tmpfs %s size %" PRIu64 " mode %04o%s%s\n", m->destination,
                        m->size_bytes, (unsigned int)m->mode, m->is_read_only ? " ro" : "",
                        m->is_exec ? " exec" : "");
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static ContainerSpec *make_spec(void)
{
        ContainerSpec *spec = container_spec_new();

        assert_non_null(spec);
        spec->root_directory = strdup("/srv/debian");
        return spec;
}

static void expect_plan(const ContainerSpec *spec, uint32_t base, uint32_t count,
                        const char *expected)
{
        _drop_(drop_free) char *dump = NULL;
        _drop_(drop_plan) Plan *plan = NULL;

        assert_int_equal(plan_new(spec, ID, base, count, "/var/lib/warden", "/run/warden", &plan),
                         0);
        dump = plan_dump(plan);
        assert_string_equal(dump, expected);
}

static void test_smallest(void **state)
{
        _drop_(drop_container_spec) ContainerSpec *spec = make_spec();

        expect_plan(spec, 100000, 65536,
                    "id 0123456789a\n"
                    "name 0123456789a\n"
                    "hostname 0123456789a\n"
                    "root /srv/debian\n"
                    "layer /var/lib/warden/containers/0123456789a\n"
                    "runtime /run/warden/containers/0123456789a\n"
                    "uids 100000+65536\n"
                    "network private\n"
                    "timeout 30000000\n"
                    "storage directory 18446744073709551615 18446744073709551615 project 0\n");
}

static void test_largest(void **state)
{
        _drop_(drop_container_spec) ContainerSpec *spec = make_spec();

        spec->name = strdup("web");
        spec->hostname = strdup("www.example.org");
        spec->is_read_only = 1;
        spec->network = NETWORK_HOST;
        spec->storage = STORAGE_LOOP;
        assert_int_equal(limits_set(&spec->limits, LIMIT_DISK_MAX, 1 << 30, NULL), 0);
        assert_int_equal(limits_set(&spec->limits, LIMIT_DISK_INODES_MAX, 1000, NULL), 0);
        assert_int_equal(container_spec_set_private_users(spec, "no", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(spec, "/data", "/mnt/data",
                                                       "ro,nosuid,nodev,idmap", NULL),
                         0);
        assert_int_equal(container_spec_add_bind_mount(spec, "/etc/hosts", "/etc/hosts",
                                                       "bind,noexec", NULL),
                         0);
        assert_int_equal(container_spec_add_tmpfs(spec, "/tmp:size=16M,mode=700,exec", NULL), 0);
        assert_int_equal(container_spec_add_tmpfs(spec, "/run:ro", NULL), 0);
        expect_plan(spec, 0, 0,
                    "id 0123456789a\n"
                    "name web\n"
                    "hostname www.example.org\n"
                    "root /srv/debian ro\n"
                    "layer /var/lib/warden/containers/0123456789a\n"
                    "runtime /run/warden/containers/0123456789a\n"
                    "uids 0+0\n"
                    "network host\n"
                    "timeout 30000000\n"
                    "storage loop 1073741824 1000 project 0\n"
                    "bind /data -> /mnt/data (ro,nosuid,nodev,idmap) ro rec idmap nosuid nodev\n"
                    "bind /etc/hosts -> /etc/hosts (bind,noexec) noexec\n"
                    "tmpfs /tmp size 16777216 mode 0700 exec\n"
                    "tmpfs /run size 0 mode 1777 ro\n");
}

static const char *hostname_for(const char *name, Plan **plan)
{
        _drop_(drop_container_spec) ContainerSpec *spec = make_spec();

        *plan = plan_free(*plan);
        spec->name = strdup(name);
        assert_int_equal(plan_new(spec, ID, 1, 1, "/s", "/r", plan), 0);
        return (*plan)->hostname;
}

static void test_hostname(void **state)
{
        _drop_(drop_plan) Plan *plan = NULL;

        assert_string_equal(hostname_for("web", &plan), "web");
        assert_string_equal(hostname_for("Web.Example", &plan), "Web.Example");
        assert_string_equal(hostname_for("my_web", &plan), ID);
        assert_string_equal(plan->name, "my_web");
        assert_string_equal(hostname_for("web.", &plan), ID);
}

static void test_independent(void **state)
{
        _drop_(drop_plan) Plan *plan = NULL;
        ContainerSpec *spec = make_spec();

        assert_int_equal(container_spec_add_bind_mount(spec, "/a", "/b", "", NULL), 0);
        assert_int_equal(container_spec_add_tmpfs(spec, "/c", NULL), 0);
        assert_int_equal(plan_new(spec, ID, 1, 1, "/s", "/r", &plan), 0);
        container_spec_free(spec);
        assert_string_equal(plan->root_directory, "/srv/debian");
        assert_string_equal(plan->bind_mounts[0].source, "/a");
        assert_string_equal(plan->tmpfs_mounts[0].destination, "/c");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "plans the smallest container", test_smallest },
                { "plans a container with everything", test_largest },
                { "takes the name for the host, or the id where it would not do", test_hostname },
                { "owns all that it says", test_independent },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
