/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "model/name.h"
#include "wire/container-record.h"
#include "wire/firewall-message.h"
#include "wire/network-wire.h"
#include "wire/plan-wire.h"
#include "wire/record.h"

enum {
        TAG_ID = 1,
        TAG_STATE,
        TAG_CREATED_USEC,
        TAG_UID_BASE,
        TAG_UID_COUNT,
        TAG_LEADER_PID,
        TAG_LEADER_START_TICKS,
        TAG_UNIT,
        TAG_NEXT_JOB,
        TAG_SPEC, /* nested: TAG_SPEC_* */
        TAG_JOBS_DROPPED,
        TAG_OOM_KILLS,
        TAG_PROJECT_ID,
        TAG_OOM_TOTAL,
        TAG_NETWORK,      /* NetworkAddresses */
        TAG_STARTED_USEC, /* may be missing */
        _TAG_MAX,
        /* repeated */
        TAG_EVENT = 64,
};

enum {
        TAG_SPEC_NAME = 1,
        TAG_SPEC_ROOT_DIRECTORY,
        TAG_SPEC_HOSTNAME,
        TAG_SPEC_PRIVATE_USERS, /* string, as container_spec_set_private_users() takes it */
        TAG_SPEC_NETWORK,
        TAG_SPEC_READ_ONLY,
        TAG_SPEC_GRACE_USEC,
        TAG_SPEC_STORAGE, /* may be missing */
        TAG_SPEC_SLICE,   /* may be missing */
        TAG_SPEC_OOM_POLICY,
        TAG_SPEC_NETWORK_POOL,
        TAG_SPEC_ADDRESS,
        TAG_SPEC_MTU,
        TAG_SPEC_PRESSURE_USEC, /* may be missing */
        TAG_SPEC_INTERFACE_NAME,
        TAG_SPEC_SEGMENT, /* may be missing */
        _TAG_SPEC_ONCE_MAX,
        /* repeated */
        TAG_SPEC_ENVIRONMENT = 32,
        TAG_SPEC_LABEL,
        TAG_SPEC_BIND_MOUNT,
        TAG_SPEC_TMPFS_MOUNT,
        TAG_SPEC_LIMIT, /* nested: TAG_LIMIT_* */
        TAG_SPEC_FORWARD = 48,
        TAG_SPEC_EGRESS,
        TAG_SPEC_DNS,
        TAG_SPEC_DNS_SEARCH,
        TAG_SPEC_BANDWIDTH = 60,
        TAG_SPEC_INTERFACE,
};

enum {
        TAG_LIMIT_NAME = 1, /* as systemd spells it */
        TAG_LIMIT_VALUE,
        TAG_LIMIT_TEXT, /* without a value: processors; with one: the value's device node; alone
                         * with the name of a list: that the list is given, which may be empty */
        _TAG_LIMIT_MAX,
};

#define UNIT_NAME_MAX 255

ContainerRecord *container_record_new(void)
{
        ContainerRecord *record = calloc(1, sizeof(*record));

        if (!record)
                return NULL;
        record->spec = container_spec_new();
        if (!record->spec)
                return container_record_free(record);
        return record;
}

ContainerRecord *container_record_free(ContainerRecord *record)
{
        if (!record)
                return NULL;
        container_spec_free(record->spec);
        free(record->id);
        free(record->unit);
        strv_free(record->events);
        free(record);
        return NULL;
}

static void limit_encode(WireWriter *w, const char *name, const char *text, const uint64_t *value)
{
        size_t mark = wire_begin(w, TAG_SPEC_LIMIT);

        wire_put_string(w, TAG_LIMIT_NAME, name);
        if (value)
                wire_put_u64(w, TAG_LIMIT_VALUE, *value);
        wire_put_string(w, TAG_LIMIT_TEXT, text);
        wire_end(w, mark);
}

static void limits_encode(const Limits *limits, WireWriter *w)
{
        char cpus[CPU_SET_TEXT_MAX];

        if (limits->has_cpus) {
                cpu_set_format(&limits->cpus, cpus);
                limit_encode(w, LIMIT_NAME_CPUS, cpus, NULL);
        }
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX; i++)
                if (limits_has_devices(limits, (DeviceLimitKind)i))
                        limit_encode(w, device_limit_kind_to_string((DeviceLimitKind)i), NULL,
                                     NULL);
        for (size_t i = 0; i < limits->devices.n_items; i++) {
                const DeviceLimit *item = &limits->devices.items[i];

                limit_encode(w, device_limit_kind_to_string(item->kind), item->node, &item->value);
        }
        for (int i = 0; i < _LIMIT_MAX; i++)
                if (limits_has(limits, (Limit)i))
                        limit_encode(w, limit_to_string((Limit)i), NULL, &limits->values[i]);
}

static void spec_encode_network(const ContainerSpec *spec, WireWriter *w)
{
        _drop_(drop_free) char *network = container_spec_format_network(spec);

        if (!network)
                w->error = -ENOMEM;
        wire_put_string(w, TAG_SPEC_NETWORK, network);
        wire_put_string(w, TAG_SPEC_NETWORK_POOL, spec->network_pool);
        wire_put_string(w, TAG_SPEC_ADDRESS, spec->address);
        wire_put_string(w, TAG_SPEC_INTERFACE_NAME, spec->interface_name);
        wire_put_string(w, TAG_SPEC_SEGMENT, spec->segment);
        if (spec->mtu > 0)
                wire_put_u64(w, TAG_SPEC_MTU, spec->mtu);
        wire_put_strv(w, TAG_SPEC_INTERFACE, spec->interfaces);
        wire_put_strv(w, TAG_SPEC_DNS, spec->dns);
        wire_put_strv(w, TAG_SPEC_DNS_SEARCH, spec->dns_search);
}

static void spec_encode(const ContainerSpec *spec, WireWriter *w)
{
        char private_users[32];

        container_spec_format_private_users(spec, private_users, sizeof(private_users));
        wire_put_string(w, TAG_SPEC_NAME, spec->name);
        wire_put_string(w, TAG_SPEC_ROOT_DIRECTORY, spec->root_directory);
        wire_put_string(w, TAG_SPEC_HOSTNAME, spec->hostname);
        wire_put_string(w, TAG_SPEC_PRIVATE_USERS, private_users);
        spec_encode_network(spec, w);
        wire_put_u64(w, TAG_SPEC_READ_ONLY, spec->is_read_only ? 1 : 0);
        wire_put_u64(w, TAG_SPEC_GRACE_USEC, spec->grace_usec);
        wire_put_string(w, TAG_SPEC_STORAGE, storage_kind_to_string(spec->storage));
        wire_put_string(w, TAG_SPEC_SLICE, spec->slice);
        wire_put_string(w, TAG_SPEC_OOM_POLICY, oom_policy_to_string(spec->oom_policy));
        if (spec->pressure_usec > 0)
                wire_put_u64(w, TAG_SPEC_PRESSURE_USEC, spec->pressure_usec);
        wire_put_strv(w, TAG_SPEC_ENVIRONMENT, spec->environment);
        wire_put_strv(w, TAG_SPEC_LABEL, spec->labels);
        mounts_encode(w, TAG_SPEC_BIND_MOUNT, TAG_SPEC_TMPFS_MOUNT, spec->bind_mounts,
                      spec->n_bind_mounts, spec->tmpfs_mounts, spec->n_tmpfs_mounts);
        for (size_t i = 0; i < spec->n_forwards; i++)
                port_forward_encode(&spec->forwards[i], TAG_SPEC_FORWARD, w);
        for (size_t i = 0; i < spec->n_egress; i++)
                egress_rule_encode(&spec->egress[i], TAG_SPEC_EGRESS, w);
        limits_encode(&spec->limits, w);
        bandwidth_limits_encode(w, TAG_SPEC_BANDWIDTH, &spec->limits.bandwidth);
}

int container_record_encode(const ContainerRecord *record, WireWriter *w)
{
        size_t mark;

        record_begin(w, RECORD_CONTAINER, CONTAINER_RECORD_VERSION);
        wire_put_string(w, TAG_ID, record->id);
        wire_put_string(w, TAG_STATE, container_state_to_string(record->state));
        wire_put_u64(w, TAG_CREATED_USEC, record->created_usec);
        wire_put_u64(w, TAG_UID_BASE, record->uid_base);
        wire_put_u64(w, TAG_UID_COUNT, record->uid_count);
        wire_put_u64(w, TAG_LEADER_PID, record->leader_pid);
        wire_put_u64(w, TAG_LEADER_START_TICKS, record->leader_start_ticks);
        wire_put_u64(w, TAG_STARTED_USEC, record->started_usec);
        wire_put_string(w, TAG_UNIT, record->unit);
        wire_put_u64(w, TAG_NEXT_JOB, record->next_job);
        wire_put_u64(w, TAG_JOBS_DROPPED, record->jobs_dropped);
        wire_put_u64(w, TAG_OOM_KILLS, record->oom_kills);
        wire_put_u64(w, TAG_PROJECT_ID, record->project_id);
        wire_put_u64(w, TAG_OOM_TOTAL, record->oom_total);
        wire_put_strv(w, TAG_EVENT, record->events);
        if (record->has_network)
                network_addresses_encode(w, TAG_NETWORK, &record->network);
        mark = wire_begin(w, TAG_SPEC);
        spec_encode(record->spec, w);
        wire_end(w, mark);
        return w->error;
}

/* What a parser of the model refuses is, here, a file that we did not write. */
static int as_bad_message(int r)
{
        return r >= 0 || r == -ENOMEM ? r : -EBADMSG;
}

typedef struct LimitRow {
        const char *name, *text;
        uint64_t value;
        int has_value;
} LimitRow;

static int limit_row_read(const WireField *f, LimitRow *row)
{
        WireReader reader = WIRE_READER(f->data, f->size);
        uint64_t seen = 0;
        WireField part;
        int r;

        while ((r = wire_next(&reader, &part)) > 0) {
                if (part.tag == 0 || part.tag >= _TAG_LIMIT_MAX)
                        continue;
                r = wire_once(&seen, part.tag);
                if (r < 0)
                        return r;
                if (part.tag == TAG_LIMIT_VALUE) {
                        r = wire_get_u64(&part, &row->value);
                        row->has_value = 1;
                } else {
                        r = wire_get_string(&part,
                                            part.tag == TAG_LIMIT_NAME ? &row->name : &row->text);
                }
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : row->name ? 0 : -EBADMSG;
}

static int limit_decode(Limits *limits, const WireField *f)
{
        LimitRow row = { .name = NULL };
        DeviceLimitKind kind;
        Limit limit;
        int r;

        r = limit_row_read(f, &row);
        if (r < 0)
                return r;
        if (strcmp(row.name, LIMIT_NAME_CPUS) == 0) {
                if (row.has_value || !row.text || limits->has_cpus)
                        return -EBADMSG;
                return as_bad_message(limits_set_cpus(limits, row.text, NULL));
        }
        kind = device_limit_kind_from_string(row.name);
        if ((int)kind >= 0) {
                if (!row.text != !row.has_value)
                        return -EBADMSG;
                limits->devices_set |= UINT32_C(1) << kind;
                return row.text ? as_bad_message(limits_add_device(limits, kind, row.text,
                                                                   row.value, NULL))
                                : 0;
        }
        limit = limit_from_string(row.name);
        if ((int)limit < 0 || !row.has_value || row.text || limits_has(limits, limit))
                return -EBADMSG;
        return as_bad_message(limits_set(limits, limit, row.value, NULL));
}

static int spec_decode_mount(ContainerSpec *spec, const WireField *f)
{
        _drop_(bind_mount_done) BindMount bind_mount = { 0 };
        _drop_(tmpfs_mount_done) TmpfsMount tmpfs_mount = { 0 };
        int r;

        if (f->tag == TAG_SPEC_BIND_MOUNT) {
                if (spec->n_bind_mounts >= BIND_MOUNTS_MAX)
                        return -EBADMSG;
                r = bind_mount_decode(f, &bind_mount);
                return r < 0 ? r
                             : bind_mounts_append(&spec->bind_mounts, &spec->n_bind_mounts,
                                                  &bind_mount);
        }
        if (spec->n_tmpfs_mounts >= TMPFS_MAX)
                return -EBADMSG;
        r = tmpfs_mount_decode(f, &tmpfs_mount);
        return r < 0 ? r
                     : tmpfs_mounts_append(&spec->tmpfs_mounts, &spec->n_tmpfs_mounts,
                                           &tmpfs_mount);
}

static int spec_decode_forward(ContainerSpec *spec, const WireField *f)
{
        PortForward forward;
        int r = port_forward_decode(f, &forward);

        return r < 0 ? r
                     : as_bad_message(port_forwards_append(&spec->forwards, &spec->n_forwards,
                                                           &forward, NULL));
}

static int spec_decode_egress(ContainerSpec *spec, const WireField *f)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        int r = egress_rule_decode(f, &rule);

        return r < 0 ? r
                     : as_bad_message(
                               egress_rules_append(&spec->egress, &spec->n_egress, &rule, NULL));
}

static int spec_decode_field(ContainerSpec *spec, const WireField *f)
{
        const char *s;
        int r;

        switch (f->tag) {
        case TAG_SPEC_NAME:
                return wire_dup_string(f, &spec->name);
        case TAG_SPEC_ROOT_DIRECTORY:
                return wire_dup_string(f, &spec->root_directory);
        case TAG_SPEC_HOSTNAME:
                return wire_dup_string(f, &spec->hostname);
        case TAG_SPEC_PRIVATE_USERS:
                r = wire_get_string(f, &s);
                return r < 0 ? r : as_bad_message(container_spec_set_private_users(spec, s, NULL));
        case TAG_SPEC_NETWORK:
                r = wire_get_string(f, &s);
                return r < 0 ? r : as_bad_message(container_spec_set_network(spec, s, NULL));
        case TAG_SPEC_NETWORK_POOL:
                return wire_dup_string(f, &spec->network_pool);
        case TAG_SPEC_ADDRESS:
                return wire_dup_string(f, &spec->address);
        case TAG_SPEC_INTERFACE_NAME:
                return wire_dup_string(f, &spec->interface_name);
        case TAG_SPEC_SEGMENT:
                return wire_dup_string(f, &spec->segment);
        case TAG_SPEC_MTU:
                return wire_get_u32(f, &spec->mtu);
        case TAG_SPEC_READ_ONLY:
                return wire_get_flag(f, &spec->is_read_only);
        case TAG_SPEC_GRACE_USEC:
                return wire_get_u64(f, &spec->grace_usec);
        case TAG_SPEC_PRESSURE_USEC:
                return wire_get_u64(f, &spec->pressure_usec);
        case TAG_SPEC_STORAGE:
                r = wire_get_string(f, &s);
                if (r < 0)
                        return r;
                spec->storage = storage_kind_from_string(s);
                return 0;
        case TAG_SPEC_SLICE:
                return wire_dup_string(f, &spec->slice);
        case TAG_SPEC_OOM_POLICY:
                r = wire_get_string(f, &s);
                if (r < 0)
                        return r;
                spec->oom_policy = oom_policy_from_string(s);
                return 0;
        case TAG_SPEC_BIND_MOUNT:
        case TAG_SPEC_TMPFS_MOUNT:
                return spec_decode_mount(spec, f);
        case TAG_SPEC_LIMIT:
                return limit_decode(&spec->limits, f);
        case TAG_SPEC_BANDWIDTH:
                return bandwidth_limits_decode(f, &spec->limits.bandwidth);
        case TAG_SPEC_FORWARD:
                return spec_decode_forward(spec, f);
        case TAG_SPEC_EGRESS:
                return spec_decode_egress(spec, f);
        }
        return 0;
}

/* A list that was not given is NULL in a spec; what is read from a file is there and empty. */
static void forget_empty(char ***list)
{
        if (*list && !**list)
                *list = strv_free(*list);
}

static int spec_decode(ContainerSpec *spec, const WireField *nested)
{
        WireReader reader = WIRE_READER(nested->data, nested->size);
        uint64_t seen = 0;
        WireField f;
        int r;

        r = wire_dup_strv(reader, TAG_SPEC_ENVIRONMENT, &spec->environment);
        if (r < 0)
                return r;
        r = wire_dup_strv(reader, TAG_SPEC_LABEL, &spec->labels);
        if (r >= 0)
                r = wire_dup_strv(reader, TAG_SPEC_DNS, &spec->dns);
        if (r >= 0)
                r = wire_dup_strv(reader, TAG_SPEC_DNS_SEARCH, &spec->dns_search);
        if (r >= 0)
                r = wire_dup_strv(reader, TAG_SPEC_INTERFACE, &spec->interfaces);
        if (r < 0)
                return r;
        forget_empty(&spec->dns);
        forget_empty(&spec->dns_search);
        forget_empty(&spec->interfaces);
        while ((r = wire_next(&reader, &f)) > 0) {
                r = f.tag < _TAG_SPEC_ONCE_MAX ? wire_once(&seen, f.tag) : 0;
                if (r < 0)
                        return r;
                r = spec_decode_field(spec, &f);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : as_bad_message(container_spec_validate(spec, NULL));
}

static int container_record_decode_field(ContainerRecord *record, const WireField *f)
{
        const char *s;
        int r;

        switch (f->tag) {
        case TAG_ID:
                return wire_dup_string(f, &record->id);
        case TAG_STATE:
                r = wire_get_string(f, &s);
                if (r < 0)
                        return r;
                record->state = container_state_from_string(s);
                return (int)record->state < 0 ? -EBADMSG : 0;
        case TAG_CREATED_USEC:
                return wire_get_u64(f, &record->created_usec);
        case TAG_UID_BASE:
                return wire_get_u32(f, &record->uid_base);
        case TAG_UID_COUNT:
                return wire_get_u32(f, &record->uid_count);
        case TAG_LEADER_PID:
                return wire_get_u32(f, &record->leader_pid);
        case TAG_LEADER_START_TICKS:
                return wire_get_u64(f, &record->leader_start_ticks);
        case TAG_STARTED_USEC:
                return wire_get_u64(f, &record->started_usec);
        case TAG_UNIT:
                return wire_dup_string(f, &record->unit);
        case TAG_NEXT_JOB:
                return wire_get_u32(f, &record->next_job);
        case TAG_JOBS_DROPPED:
                return wire_get_u64(f, &record->jobs_dropped);
        case TAG_OOM_KILLS:
                return wire_get_u64(f, &record->oom_kills);
        case TAG_PROJECT_ID:
                return wire_get_u32(f, &record->project_id);
        case TAG_OOM_TOTAL:
                return wire_get_u64(f, &record->oom_total);
        case TAG_NETWORK:
                record->has_network = 1;
                return network_addresses_decode(f, &record->network);
        case TAG_SPEC:
                return spec_decode(record->spec, f);
        }
        return 0;
}

/* The characters that systemd takes in a unit's name, and a suffix. */
static int unit_name_is_valid(const char *unit)
{
        static const char characters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@";
        const char *dot = strrchr(unit, '.');

        return dot && dot != unit && dot[1] && strlen(unit) <= UNIT_NAME_MAX &&
               unit[strspn(unit, characters)] == 0;
}

static int container_record_check(const ContainerRecord *record, uint64_t seen)
{
        const uint64_t all = (UINT64_C(1) << _TAG_MAX) - 2;
        const uint64_t optional = UINT64_C(1) << TAG_UNIT | UINT64_C(1) << TAG_JOBS_DROPPED |
                                  UINT64_C(1) << TAG_OOM_KILLS | UINT64_C(1) << TAG_PROJECT_ID |
                                  UINT64_C(1) << TAG_OOM_TOTAL | UINT64_C(1) << TAG_NETWORK;

        if ((seen | optional) != all || !id_is_valid(record->id))
                return -EBADMSG;
        if (record->unit && !unit_name_is_valid(record->unit))
                return -EBADMSG;
        if (record->uid_count > 0 && !uid_range_is_valid(record->uid_base, record->uid_count))
                return -EBADMSG;
        if (record->leader_pid > INT32_MAX)
                return -EBADMSG;
        return 0;
}

int container_record_decode(const void *data, size_t size, ContainerRecord **ret)
{
        _drop_(drop_container_record) ContainerRecord *record = container_record_new();
        WireReader reader;
        uint64_t seen = 0;
        WireField f;
        int r;

        if (!record)
                return -ENOMEM;
        r = record_open(data, size, RECORD_CONTAINER, CONTAINER_RECORD_VERSION, &reader);
        if (r >= 0)
                r = wire_dup_strv(reader, TAG_EVENT, &record->events);
        if (r < 0)
                return r;
        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == 0 || f.tag >= _TAG_MAX)
                        continue;
                r = wire_once(&seen, f.tag);
                if (r < 0)
                        return r;
                r = container_record_decode_field(record, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = container_record_check(record, seen);
        if (r < 0)
                return r;

        *ret = take_ptr(record);
        return 0;
}
