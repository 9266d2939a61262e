/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "daemon/bus/bus-dict.h"
#include "daemon/bus/bus-egress.h"
#include "daemon/bus/bus-network.h"
#include "daemon/bus/bus-limits.h"
#include "daemon/bus/bus-spec.h"

/* CreateContainer */

static int add_label(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *name, *value;
        int r = sd_bus_message_read(m, "{ss}", &name, &value);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : container_spec_add_label(target, name, value, fault);
}

static int set_labels(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "{ss}", add_label, target, fault);
}

static int add_bind_mount(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *source, *destination, *options;
        int r = sd_bus_message_read(m, "(sss)", &source, &destination, &options);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : container_spec_add_bind_mount(target, source, destination, options, fault);
}

static int set_bind_mounts(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "(sss)", add_bind_mount, target, fault);
}

static int add_tmpfs(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : container_spec_add_tmpfs(target, text, fault);
}

static int set_tmpfs(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "s", add_tmpfs, target, fault);
}

static int set_private_users(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        return container_spec_set_private_users(target, text, fault);
}

static int set_network(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        return container_spec_set_network(spec, text, fault);
}

/* 0 means "the host's" to the model, and is no value of a client's. */
static int set_mtu(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        uint32_t value;
        int r = sd_bus_message_read(m, "u", &value);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (value == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: is 0", key->name);
        spec->mtu = value;
        return 0;
}

static int set_oom_policy(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        OomPolicy policy;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        policy = oom_policy_from_string(text);
        if ((int)policy < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.64s' is not 'stop', 'kill' or 'continue'", key->name,
                                 text);
        spec->oom_policy = policy;
        return 0;
}

static int set_slice(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : container_spec_set_slice(target, text, fault);
}

static int set_storage(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        const char *text;
        StorageKind kind;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        kind = storage_kind_from_string(text);
        if ((int)kind < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.64s' is not 'directory', 'loop' or 'tmpfs'", key->name,
                                 text);
        spec->storage = kind;
        return 0;
}

static int set_isolated(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        int value, r = sd_bus_message_read(m, "b", &value);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        spec->isolation = value ? 1 : -1;
        return 0;
}

static const DictKey container_keys[] = {
        { "Name", "s", bus_dict_set_string, offsetof(ContainerSpec, name) },
        { "RootDirectory", "s", bus_dict_set_string, offsetof(ContainerSpec, root_directory) },
        { "ReadOnly", "b", bus_dict_set_boolean, offsetof(ContainerSpec, is_read_only) },
        { "Labels", "a{ss}", set_labels },
        { "Environment", "as", bus_dict_set_strv, offsetof(ContainerSpec, environment) },
        { "Hostname", "s", bus_dict_set_string, offsetof(ContainerSpec, hostname) },
        { "PrivateUsers", "s", set_private_users },
        { "Network", "s", set_network },
        { "ForwardPorts", "aa{sv}", bus_network_set_forwards },
        { "AllowEgress", "aa{sv}", bus_egress_set },
        { "BindMounts", "a(sss)", set_bind_mounts },
        { "TemporaryFileSystem", "as", set_tmpfs },
        { "OOMPolicy", "s", set_oom_policy },
        { SPEC_KEY_PRESSURE, "t", bus_dict_set_u64, offsetof(ContainerSpec, pressure_usec) },
        { "GraceUSec", "t", bus_dict_set_u64, offsetof(ContainerSpec, grace_usec) },
        { "Slice", "s", set_slice },
        BUS_LIMIT_KEYS(offsetof(ContainerSpec, limits)),
        { "NetworkPool", "s", bus_dict_set_string, offsetof(ContainerSpec, network_pool) },
        { "Address", "s", bus_dict_set_string, offsetof(ContainerSpec, address) },
        { "MTU", "u", set_mtu },
        { "Interfaces", "as", bus_dict_set_strv, offsetof(ContainerSpec, interfaces) },
        { "InterfaceName", "s", bus_dict_set_string, offsetof(ContainerSpec, interface_name) },
        { "Isolated", "b", set_isolated },
        { "Segment", "s", bus_dict_set_string, offsetof(ContainerSpec, segment) },
        { "DNS", "as", bus_dict_set_strv, offsetof(ContainerSpec, dns) },
        { "DNSSearch", "as", bus_dict_set_strv, offsetof(ContainerSpec, dns_search) },
        { "Command", "as" },
        { "CapabilityBoundingSet", "as" },
        { "DiskMax", "t", bus_limits_set_number, offsetof(ContainerSpec, limits) },
        { "DiskInodesMax", "t", bus_limits_set_number, offsetof(ContainerSpec, limits) },
        { "Storage", "s", set_storage },
        BUS_BANDWIDTH_KEYS(offsetof(ContainerSpec, limits)),
};

int bus_spec_read_container(sd_bus_message *m, ContainerSpec *spec, Fault *fault)
{
        int r;

        r = bus_dict_read(m, container_keys, ELEMENTSOF(container_keys), spec, fault);
        if (r >= 0)
                r = container_spec_settle_segment(spec, fault);
        if (r < 0)
                return r;
        return container_spec_validate(spec, fault);
}

/* SpawnJob: the table's target is BusSpawn, whose spec is behind a pointer. */

/* A setter of the common ones, for a member of the JobSpec. */
#define DEFINE_SPAWN_SETTER(name, setter)                                                  \
        static int name(sd_bus_message *m, const DictKey *key, void *target, Fault *fault) \
        {                                                                                  \
                BusSpawn *spawn = target;                                                  \
                return setter(m, key, spawn->spec, fault);                                 \
        }                                                                                  \
        struct _setter_needs_semicolon_##name

DEFINE_SPAWN_SETTER(spawn_set_string, bus_dict_set_string);
DEFINE_SPAWN_SETTER(spawn_set_strv, bus_dict_set_strv);
DEFINE_SPAWN_SETTER(spawn_set_boolean, bus_dict_set_boolean);

static int spawn_set_fd(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        int fd, r;

        r = sd_bus_message_read(m, "h", &fd);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        spawn->fds[key->offset] = fd;
        return 0;
}

static int spawn_add_rlimit(JobSpec *spec, const DictKey *key, const char *name, JobRlimit rlimit,
                            Fault *fault)
{
        int resource = rlimit_from_string(name);

        if (resource < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: there is no limit '%.64s'",
                                 key->name, name);
        if (spec->rlimits_set >> resource & 1)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: %s is given twice", key->name,
                                 rlimit_to_string(resource));
        spec->rlimits[resource] = rlimit;
        spec->rlimits_set |= UINT32_C(1) << resource;
        return 0;
}

static int spawn_read_rlimit(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        JobRlimit rlimit;
        const char *name;
        int r = sd_bus_message_read(m, "{s(tt)}", &name, &rlimit.soft, &rlimit.hard);

        return r < 0 ? bus_dict_fail_read(key, r, fault)
                     : spawn_add_rlimit(spawn->spec, key, name, rlimit, fault);
}

static int spawn_set_rlimits(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "{s(tt)}", spawn_read_rlimit, target, fault);
}

static int spawn_set_tty_size(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        uint16_t rows, columns;
        int r;

        r = sd_bus_message_read(m, "(qq)", &rows, &columns);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (rows == 0 || columns == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: rows and columns are from 1 to 65535", key->name);
        spawn->spec->rows = rows;
        spawn->spec->columns = columns;
        return 0;
}

static int spawn_set_umask(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        uint32_t value;
        int r;

        r = sd_bus_message_read(m, "u", &value);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (value > 0777)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: 0%o is more than 0777",
                                 key->name, value);
        spawn->spec->umask = (int)value;
        return 0;
}

/* INT32_MAX means "leave" to the model, and is no value of a client's. */
static int spawn_set_nice(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        int32_t value;
        int r;

        r = sd_bus_message_read(m, "i", &value);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (value < -20 || value > 19)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: %d is not from -20 to 19",
                                 key->name, value);
        spawn->spec->nice = value;
        return 0;
}

/* 0 means "the default" to the model, and is no value of a client's. */
static int spawn_set_ring_bytes(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        uint64_t value;
        int r;

        r = sd_bus_message_read(m, "t", &value);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (value < JOB_RING_MIN_BYTES)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: %" PRIu64 " is less than %u",
                                 key->name, value, JOB_RING_MIN_BYTES);
        spawn->spec->ring_bytes = value;
        return 0;
}

static int spawn_set_log(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        BusSpawn *spawn = target;
        const char *text;
        JobLog log;
        int r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        log = job_log_from_string(text);
        if ((int)log < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.64s' is not 'ring', 'journal', 'both' or 'none'",
                                 key->name, text);
        spawn->spec->log = log;
        return 0;
}

static const DictKey spawn_keys[] = {
        { "User", "s", spawn_set_string, offsetof(JobSpec, user) },
        { "WorkingDirectory", "s", spawn_set_string, offsetof(JobSpec, working_directory) },
        { "Environment", "as", spawn_set_strv, offsetof(JobSpec, environment) },
        { "TTY", "b", spawn_set_boolean, offsetof(JobSpec, is_tty) },
        { "TTYSize", "(qq)", spawn_set_tty_size },
        { "Stdin", "h", spawn_set_fd, 0 },
        { "Stdout", "h", spawn_set_fd, 1 },
        { "Stderr", "h", spawn_set_fd, 2 },
        { "Rlimits", "a{s(tt)}", spawn_set_rlimits },
        { "Privileged", "b", spawn_set_boolean, offsetof(JobSpec, is_privileged) },
        { "DiscardOutput", "b", spawn_set_boolean, offsetof(JobSpec, is_output_discarded) },
        { "Identifier", "s", spawn_set_string, offsetof(JobSpec, identifier) },
        { "UMask", "u", spawn_set_umask },
        { "Nice", "i", spawn_set_nice },
        { "Log", "s", spawn_set_log },
        { "RingBytes", "t", spawn_set_ring_bytes },
        { "Backpressure", "b", spawn_set_boolean, offsetof(JobSpec, has_backpressure) },
        { "OpenStdin", "b", spawn_set_boolean, offsetof(JobSpec, is_stdin_open) },
};

static int spawn_check_together(const BusSpawn *spawn, Fault *fault)
{
        static const char *const names[] = { "Stdin", "Stdout", "Stderr" };

        for (int i = 0; i < 3; i++) {
                if (spawn->fds[i] < 0)
                        continue;
                if (spawn->spec->is_tty)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "%s: a job with a TTY has no other", names[i]);
                if (i > 0 && spawn->spec->is_output_discarded)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "%s: contradicts DiscardOutput", names[i]);
                if (i == 0 && spawn->spec->is_stdin_open)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Stdin: contradicts OpenStdin");
        }
        if (spawn->spec->rows > 0 && !spawn->spec->is_tty)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "TTYSize: is only for a TTY");
        return 0;
}

int bus_spec_read_spawn(sd_bus_message *m, BusSpawn *ret, Fault *fault)
{
        int r;

        ret->spec = job_spec_new();
        if (!ret->spec)
                return -ENOMEM;
        r = bus_dict_read_strv(m, "Argv", ENVIRONMENT_MAX, JOB_SPEC_MAX_BYTES, &ret->spec->argv,
                               fault);
        if (r < 0)
                return r;
        r = bus_dict_read(m, spawn_keys, ELEMENTSOF(spawn_keys), ret, fault);
        if (r < 0)
                return r;
        r = spawn_check_together(ret, fault);
        if (r < 0)
                return r;
        return job_spec_validate(ret->spec, fault);
}

/* The others */

static const DictKey stop_keys[] = {
        { "KillUSec", "t", bus_dict_set_u64, offsetof(BusStop, kill_usec) },
        { "Background", "b", bus_dict_set_boolean, offsetof(BusStop, is_background) },
};

int bus_spec_read_stop(sd_bus_message *m, BusStop *ret, Fault *fault)
{
        *ret = (BusStop){ USEC_INFINITY, 0 };
        return bus_dict_read(m, stop_keys, ELEMENTSOF(stop_keys), ret, fault);
}

static const DictKey attach_keys[] = {
        { "Stdin", "b", bus_dict_set_boolean, offsetof(JobAttach, wants_stdin) },
        { "Stdout", "b", bus_dict_set_boolean, offsetof(JobAttach, wants_stdout) },
        { "Stderr", "b", bus_dict_set_boolean, offsetof(JobAttach, wants_stderr) },
        { "Framed", "b", bus_dict_set_boolean, offsetof(JobAttach, is_framed) },
        { "KeepStdin", "b", bus_dict_set_boolean, offsetof(JobAttach, is_stdin_kept) },
        { "FromNow", "b", bus_dict_set_boolean, offsetof(JobAttach, is_from_now) },
        { "UntilNow", "b", bus_dict_set_boolean, offsetof(JobAttach, is_until_now) },
        { "StdoutPosition", "t", bus_dict_set_u64, offsetof(JobAttach, stdout_position) },
        { "StderrPosition", "t", bus_dict_set_u64, offsetof(JobAttach, stderr_position) },
};

int bus_spec_read_attach(sd_bus_message *m, JobAttach *ret, Fault *fault)
{
        *ret = JOB_ATTACH_INIT;
        return bus_dict_read(m, attach_keys, ELEMENTSOF(attach_keys), ret, fault);
}

int bus_spec_read_signal(sd_bus_message *m, int32_t *ret, Fault *fault)
{
        int32_t signal;
        int r;

        r = sd_bus_message_read(m, "i", &signal);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Signal: cannot be read");
        if (signal < 1 || signal > 64)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Signal: %d is not from 1 to 64",
                                 signal);
        *ret = signal;
        return 0;
}
