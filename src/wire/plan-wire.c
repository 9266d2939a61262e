/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Enums travel by name and mounts as the client wrote them: neither depends on how a struct is laid
 * out, and decoding goes through the parsers that also check what a client says. */

#include <errno.h>

#include "model/name.h"
#include "wire/network-wire.h"
#include "wire/plan-wire.h"

enum {
        TAG_ID = 1,
        TAG_NAME,
        TAG_HOSTNAME,
        TAG_ROOT_DIRECTORY,
        TAG_LAYER_DIRECTORY,
        TAG_RUNTIME_DIRECTORY,
        TAG_UID_BASE,
        TAG_UID_COUNT,
        TAG_NETWORK,
        TAG_READ_ONLY,
        TAG_TIMEOUT_USEC,
        TAG_STORAGE,
        TAG_DISK_BYTES,
        TAG_DISK_INODES,
        TAG_PROJECT_ID,
        _TAG_ONCE_MAX,
        TAG_BIND_MOUNT = 32,
        TAG_TMPFS_MOUNT,
        /* once at most */
        TAG_NETWORK_TARGET = 40,
        TAG_ADDRESSES, /* NetworkAddresses */
        TAG_MTU,
        TAG_RESOLV_CONF,
        TAG_HOSTS,
        TAG_INTERFACE_NAME,
        _TAG_NETWORK_MAX,
        TAG_BANDWIDTH = 60, /* repeated */
        TAG_INTERFACE,      /* repeated */
};

enum {
        TAG_MOUNT_SOURCE = 1,
        TAG_MOUNT_DESTINATION,
        TAG_MOUNT_OPTIONS,
        _TAG_MOUNT_MAX,
};

void mounts_encode(WireWriter *w, uint16_t bind_tag, uint16_t tmpfs_tag,
                   const BindMount *bind_mounts, size_t n_bind_mounts,
                   const TmpfsMount *tmpfs_mounts, size_t n_tmpfs_mounts)
{
        for (size_t i = 0; i < n_bind_mounts; i++) {
                size_t mark = wire_begin(w, bind_tag);

                wire_put_string(w, TAG_MOUNT_SOURCE, bind_mounts[i].source);
                wire_put_string(w, TAG_MOUNT_DESTINATION, bind_mounts[i].destination);
                wire_put_string(w, TAG_MOUNT_OPTIONS, bind_mounts[i].options);
                wire_end(w, mark);
        }
        for (size_t i = 0; i < n_tmpfs_mounts; i++)
                wire_put_string(w, tmpfs_tag, tmpfs_mounts[i].text);
}

/* A parser's refusal means that the bytes are not of our making. */
static int as_bad_message(int r)
{
        return r >= 0 || r == -ENOMEM ? r : -EBADMSG;
}

int bind_mount_decode(const WireField *f, BindMount *ret)
{
        WireReader reader = WIRE_READER(f->data, f->size);
        const char *parts[_TAG_MOUNT_MAX] = { NULL };
        uint64_t seen = 0;
        WireField part;
        int r;

        while ((r = wire_next(&reader, &part)) > 0) {
                if (part.tag == 0 || part.tag >= _TAG_MOUNT_MAX)
                        continue;
                r = wire_once(&seen, part.tag);
                if (r < 0)
                        return r;
                r = wire_get_string(&part, &parts[part.tag]);
                if (r < 0)
                        return r;
        }
        if (r < 0 || !parts[TAG_MOUNT_SOURCE] || !parts[TAG_MOUNT_DESTINATION] ||
            !parts[TAG_MOUNT_OPTIONS])
                return -EBADMSG;
        return as_bad_message(bind_mount_parse(parts[TAG_MOUNT_SOURCE],
                                               parts[TAG_MOUNT_DESTINATION],
                                               parts[TAG_MOUNT_OPTIONS], ret, NULL));
}

int tmpfs_mount_decode(const WireField *f, TmpfsMount *ret)
{
        const char *text;
        int r;

        r = wire_get_string(f, &text);
        if (r < 0)
                return r;
        return as_bad_message(tmpfs_mount_parse(text, ret, NULL));
}

int plan_encode(const Plan *plan, WireWriter *w)
{
        wire_put_string(w, TAG_ID, plan->id);
        wire_put_string(w, TAG_NAME, plan->name);
        wire_put_string(w, TAG_HOSTNAME, plan->hostname);
        wire_put_string(w, TAG_ROOT_DIRECTORY, plan->root_directory);
        wire_put_string(w, TAG_LAYER_DIRECTORY, plan->layer_directory);
        wire_put_string(w, TAG_RUNTIME_DIRECTORY, plan->runtime_directory);
        wire_put_u64(w, TAG_UID_BASE, plan->uid_base);
        wire_put_u64(w, TAG_UID_COUNT, plan->uid_count);
        wire_put_string(w, TAG_NETWORK, network_mode_to_string(plan->network));
        wire_put_u64(w, TAG_READ_ONLY, plan->is_read_only ? 1 : 0);
        wire_put_u64(w, TAG_TIMEOUT_USEC, plan->timeout_usec);
        wire_put_string(w, TAG_STORAGE, storage_kind_to_string(plan->storage));
        wire_put_u64(w, TAG_DISK_BYTES, plan->disk.bytes);
        wire_put_u64(w, TAG_DISK_INODES, plan->disk.inodes);
        wire_put_u64(w, TAG_PROJECT_ID, plan->project_id);
        wire_put_string(w, TAG_NETWORK_TARGET, plan->network_target);
        if (plan->has_addresses)
                network_addresses_encode(w, TAG_ADDRESSES, &plan->addresses);
        if (plan->mtu > 0)
                wire_put_u64(w, TAG_MTU, plan->mtu);
        wire_put_string(w, TAG_RESOLV_CONF, plan->resolv_conf);
        wire_put_string(w, TAG_HOSTS, plan->hosts);
        wire_put_string(w, TAG_INTERFACE_NAME, plan->interface_name);
        bandwidth_limits_encode(w, TAG_BANDWIDTH, &plan->bandwidth);
        wire_put_strv(w, TAG_INTERFACE, plan->interfaces);
        mounts_encode(w, TAG_BIND_MOUNT, TAG_TMPFS_MOUNT, plan->bind_mounts, plan->n_bind_mounts,
                      plan->tmpfs_mounts, plan->n_tmpfs_mounts);
        return w->error;
}

static int plan_decode_network(Plan *plan, const WireField *f)
{
        const char *s;
        int r;

        r = wire_get_string(f, &s);
        if (r < 0)
                return r;
        plan->network = network_mode_from_string(s);
        return (int)plan->network < 0 ? -EBADMSG : 0;
}

static int plan_decode_storage(Plan *plan, const WireField *f)
{
        const char *s;
        int r;

        r = wire_get_string(f, &s);
        if (r < 0)
                return r;
        plan->storage = storage_kind_from_string(s);
        return (int)plan->storage < 0 ? -EBADMSG : 0;
}

static int plan_decode_interface(Plan *plan, const WireField *f)
{
        const char *s;
        int r = wire_get_string(f, &s);

        if (r < 0)
                return r;
        if (!network_interface_name_is_valid(s) || strv_length(plan->interfaces) >= INTERFACES_MAX)
                return -EBADMSG;
        return strv_append(&plan->interfaces, s);
}

/* What only a container with a network has. */
static int plan_decode_extra(Plan *plan, const WireField *f)
{
        switch (f->tag) {
        case TAG_NETWORK_TARGET:
                return wire_dup_string(f, &plan->network_target);
        case TAG_ADDRESSES:
                plan->has_addresses = 1;
                return network_addresses_decode(f, &plan->addresses);
        case TAG_MTU:
                return wire_get_u32(f, &plan->mtu);
        case TAG_RESOLV_CONF:
                return wire_dup_string(f, &plan->resolv_conf);
        case TAG_HOSTS:
                return wire_dup_string(f, &plan->hosts);
        case TAG_INTERFACE_NAME:
                return wire_dup_string(f, &plan->interface_name);
        case TAG_INTERFACE:
                return plan_decode_interface(plan, f);
        case TAG_BANDWIDTH:
                return bandwidth_limits_decode(f, &plan->bandwidth);
        }
        return 0;
}

static int plan_decode_mount(Plan *plan, const WireField *f)
{
        _drop_(bind_mount_done) BindMount bind_mount = { 0 };
        _drop_(tmpfs_mount_done) TmpfsMount tmpfs_mount = { 0 };
        int r;

        if (f->tag == TAG_BIND_MOUNT) {
                if (plan->n_bind_mounts >= BIND_MOUNTS_MAX)
                        return -EBADMSG;
                r = bind_mount_decode(f, &bind_mount);
                return r < 0 ? r
                             : bind_mounts_append(&plan->bind_mounts, &plan->n_bind_mounts,
                                                  &bind_mount);
        }
        if (plan->n_tmpfs_mounts >= TMPFS_MAX)
                return -EBADMSG;
        r = tmpfs_mount_decode(f, &tmpfs_mount);
        return r < 0 ? r
                     : tmpfs_mounts_append(&plan->tmpfs_mounts, &plan->n_tmpfs_mounts,
                                           &tmpfs_mount);
}

static int plan_decode_field(Plan *plan, const WireField *f)
{
        switch (f->tag) {
        case TAG_ID:
                return wire_dup_string(f, &plan->id);
        case TAG_NAME:
                return wire_dup_string(f, &plan->name);
        case TAG_HOSTNAME:
                return wire_dup_string(f, &plan->hostname);
        case TAG_ROOT_DIRECTORY:
                return wire_dup_string(f, &plan->root_directory);
        case TAG_LAYER_DIRECTORY:
                return wire_dup_string(f, &plan->layer_directory);
        case TAG_RUNTIME_DIRECTORY:
                return wire_dup_string(f, &plan->runtime_directory);
        case TAG_UID_BASE:
                return wire_get_u32(f, &plan->uid_base);
        case TAG_UID_COUNT:
                return wire_get_u32(f, &plan->uid_count);
        case TAG_NETWORK:
                return plan_decode_network(plan, f);
        case TAG_READ_ONLY:
                return wire_get_flag(f, &plan->is_read_only);
        case TAG_TIMEOUT_USEC:
                return wire_get_u64(f, &plan->timeout_usec);
        case TAG_STORAGE:
                return plan_decode_storage(plan, f);
        case TAG_DISK_BYTES:
                return wire_get_u64(f, &plan->disk.bytes);
        case TAG_DISK_INODES:
                return wire_get_u64(f, &plan->disk.inodes);
        case TAG_PROJECT_ID:
                return wire_get_u32(f, &plan->project_id);
        case TAG_BIND_MOUNT:
        case TAG_TMPFS_MOUNT:
                return plan_decode_mount(plan, f);
        }
        return plan_decode_extra(plan, f);
}

static int plan_check_network(const Plan *plan)
{
        int is_joined = plan->network == NETWORK_CONTAINER || plan->network == NETWORK_NETNS;

        if (is_joined != !!plan->network_target ||
            (plan->network_target && !path_is_normal(plan->network_target)))
                return 0;
        if (plan->mtu > NETWORK_MTU_MAX ||
            (plan->interface_name && !network_interface_name_is_valid(plan->interface_name)))
                return 0;
        if (plan->interfaces && plan->network != NETWORK_PRIVATE && plan->network != NETWORK_NONE)
                return 0;
        return plan->network == NETWORK_PRIVATE || !plan->has_addresses;
}

/* A directory has a quota by a project or none; an image has a size. */
static int plan_check_storage(const Plan *plan)
{
        Limits limits = { .set = 0 };

        if (limits_set(&limits, LIMIT_DISK_MAX, plan->disk.bytes, NULL) < 0 ||
            limits_set(&limits, LIMIT_DISK_INODES_MAX, plan->disk.inodes, NULL) < 0 ||
            storage_validate(plan->storage, &limits, NULL) < 0)
                return -EBADMSG;
        if (plan->project_id > 0 && plan->storage != STORAGE_DIRECTORY)
                return -EBADMSG;
        return 0;
}

/* A worker acts as root on these: each is checked as if it came from a client. */
static int plan_check(const Plan *plan)
{
        if (!plan->id || !plan->name || !plan->hostname || !plan->root_directory ||
            !plan->layer_directory || !plan->runtime_directory)
                return -EBADMSG;
        if (!id_is_valid(plan->id) || !name_is_valid(plan->name) ||
            !hostname_is_valid(plan->hostname))
                return -EBADMSG;
        if (!path_is_normal(plan->root_directory) || !path_is_normal(plan->layer_directory) ||
            !path_is_normal(plan->runtime_directory))
                return -EBADMSG;
        if (!plan_check_network(plan))
                return -EBADMSG;
        if (plan->uid_count > 0 && !uid_range_is_valid(plan->uid_base, plan->uid_count))
                return -EBADMSG;
        return plan_check_storage(plan);
}

int plan_decode(const void *data, size_t size, Plan **ret)
{
        _drop_(drop_plan) Plan *plan = calloc(1, sizeof(*plan));
        WireReader reader = WIRE_READER(data, size);
        uint64_t seen = 0;
        WireField f;
        int r;

        if (!plan)
                return -ENOMEM;
        while ((r = wire_next(&reader, &f)) > 0) {
                int is_once = f.tag < _TAG_ONCE_MAX ||
                              (f.tag >= TAG_NETWORK_TARGET && f.tag < _TAG_NETWORK_MAX);

                r = is_once ? wire_once(&seen, f.tag) : 0;
                if (r < 0)
                        return r;
                r = plan_decode_field(plan, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        /* All of them are always written; bit 0 would be a tag that is none. */
        if ((seen & ((UINT64_C(1) << _TAG_ONCE_MAX) - 1)) != (UINT64_C(1) << _TAG_ONCE_MAX) - 2)
                return -EBADMSG;
        r = plan_check(plan);
        if (r < 0)
                return r;

        *ret = take_ptr(plan);
        return 0;
}
