/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "basic/parse.h"
#include "model/container-spec.h"
#include "model/network-spec.h"
#include "model/name.h"
#include "model/slice.h"

static const char *const oom_policy_table[_OOM_POLICY_MAX] = {
        [OOM_STOP] = "stop",
        [OOM_KILL] = "kill",
        [OOM_CONTINUE] = "continue",
};

const char *oom_policy_to_string(OomPolicy policy)
{
        return (int)policy >= 0 && policy < _OOM_POLICY_MAX ? oom_policy_table[policy] : NULL;
}

OomPolicy oom_policy_from_string(const char *s)
{
        for (int i = 0; i < _OOM_POLICY_MAX; i++)
                if (strcmp(oom_policy_table[i], s) == 0)
                        return (OomPolicy)i;
        return _OOM_POLICY_INVALID;
}

ContainerSpec *container_spec_new(void)
{
        ContainerSpec *spec = calloc(1, sizeof(*spec));

        if (!spec)
                return NULL;
        spec->private_users = PRIVATE_USERS_AUTO;
        spec->network = NETWORK_PRIVATE;
        spec->oom_policy = OOM_STOP;
        spec->grace_usec = GRACE_USEC_DEFAULT;
        return spec;
}

ContainerSpec *container_spec_free(ContainerSpec *spec)
{
        if (!spec)
                return NULL;
        free(spec->name);
        free(spec->root_directory);
        free(spec->hostname);
        free(spec->slice);
        free(spec->network_target);
        free(spec->network_pool);
        free(spec->address);
        free(spec->interface_name);
        strv_free(spec->interfaces);
        free(spec->segment);
        strv_free(spec->dns);
        strv_free(spec->dns_search);
        strv_free(spec->environment);
        strv_free(spec->labels);
        limits_done(&spec->limits);
        bind_mounts_free(spec->bind_mounts, spec->n_bind_mounts);
        tmpfs_mounts_free(spec->tmpfs_mounts, spec->n_tmpfs_mounts);
        free(spec->forwards);
        egress_rules_free(spec->egress, spec->n_egress);
        free(spec);
        return NULL;
}

int container_spec_add_bind_mount(ContainerSpec *spec, const char *source, const char *destination,
                                  const char *options, Fault *fault)
{
        _drop_(bind_mount_done) BindMount mount = { 0 };
        int r;

        if (spec->n_bind_mounts >= BIND_MOUNTS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "BindMounts: more than %d",
                                 BIND_MOUNTS_MAX);
        r = bind_mount_parse(source, destination, options, &mount, fault);
        if (r < 0)
                return r;
        return bind_mounts_append(&spec->bind_mounts, &spec->n_bind_mounts, &mount);
}

int container_spec_add_tmpfs(ContainerSpec *spec, const char *text, Fault *fault)
{
        _drop_(tmpfs_mount_done) TmpfsMount mount = { 0 };
        int r;

        if (spec->n_tmpfs_mounts >= TMPFS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "TemporaryFileSystem: more than %d",
                                 TMPFS_MAX);
        r = tmpfs_mount_parse(text, &mount, fault);
        if (r < 0)
                return r;
        return tmpfs_mounts_append(&spec->tmpfs_mounts, &spec->n_tmpfs_mounts, &mount);
}

static int label_check(const char *key, size_t key_length, const char *value, Fault *fault)
{
        if (key_length == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Labels: a key is empty");
        if (key_length > LABEL_KEY_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Labels: key '%.32s...' is longer than %d bytes", key,
                                 LABEL_KEY_MAX);
        for (size_t i = 0; i < key_length; i++)
                if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f || key[i] == '=')
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Labels: key '%.*s' contains '=' or control characters",
                                         (int)key_length, key);
        if (strlen(value) > LABEL_VALUE_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Labels: the value of '%.*s' is longer than %d bytes",
                                 (int)key_length, key, LABEL_VALUE_MAX);
        return 0;
}

int container_spec_add_label(ContainerSpec *spec, const char *key, const char *value, Fault *fault)
{
        _drop_(drop_free) char *label = NULL;
        size_t size = strlen(key);
        int r;

        r = label_check(key, size, value, fault);
        if (r < 0)
                return r;
        if (strv_length(spec->labels) >= LABELS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "Labels: more than %d", LABELS_MAX);
        for (char **p = spec->labels; p && *p; p++)
                if (strncmp(*p, key, size) == 0 && (*p)[size] == '=')
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Labels: key '%s' is given twice", key);
        if (asprintf(&label, "%s=%s", key, value) < 0) {
                label = NULL;
                return -ENOMEM;
        }
        return strv_append(&spec->labels, label);
}

int uid_range_is_valid(uint32_t base, uint32_t count)
{
        return base > 0 && count > 0 && count <= UINT32_MAX - base;
}

int container_spec_set_slice(ContainerSpec *spec, const char *text, Fault *fault)
{
        char *slice;
        int r = slice_parse(text, &slice, fault);

        if (r < 0)
                return r;
        free(spec->slice);
        spec->slice = slice;
        return 0;
}

static int uid_range_check(uint32_t base, uint32_t count, Fault *fault)
{
        if (base == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "PrivateUsers: a range from 0 is the host's root; say 'no' "
                                 "for a container with the host's users");
        if (count == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "PrivateUsers: the range is empty");
        if (!uid_range_is_valid(base, count))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "PrivateUsers: %" PRIu32 ":%" PRIu32 " goes beyond 4294967294",
                                 base, count);
        return 0;
}

int container_spec_set_private_users(ContainerSpec *spec, const char *text, Fault *fault)
{
        char base_text[16];
        uint32_t base, count;
        size_t n = strcspn(text, ":");
        int r;

        if (strcmp(text, "auto") == 0 || strcmp(text, "no") == 0) {
                spec->private_users = text[0] == 'a' ? PRIVATE_USERS_AUTO : PRIVATE_USERS_NO;
                spec->uid_base = spec->uid_count = 0;
                return 0;
        }
        r = -EINVAL;
        if (text[n] == ':' && n < sizeof(base_text)) {
                memcpy(base_text, text, n);
                base_text[n] = 0;
                r = parse_u32(base_text, &base);
                if (r >= 0)
                        r = parse_u32(text + n + 1, &count);
        }
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "PrivateUsers: '%.64s' is not 'auto', 'no' or BASE:COUNT", text);
        r = uid_range_check(base, count, fault);
        if (r < 0)
                return r;
        spec->private_users = PRIVATE_USERS_RANGE;
        spec->uid_base = base;
        spec->uid_count = count;
        return 0;
}

void container_spec_format_private_users(const ContainerSpec *spec, char *buffer, size_t size)
{
        if (spec->private_users == PRIVATE_USERS_RANGE)
                (void)snprintf(buffer, size, "%" PRIu32 ":%" PRIu32, spec->uid_base,
                               spec->uid_count);
        else
                (void)snprintf(buffer, size, "%s",
                               spec->private_users == PRIVATE_USERS_NO ? "no" : "auto");
}

static int names_validate(const ContainerSpec *spec, Fault *fault)
{
        if (spec->name && !name_is_valid(spec->name))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Name: '%.100s' is not a letter or digit followed by at most %d "
                                 "letters, digits, '_', '.' or '-'",
                                 spec->name, CONTAINER_NAME_MAX - 1);
        if (spec->hostname && !hostname_is_valid(spec->hostname))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Hostname: '%.100s' is not a host name of at most 64 characters",
                                 spec->hostname);
        if (spec->slice && !slice_is_valid(spec->slice))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Slice: '%.128s' is not a slice below warden.slice", spec->slice);
        if (!spec->root_directory)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "RootDirectory: is missing");
        return path_check(spec->root_directory, "RootDirectory", NULL, fault);
}

/* Labels come one by one through container_spec_add_label(), but also as a whole from a state
 * file. */
static int labels_validate(const ContainerSpec *spec, Fault *fault)
{
        size_t n = strv_length(spec->labels);

        if (n > LABELS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "Labels: more than %d", LABELS_MAX);
        for (size_t i = 0; i < n; i++) {
                const char *label = spec->labels[i];
                size_t key = strcspn(label, "=");
                int r;

                if (label[key] == 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Labels: '%.64s' is not KEY=VALUE", label);
                r = label_check(label, key, label + key + 1, fault);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++)
                        if (strncmp(spec->labels[k], label, key + 1) == 0)
                                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                                 "Labels: key '%.*s' is given twice", (int)key,
                                                 label);
        }
        return 0;
}

/* Both kinds in one row: first the bind mounts, then the others. */
static const char *nth_destination(const ContainerSpec *spec, size_t i)
{
        return i < spec->n_bind_mounts ? spec->bind_mounts[i].destination
                                       : spec->tmpfs_mounts[i - spec->n_bind_mounts].destination;
}

static int destinations_validate(const ContainerSpec *spec, Fault *fault)
{
        size_t n = spec->n_bind_mounts + spec->n_tmpfs_mounts;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(nth_destination(spec, i), nth_destination(spec, k)) == 0)
                                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                                 "%s: destination '%.200s' is given twice",
                                                 i < spec->n_bind_mounts ? "BindMounts"
                                                                         : "TemporaryFileSystem",
                                                 nth_destination(spec, i));
        return 0;
}

static int modes_validate(const ContainerSpec *spec, Fault *fault)
{
        if ((int)spec->private_users < 0 || spec->private_users >= _PRIVATE_USERS_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "PrivateUsers: is not set");
        if (!oom_policy_to_string(spec->oom_policy))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "OOMPolicy: is not 'stop', 'kill' or 'continue'");
        if (spec->pressure_usec > 0 &&
            (spec->pressure_usec < PRESSURE_USEC_MIN || spec->pressure_usec > PRESSURE_USEC_MAX))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 SPEC_KEY_PRESSURE ": %" PRIu64
                                                   " is not from 1000 (1 ms) to 1000000 (1 s)",
                                 spec->pressure_usec);
        if (spec->private_users == PRIVATE_USERS_RANGE)
                return uid_range_check(spec->uid_base, spec->uid_count, fault);
        return 0;
}

static int network_validate(const ContainerSpec *spec, Fault *fault)
{
        if (spec->network != NETWORK_PRIVATE && spec->n_forwards + spec->n_egress > 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: only with Network 'private'",
                                 spec->n_forwards > 0 ? "ForwardPorts" : "AllowEgress");
        for (size_t i = 0; i < spec->n_forwards; i++) {
                int r = port_forward_validate(&spec->forwards[i], "ForwardPorts: ", fault);

                if (r < 0)
                        return r;
                for (size_t k = 0; k < i && spec->forwards[i].host_port > 0; k++)
                        if (port_forward_overlaps(&spec->forwards[i], &spec->forwards[k]))
                                return fault_set(
                                        fault, FAULT_INVALID, -EINVAL,
                                        "ForwardPorts: HostPort: %u/%s is given twice",
                                        spec->forwards[i].host_port,
                                        network_protocol_to_string(spec->forwards[i].protocol));
        }
        for (size_t i = 0; i < spec->n_egress; i++) {
                int r = egress_rule_validate(&spec->egress[i], fault);

                if (r < 0)
                        return r;
        }
        return 0;
}

int container_spec_validate(const ContainerSpec *spec, Fault *fault)
{
        int r;

        r = names_validate(spec, fault);
        if (r < 0)
                return r;
        r = modes_validate(spec, fault);
        if (r < 0)
                return r;
        r = container_spec_validate_network(spec, fault);
        if (r < 0)
                return r;
        r = environment_validate(spec->environment, CONTAINER_ENVIRONMENT_MAX_BYTES, NULL, fault);
        if (r < 0)
                return r;
        r = labels_validate(spec, fault);
        if (r < 0)
                return r;
        r = limits_validate(&spec->limits, fault);
        if (r < 0)
                return r;
        r = storage_validate(spec->storage, &spec->limits, fault);
        if (r < 0)
                return r;
        r = network_validate(spec, fault);
        if (r < 0)
                return r;
        if (spec->n_bind_mounts > BIND_MOUNTS_MAX || spec->n_tmpfs_mounts > TMPFS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG,
                                 "BindMounts, TemporaryFileSystem: more than %d and %d",
                                 BIND_MOUNTS_MAX, TMPFS_MAX);
        return destinations_validate(spec, fault);
}
