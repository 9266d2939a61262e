/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/strv.h"
#include "wire/plan-wire.h"

static Plan *make_plan(void)
{
        _drop_(drop_container_spec) ContainerSpec *spec = container_spec_new();
        Plan *plan = NULL;

        assert_non_null(spec);
        spec->name = strdup("web");
        spec->root_directory = strdup("/srv/root");
        spec->is_read_only = 1;
        spec->network = NETWORK_NONE;
        assert_int_equal(container_spec_add_bind_mount(spec, "/a", "/b", "ro,idmap", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(spec, "/c", "/d", NULL, NULL), 0);
        assert_int_equal(container_spec_add_tmpfs(spec, "/t:size=1M,mode=700", NULL), 0);
        assert_int_equal(plan_new(spec, "0123456789a", 100000, 65536, "/var/lib/warden",
                                  "/run/warden", &plan),
                         0);
        plan->disk = (DiskLimits){ 1 << 30, 1000 };
        plan->project_id = UINT32_MAX - 1;
        return plan;
}

static void test_round_trip(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT, again = WIRE_WRITER_INIT;

        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        assert_string_equal(back->id, "0123456789a");
        assert_string_equal(back->name, "web");
        assert_string_equal(back->hostname, "web");
        assert_string_equal(back->root_directory, "/srv/root");
        assert_string_equal(back->layer_directory, "/var/lib/warden/containers/0123456789a");
        assert_string_equal(back->runtime_directory, "/run/warden/containers/0123456789a");
        assert_int_equal(back->uid_base, 100000);
        assert_int_equal(back->uid_count, 65536);
        assert_int_equal(back->network, NETWORK_NONE);
        assert_int_equal(back->is_read_only, 1);
        assert_int_equal(back->timeout_usec, PLAN_TIMEOUT_USEC);
        assert_int_equal(back->storage, STORAGE_DIRECTORY);
        assert_int_equal(back->disk.bytes, 1 << 30);
        assert_int_equal(back->disk.inodes, 1000);
        assert_int_equal(back->project_id, UINT32_MAX - 1);
        assert_int_equal(back->n_bind_mounts, 2);
        assert_true(back->bind_mounts[0].is_read_only && back->bind_mounts[0].is_idmapped);
        assert_string_equal(back->bind_mounts[1].source, "/c");
        assert_int_equal(back->n_tmpfs_mounts, 1);
        assert_int_equal(back->tmpfs_mounts[0].size_bytes, 1 << 20);
        assert_int_equal(back->tmpfs_mounts[0].mode, 0700);

        assert_int_equal(plan_encode(back, &again), 0);
        assert_int_equal(again.size, w.size);
        assert_memory_equal(again.data, w.data, w.size);
        wire_writer_done(&w);
        wire_writer_done(&again);
}

/* Encodes after a change, and expects that decoding refuses it. */
static void refuse(Plan *plan)
{
        WireWriter w = WIRE_WRITER_INIT;
        Plan *back = NULL;

        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), -EBADMSG);
        assert_null(back);
        wire_writer_done(&w);
}

static void replace(char **p, const char *s)
{
        free(*p);
        *p = s ? strdup(s) : NULL;
}

static void test_names(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan();

        replace(&plan->id, "../../../..");
        refuse(plan);
        replace(&plan->id, "0123456789");
        refuse(plan);
        replace(&plan->id, "0123456789a");
        replace(&plan->name, "a/b");
        refuse(plan);
        replace(&plan->name, "a");
        replace(&plan->hostname, "a_b");
        refuse(plan);
}

static void test_directories(void **state)
{
        size_t offsets[] = { offsetof(Plan, root_directory), offsetof(Plan, layer_directory),
                             offsetof(Plan, runtime_directory) };

        for (size_t i = 0; i < ELEMENTSOF(offsets); i++) {
                _drop_(drop_plan) Plan *plan = make_plan();
                char **directory = (char **)(void *)((char *)plan + offsets[i]);

                replace(directory, "relative");
                refuse(plan);
                replace(directory, "/var/../etc");
                refuse(plan);
                replace(directory, NULL);
                refuse(plan);
        }
}

static void test_ranges(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        plan->uid_base = 0;
        refuse(plan);
        plan->uid_base = UINT32_MAX - 1;
        refuse(plan);
        plan->uid_base = plan->uid_count = 0; /* the host's users */
        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        wire_writer_done(&w);
}

static void test_interface_name(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        replace(&plan->interface_name, "a/b");
        refuse(plan);
        replace(&plan->interface_name, "net0");
        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        assert_string_equal(back->interface_name, "net0");
        wire_writer_done(&w);
}

static void test_interfaces(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(strv_append(&plan->interfaces, "eth7"), 0);
        assert_int_equal(strv_append(&plan->interfaces, "eth8"), 0);
        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        assert_true(strv_equal(back->interfaces, plan->interfaces));
        wire_writer_done(&w);
        plan->network = NETWORK_HOST;
        refuse(plan);
        plan->network = NETWORK_NONE;
        replace(&plan->interfaces[1], "lo");
        refuse(plan);
        replace(&plan->interfaces[1], "eth8");
        while (strv_length(plan->interfaces) <= INTERFACES_MAX)
                assert_int_equal(strv_append(&plan->interfaces, "eth9"), 0);
        refuse(plan);
}

static void test_bandwidth(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(bandwidth_limits_set(&plan->bandwidth, "BandwidthMax",
                                              &(Bandwidth){ 1 << 20, 4096 }, NULL),
                         0);
        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        assert_true(bandwidth_limits_are_equal(&back->bandwidth, &plan->bandwidth));
        assert_int_equal(back->bandwidth.of[BANDWIDTH_TRANSMIT].rate, 1 << 20);
        wire_writer_done(&w);
        plan->bandwidth.of[BANDWIDTH_RECEIVE].rate = 0;
        refuse(plan);
}

static void test_storage(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        plan->storage = STORAGE_LOOP; /* with a project */
        refuse(plan);
        plan->project_id = 0;
        plan->disk.bytes = UINT64_MAX; /* of no size */
        refuse(plan);
        plan->disk.bytes = 0;
        refuse(plan);
        plan->disk.bytes = STORAGE_LOOP_MIN_BYTES;
        plan->disk.inodes = 1;
        refuse(plan);
        plan->disk.inodes = UINT64_MAX;
        assert_int_equal(plan_encode(plan, &w), 0);
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        assert_int_equal(back->storage, STORAGE_LOOP);
        wire_writer_done(&w);
        plan->storage = _STORAGE_KIND_INVALID;
        refuse(plan);
}

static void test_mounts(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan();

        replace(&plan->bind_mounts[0].destination, "/b/../..");
        refuse(plan);
        replace(&plan->bind_mounts[0].destination, "/b");
        replace(&plan->bind_mounts[0].options, "suid");
        refuse(plan);
        replace(&plan->bind_mounts[0].options, NULL);
        refuse(plan);
        replace(&plan->bind_mounts[0].options, "");
        replace(&plan->tmpfs_mounts[0].text, "/t:uid=0");
        refuse(plan);
}

static void test_mount_count(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan();

        while (plan->n_bind_mounts <= BIND_MOUNTS_MAX) {
                BindMount m;

                assert_int_equal(bind_mount_parse("/x", "/y", NULL, &m, NULL), 0);
                assert_int_equal(bind_mounts_append(&plan->bind_mounts, &plan->n_bind_mounts, &m),
                                 0);
        }
        refuse(plan);
}

static void test_truncation(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan();
        WireWriter w = WIRE_WRITER_INIT;
        size_t n_taken = 0;

        assert_int_equal(plan_encode(plan, &w), 0);
        for (size_t size = 0; size < w.size; size++) {
                _drop_(drop_plan) Plan *back = NULL;
                int r = plan_decode(w.data, size, &back);

                assert_true(r == 0 || r == -EBADMSG);
                assert_int_equal(r == 0, back != NULL);
                n_taken += r == 0;
        }
        /* Only where whole mounts at the end are missing: lists may be shorter. */
        assert_int_equal(n_taken, 3);
        wire_writer_done(&w);
}

static void test_twice_and_unknown(void **state)
{
        _drop_(drop_plan) Plan *plan = make_plan(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(plan_encode(plan, &w), 0);
        wire_put_string(&w, 5000, "of a newer daemon");
        assert_int_equal(plan_decode(w.data, w.size, &back), 0);
        wire_put_string(&w, 1, "0123456789b"); /* a second id */
        assert_int_equal(plan_decode(w.data, w.size, &(Plan *){ NULL }), -EBADMSG);
        wire_writer_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries every member, and again to the byte", test_round_trip },
                { "refuses ids and names that are none", test_names },
                { "refuses directories that are missing or not normal", test_directories },
                { "refuses ranges with the host's root or beyond the end", test_ranges },
                { "refuses a quota without bounds and an image without a size", test_storage },
                { "refuses what cannot be the name of an interface", test_interface_name },
                { "carries limits of the bandwidth", test_bandwidth },
                { "carries interfaces of the host", test_interfaces },
                { "checks mounts as if a client had sent them", test_mounts },
                { "bounds the number of mounts", test_mount_count },
                { "refuses every cut but between the mounts", test_truncation },
                { "refuses a second id and skips unknown tags", test_twice_and_unknown },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
