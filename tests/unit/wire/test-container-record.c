/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/container-record.h"
#include "wire/record.h"

static ContainerRecord *make_record(void)
{
        ContainerRecord *record = container_record_new();

        assert_non_null(record);
        record->id = strdup("0123456789a");
        record->spec->root_directory = strdup("/srv/root");
        record->state = CONTAINER_CREATING;
        record->next_job = 1;
        return record;
}

/* One with something in every place. */
static ContainerRecord *make_full_record(void)
{
        ContainerRecord *record = make_record();
        ContainerSpec *spec = record->spec;

        record->state = CONTAINER_ACTIVE;
        record->created_usec = UINT64_C(1700000000000000);
        record->uid_base = 100000;
        record->uid_count = 65536;
        record->leader_pid = 4242;
        record->leader_start_ticks = UINT64_MAX;
        record->started_usec = 123456789012;
        record->unit = strdup("warden-0123456789a.scope");
        record->next_job = UINT32_MAX;
        record->jobs_dropped = UINT64_MAX;
        record->project_id = 7000;
        record->oom_kills = 3;
        record->oom_total = 5;
        assert_int_equal(strv_append(&record->events, "out of memory"), 0);
        assert_int_equal(strv_append(&record->events, "later"), 0);
        spec->name = strdup("web");
        spec->hostname = strdup("www");
        spec->is_read_only = 1;
        spec->storage = STORAGE_TMPFS;
        spec->network = NETWORK_HOST;
        spec->oom_policy = OOM_CONTINUE;
        spec->pressure_usec = 150000;
        spec->grace_usec = USEC_INFINITY;
        assert_int_equal(strv_append(&spec->environment, "A=1"), 0);
        assert_int_equal(strv_append(&spec->environment, "B=x=\n"), 0);
        assert_int_equal(container_spec_add_label(spec, "app", "shop", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(spec, "/a", "/b", "ro", NULL), 0);
        assert_int_equal(container_spec_add_bind_mount(spec, "/a", "/c", NULL, NULL), 0);
        assert_int_equal(container_spec_add_tmpfs(spec, "/t:size=1M", NULL), 0);
        assert_int_equal(container_spec_set_private_users(spec, "100000:65536", NULL), 0);
        assert_int_equal(limits_set(&spec->limits, LIMIT_MEMORY_MAX, 1 << 30, NULL), 0);
        assert_int_equal(limits_set(&spec->limits, LIMIT_TASKS_MAX, UINT64_MAX, NULL), 0);
        assert_int_equal(limits_set_cpus(&spec->limits, "0-3,5", NULL), 0);
        assert_int_equal(limits_add_device(&spec->limits, DEVICE_LIMIT_READ_BANDWIDTH, "/dev/sda",
                                           1000, NULL),
                         0);
        spec->limits.devices_set |= 1U << DEVICE_LIMIT_WRITE_IOPS; /* given, and empty */
        assert_int_equal(container_spec_set_slice(spec, "web", NULL), 0);
        return record;
}

static int pass(const ContainerRecord *record, ContainerRecord **ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(container_record_encode(record, &w), 0);
        r = container_record_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void refuse(const ContainerRecord *record)
{
        ContainerRecord *back = NULL;

        assert_int_equal(pass(record, &back), -EBADMSG);
        assert_null(back);
}

static void replace(char **p, const char *s)
{
        free(*p);
        *p = s ? strdup(s) : NULL;
}

static void test_smallest(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_record(), *back = NULL;

        assert_int_equal(pass(record, &back), 0);
        assert_string_equal(back->id, "0123456789a");
        assert_int_equal(back->state, CONTAINER_CREATING);
        assert_null(back->unit);
        assert_null(back->spec->name);
        assert_null(back->spec->hostname);
        assert_int_equal(back->spec->private_users, PRIVATE_USERS_AUTO);
        assert_int_equal(back->spec->grace_usec, GRACE_USEC_DEFAULT);
        assert_int_equal(back->spec->limits.set, 0);
        assert_int_equal(back->spec->oom_policy, OOM_STOP);
        assert_int_equal(back->spec->pressure_usec, 0);
        assert_null(back->spec->interface_name);
        assert_null(back->spec->interfaces);
        assert_null(back->spec->segment);
        assert_int_equal(strv_length(back->events), 0);
        assert_int_equal(back->spec->n_bind_mounts, 0);
        assert_int_equal(strv_length(back->spec->environment), 0);
}

static void test_network(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_record(), *back = NULL;
        ContainerSpec *spec = record->spec;
        EgressRule rule = EGRESS_RULE_INIT;
        PortForward forward;

        assert_int_equal(port_forward_parse("8080:80", &forward, NULL), 0);
        assert_int_equal(port_forwards_append(&spec->forwards, &spec->n_forwards, &forward, NULL),
                         0);
        assert_int_equal(port_forward_parse("[::1]:53:53/udp", &forward, NULL), 0);
        assert_int_equal(port_forwards_append(&spec->forwards, &spec->n_forwards, &forward, NULL),
                         0);
        rule.protocol = NETWORK_PROTOCOL_TCP;
        assert_int_equal(egress_rule_add_network(&rule, "10.0.0.0/8", NULL), 0);
        assert_int_equal(egress_rule_add_ports(&rule, "443", NULL), 0);
        assert_int_equal(egress_rules_append(&spec->egress, &spec->n_egress, &rule, NULL), 0);
        spec->interface_name = strdup("net0");
        assert_int_equal(bandwidth_limits_set(&spec->limits.bandwidth, "BandwidthTransmitMax",
                                              &(Bandwidth){ UINT64_MAX, 4096 }, NULL),
                         0);
        spec->segment = strdup("blue");
        assert_int_equal(strv_append(&spec->interfaces, "eth7"), 0);
        assert_int_equal(pass(record, &back), 0);
        assert_string_equal(back->spec->interface_name, "net0");
        assert_true(limits_are_equal(&back->spec->limits, &spec->limits));
        assert_int_equal(back->spec->limits.bandwidth.set, 1U << BANDWIDTH_TRANSMIT);
        assert_string_equal(back->spec->segment, "blue");
        assert_true(strv_equal(back->spec->interfaces, spec->interfaces));
        assert_int_equal(back->spec->n_forwards, 2);
        assert_true(port_forward_equal(&back->spec->forwards[1], &forward));
        assert_int_equal(back->spec->n_egress, 1);
        assert_true(egress_rule_equal(&back->spec->egress[0], &spec->egress[0]));

        /* Of a network that has none. */
        record->spec->network = NETWORK_NONE;
        refuse(record);
        record->spec->network = NETWORK_PRIVATE;
        record->spec->forwards[0].container_port = 0;
        refuse(record);
}

static void expect_full_spec(const ContainerSpec *spec)
{
        assert_string_equal(spec->name, "web");
        assert_string_equal(spec->hostname, "www");
        assert_string_equal(spec->root_directory, "/srv/root");
        assert_true(spec->is_read_only);
        assert_int_equal(spec->storage, STORAGE_TMPFS);
        assert_int_equal(spec->network, NETWORK_HOST);
        assert_int_equal(spec->oom_policy, OOM_CONTINUE);
        assert_int_equal(spec->pressure_usec, 150000);
        assert_true(spec->grace_usec == USEC_INFINITY);
        assert_int_equal(strv_length(spec->environment), 2);
        assert_string_equal(spec->environment[1], "B=x=\n");
        assert_int_equal(strv_length(spec->labels), 1);
        assert_string_equal(spec->labels[0], "app=shop");
        assert_int_equal(spec->n_bind_mounts, 2);
        assert_true(spec->bind_mounts[0].is_read_only);
        assert_string_equal(spec->bind_mounts[1].destination, "/c");
        assert_int_equal(spec->n_tmpfs_mounts, 1);
        assert_int_equal(spec->tmpfs_mounts[0].size_bytes, 1 << 20);
        assert_int_equal(spec->private_users, PRIVATE_USERS_RANGE);
        assert_int_equal(spec->uid_base, 100000);
        assert_int_equal(spec->uid_count, 65536);
        assert_int_equal(spec->limits.set, 1U << LIMIT_MEMORY_MAX | 1U << LIMIT_TASKS_MAX);
        assert_int_equal(spec->limits.values[LIMIT_MEMORY_MAX], 1 << 30);
        assert_true(spec->limits.values[LIMIT_TASKS_MAX] == UINT64_MAX);
        assert_true(spec->limits.has_cpus);
        assert_int_equal(spec->limits.cpus.bits[0], 0x2f);
        assert_int_equal(spec->limits.devices.n_items, 1);
        assert_string_equal(spec->limits.devices.items[0].node, "/dev/sda");
        assert_int_equal(spec->limits.devices.items[0].value, 1000);
        assert_int_equal(spec->limits.devices_set,
                         1U << DEVICE_LIMIT_READ_BANDWIDTH | 1U << DEVICE_LIMIT_WRITE_IOPS);
        assert_string_equal(spec->slice, "warden-web.slice");
}

static void test_full(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_full_record(), *back = NULL;
        WireWriter a = WIRE_WRITER_INIT, b = WIRE_WRITER_INIT;

        assert_int_equal(container_record_encode(record, &a), 0);
        assert_int_equal(container_record_decode(a.data, a.size, &back), 0);
        assert_int_equal(back->state, CONTAINER_ACTIVE);
        assert_true(back->created_usec == record->created_usec);
        assert_int_equal(back->uid_base, 100000);
        assert_int_equal(back->uid_count, 65536);
        assert_int_equal(back->leader_pid, 4242);
        assert_true(back->leader_start_ticks == UINT64_MAX);
        assert_true(back->started_usec == 123456789012);
        assert_string_equal(back->unit, "warden-0123456789a.scope");
        assert_int_equal(back->next_job, UINT32_MAX);
        assert_true(back->jobs_dropped == UINT64_MAX);
        assert_int_equal(back->project_id, 7000);
        assert_int_equal(back->oom_kills, 3);
        assert_int_equal(back->oom_total, 5);
        assert_int_equal(strv_length(back->events), 2);
        assert_string_equal(back->events[1], "later");
        expect_full_spec(back->spec);

        assert_int_equal(container_record_encode(back, &b), 0);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        wire_writer_done(&a);
        wire_writer_done(&b);
}

static void test_states(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_record();

        for (int i = 0; i < _CONTAINER_STATE_MAX; i++) {
                _drop_(drop_container_record) ContainerRecord *back = NULL;

                record->state = (ContainerState)i;
                assert_int_equal(pass(record, &back), 0);
                assert_int_equal(back->state, i);
        }
        record->state = _CONTAINER_STATE_INVALID;
        refuse(record);
}

static void test_names(void **state)
{
        static const char *const units[] = { "",          "x",         ".scope",    "a.",
                                             "a/b.scope", "a b.scope", "a.scope\n", "../x.scope" };
        _drop_(drop_container_record) ContainerRecord *record = make_full_record(), *back = NULL;

        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                replace(&record->unit, units[i]);
                refuse(record);
        }
        replace(&record->unit, "user@1000.service");
        replace(&record->id, "../../../..");
        refuse(record);
        replace(&record->id, NULL);
        refuse(record);
        replace(&record->id, "0123456789a");
        replace(&record->spec->name, "a/b");
        refuse(record);
        replace(&record->spec->name, "a");
        assert_int_equal(pass(record, &back), 0);
}

static void test_spec(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_full_record();

        record->spec->limits.values[LIMIT_TASKS_MAX] = 1;
        refuse(record);
        record->spec->limits.values[LIMIT_TASKS_MAX] = 2;
        replace(&record->spec->environment[0], "no assignment");
        refuse(record);
        replace(&record->spec->environment[0], "A=");
        replace(&record->spec->bind_mounts[0].source, "relative");
        refuse(record);
        replace(&record->spec->bind_mounts[0].source, "/a");
        replace(&record->spec->bind_mounts[0].destination, "/c"); /* twice */
        refuse(record);
        replace(&record->spec->bind_mounts[0].destination, "/b");
        record->spec->uid_base = 0;
        refuse(record);
        record->spec->uid_base = 1;
        replace(&record->spec->root_directory, NULL);
        refuse(record);
}

/* The last field of the spec is a limit: writes it a second time, and counts it in. */
static void test_limit_twice(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_full_record();
        const size_t limit = 6 + 6 + sizeof("TasksMax") + 6 + 8;
        WireWriter w = WIRE_WRITER_INIT;
        ContainerRecord *back = NULL;
        _drop_(drop_free) uint8_t *data = NULL;
        WireReader reader;
        WireField f;
        size_t at;

        assert_int_equal(container_record_encode(record, &w), 0);
        reader = WIRE_READER(w.data, w.size);
        while (reader.offset < reader.size)
                assert_int_equal(wire_next(&reader, &f), 1);
        at = (size_t)(f.data - w.data) - 4;
        assert_in_range(f.size, 256, 65535 - limit);
        data = malloc(w.size + limit);
        assert_non_null(data);
        memcpy(data, w.data, w.size);
        memcpy(data + w.size, w.data + w.size - limit, limit);
        data[at] = (uint8_t)(f.size + limit);
        data[at + 1] = (uint8_t)((f.size + limit) >> 8);
        assert_int_equal(container_record_decode(data, w.size + limit, &back), -EBADMSG);

        /* The same, but of another resource, is fine. */
        memcpy(data + w.size + 12, "IOWeight", 8);
        data[w.size + limit - 8] = 100;
        memset(data + w.size + limit - 7, 0, 7);
        assert_int_equal(container_record_decode(data, w.size + limit, &back), 0);
        assert_int_equal(back->spec->limits.values[LIMIT_IO_WEIGHT], 100);
        container_record_free(back);
        wire_writer_done(&w);
}

static void test_ranges(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_full_record();

        record->uid_base = 0;
        refuse(record);
        record->uid_base = UINT32_MAX;
        refuse(record);
        record->uid_base = 1;
        record->leader_pid = 1U << 31;
        refuse(record);
}

static void test_truncation(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_full_record();
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(container_record_encode(record, &w), 0);
        for (size_t size = 0; size < w.size; size++) {
                ContainerRecord *back = NULL;

                assert_int_equal(container_record_decode(w.data, size, &back), -EBADMSG);
                assert_null(back);
        }
        wire_writer_done(&w);
}

static void test_missing_spec(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        ContainerRecord *back = NULL;

        record_begin(&w, RECORD_CONTAINER, CONTAINER_RECORD_VERSION);
        wire_put_string(&w, 1, "0123456789a");
        assert_int_equal(container_record_decode(w.data, w.size, &back), -EBADMSG);
        wire_writer_done(&w);
}

static void test_versions(void **state)
{
        _drop_(drop_container_record) ContainerRecord *record = make_record(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(container_record_encode(record, &w), 0);
        wire_put_string(&w, 999, "of a newer daemon");
        assert_int_equal(container_record_decode(w.data, w.size, &back), 0);
        wire_put_u64(&w, 9, 1); /* a second next job */
        assert_int_equal(container_record_decode(w.data, w.size, &(ContainerRecord *){ NULL }),
                         -EBADMSG);
        w.data[6]++;
        assert_int_equal(container_record_decode(w.data, w.size, &(ContainerRecord *){ NULL }),
                         -EPROTONOSUPPORT);
        wire_writer_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries the smallest container with its defaults", test_smallest },
                { "carries every member, and again to the byte", test_full },
                { "carries forwards and rules of egress", test_network },
                { "carries every state and refuses what is none", test_states },
                { "checks ids, names and units again", test_names },
                { "checks the spec as if a client had sent it", test_spec },
                { "refuses a limit that comes twice", test_limit_twice },
                { "refuses ranges and pids that cannot be", test_ranges },
                { "refuses every cut", test_truncation },
                { "refuses a container without a spec", test_missing_spec },
                { "knows its version, second values, and unknown tags", test_versions },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
