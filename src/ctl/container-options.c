/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/parse.h"
#include "ctl/container-options.h"
#include "ctl/dict.h"
#include "ctl/egress.h"
#include "ctl/limit-text.h"
#include "ctl/forward.h"
#include "ctl/value.h"

enum {
        OPTION_NAME = 256,
        OPTION_HOSTNAME,
        OPTION_READ_ONLY,
        OPTION_LABEL,
        OPTION_TMPFS,
        OPTION_NETWORK,
        OPTION_NETWORK_POOL,
        OPTION_ADDRESS,
        OPTION_MTU,
        OPTION_INTERFACE,
        OPTION_INTERFACE_NAME,
        OPTION_SEGMENT,
        OPTION_DNS,
        OPTION_DNS_SEARCH,
        OPTION_PRIVATE_USERS,
        OPTION_CPU_WEIGHT,
        OPTION_CPUS,
        OPTION_TASKS_MAX,
        OPTION_DISK,
        OPTION_DISK_INODES,
        OPTION_STORAGE,
        OPTION_IO_WEIGHT,
        OPTION_MEMORY_HIGH,
        OPTION_MEMORY_SWAP_MAX,
        OPTION_ALLOWED_CPUS,
        OPTION_READ_BANDWIDTH,
        OPTION_WRITE_BANDWIDTH,
        OPTION_READ_IOPS,
        OPTION_WRITE_IOPS,
        OPTION_BANDWIDTH,
        OPTION_BANDWIDTH_RECEIVE,
        OPTION_BANDWIDTH_TRANSMIT,
        OPTION_SLICE,
        OPTION_STOP_TIMEOUT,
        OPTION_PUBLISH,
        OPTION_ALLOW,
        OPTION_OOM_POLICY,
        OPTION_MEMORY_PRESSURE,
};

/* The options of devices are in the order of DeviceLimitKind. */
static const Option container_options[] = {
        { OPTION_NAME, "name", "NAME", "how the container is called (default: its id)" },
        { OPTION_HOSTNAME, "hostname", "NAME", "its host name (default: its name)" },
        { 'e', "env", "KEY[=VALUE]", "a variable of all its jobs; without value: the one here" },
        { 'v', "bind", "SRC:DST[:OPTIONS]", "show SRC of the host as DST; ro, nosuid, …" },
        { 'v', "volume", "SRC:DST[:OPTIONS]", NULL },
        { OPTION_TMPFS, "tmpfs", "DST[:OPTIONS]", "a file system in memory; size=64M, mode=…" },
        { OPTION_READ_ONLY, "read-only", NULL, "nothing in the root can be written" },
        { OPTION_LABEL, "label", "KEY=VALUE", "a note for people and programs" },
        { OPTION_NETWORK, "network", "MODE",
          "private (default), host, none, container:NAME or netns:PATH" },
        { OPTION_NETWORK_POOL, "network-pool", "POOL", "where its address is from" },
        { OPTION_ADDRESS, "address", "ADDRESS", "this one of the pool; IPv4 or IPv6" },
        { OPTION_ADDRESS, "ip", "ADDRESS", NULL },
        { OPTION_MTU, "mtu", "BYTES", "of its interface (default: that of the host)" },
        { OPTION_INTERFACE, "interface", "NAME", "move this one of the host in while it runs" },
        { OPTION_INTERFACE_NAME, "interface-name", "NAME", "of it inside (default: eth0)" },
        { OPTION_SEGMENT, "segment", "NAME", "let it talk to the containers of this segment" },
        { OPTION_DNS, "dns", "ADDRESS", "a name server (default: those of the host)" },
        { OPTION_DNS_SEARCH, "dns-search", "DOMAIN", "a domain to search for short names" },
        { OPTION_PUBLISH, "publish", "[[ADDRESS:]HOST:]PORT",
          "lead a port of the host to PORT; also -p 8080:80, 53:53/udp" },
        { OPTION_ALLOW, "allow", "TO[:PORTS]",
          "reach this though the host's policy denies it: 10.0.0.0/8:443" },
        { OPTION_PRIVATE_USERS, "private-users", "USERS", "auto (default), no or BASE:COUNT" },
        { 'm', "memory", "BYTES", "MemoryMax: 512M, 2G" },
        { OPTION_MEMORY_HIGH, "memory-high", "BYTES", "MemoryHigh: slowed down above it" },
        { OPTION_MEMORY_SWAP_MAX, "memory-swap-max", "BYTES", "MemorySwapMax: of swap alone" },
        { OPTION_CPUS, "cpus", "COUNT", "how many processors it may keep busy: 1.5" },
        { OPTION_CPU_WEIGHT, "cpu-weight", "WEIGHT", "CPUWeight: 1 to 10000, usually 100" },
        { OPTION_ALLOWED_CPUS, "allowed-cpus", "LIST", "AllowedCPUs: 0-3,5" },
        { OPTION_ALLOWED_CPUS, "cpuset-cpus", "LIST", NULL },
        { OPTION_READ_BANDWIDTH, "device-read-bps", "DEVICE:RATE", "IOReadBandwidthMax" },
        { OPTION_WRITE_BANDWIDTH, "device-write-bps", "DEVICE:RATE", "IOWriteBandwidthMax" },
        { OPTION_READ_IOPS, "device-read-iops", "DEVICE:COUNT", "IOReadIOPSMax" },
        { OPTION_WRITE_IOPS, "device-write-iops", "DEVICE:COUNT", "IOWriteIOPSMax" },
        { OPTION_BANDWIDTH, "bandwidth", "RATE[:BURST]", "BandwidthMax of its interface: 10M" },
        { OPTION_BANDWIDTH_RECEIVE, "bandwidth-receive", "RATE[:BURST]", "only what it receives" },
        { OPTION_BANDWIDTH_TRANSMIT, "bandwidth-transmit", "RATE[:BURST]", "only what it sends" },
        { OPTION_SLICE, "slice", "NAME", "share the limits of warden-NAME.slice" },
        { OPTION_IO_WEIGHT, "io-weight", "WEIGHT", "IOWeight: 1 to 10000, usually 100" },
        { OPTION_TASKS_MAX, "tasks-max", "COUNT", "TasksMax: processes and threads" },
        { OPTION_TASKS_MAX, "pids-limit", "COUNT", NULL },
        { OPTION_DISK, "disk", "BYTES", "DiskMax: what it may write to its layer: 1G" },
        { OPTION_DISK_INODES, "disk-inodes", "COUNT", "DiskInodesMax: how many files" },
        { OPTION_STORAGE, "storage", "KIND", "directory (default), loop or tmpfs" },
        { 'p', "property", "NAME=VALUE", "a limit as systemd spells it: MemoryHigh=400M" },
        { OPTION_STOP_TIMEOUT, "stop-timeout", "TIME",
          "how long it may take to end (default: 10s)" },
        { OPTION_OOM_POLICY, "oom-policy", "POLICY", "stop (default), kill or continue" },
        { OPTION_MEMORY_PRESSURE, "memory-pressure", "TIME",
          "signal when jobs wait for memory so long in a second: 150ms" },
};

int container_options_init(ContainerOptions *options)
{
        *options = (ContainerOptions){ .spec = container_spec_new() };
        return options->spec ? 0 : -ENOMEM;
}

void container_options_done(ContainerOptions *options)
{
        options->spec = container_spec_free(options->spec);
}

int environment_add(char ***environment, const char *text, Fault *fault)
{
        _drop_(drop_free) char *assignment = NULL;
        const char *value;

        if (strchr(text, '=')) {
                if (text[0] == '=')
                        return fault_set(fault, FAULT_INVALID, -EINVAL, "'%.64s' is not KEY=VALUE",
                                         text);
                return strv_env_set(environment, text);
        }
        if (!text[0])
                return fault_set(fault, FAULT_INVALID, -EINVAL, "A variable needs a name");
        value = getenv(text);
        if (!value)
                return 0;
        if (asprintf(&assignment, "%s=%s", text, value) < 0) {
                assignment = NULL;
                return -ENOMEM;
        }
        return strv_env_set(environment, assignment);
}

static int add_bind(ContainerSpec *spec, const char *text, Fault *fault)
{
        _drop_(drop_free) char *copy = strdup(text), *source = NULL;
        char *destination, *options;
        int r;

        if (!copy)
                return -ENOMEM;
        destination = strchr(copy, ':');
        if (!destination || destination == copy)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "'%.256s' is not SRC:DST[:OPTIONS], such as /srv/data:/data:ro",
                                 text);
        *destination++ = 0;
        options = strchr(destination, ':');
        if (options)
                *options++ = 0;
        r = value_parse_host_path(copy, "Cannot bind", &source, fault);
        if (r < 0)
                return r;
        return container_spec_add_bind_mount(spec, source, destination, options ?: "", fault);
}

static int add_label(ContainerSpec *spec, const char *text, Fault *fault)
{
        _drop_(drop_free) char *key = strdup(text);
        char *value;

        if (!key)
                return -ENOMEM;
        value = strchr(key, '=');
        if (value)
                *value++ = 0;
        return container_spec_add_label(spec, key, value ?: "", fault);
}

static int add_forward(ContainerSpec *spec, const char *text, Fault *fault)
{
        PortForward forward;
        int r = port_forward_parse(text, &forward, fault);

        return r < 0 ? r
                     : port_forwards_append(&spec->forwards, &spec->n_forwards, &forward, fault);
}

static int add_egress(ContainerSpec *spec, const char *text, Fault *fault)
{
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        int r = egress_rule_parse(text, &rule, fault);

        return r < 0 ? r : egress_rules_append(&spec->egress, &spec->n_egress, &rule, fault);
}

/* A property to systemd's users, a port to docker's: no port begins with a letter. */
static int add_short(ContainerSpec *spec, const char *text, Fault *fault)
{
        if (strchr("0123456789:[*", text[0]) && text[0])
                return add_forward(spec, text, fault);
        return value_parse_property(text, &spec->limits, fault);
}

static int set_network(ContainerOptions *options, const char *value, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        options->has_network = 1;
        r = container_spec_set_network(options->spec, value, fault);
        if (r < 0 || options->spec->network != NETWORK_NETNS)
                return r;
        r = value_parse_host_path(options->spec->network_target, "Cannot use network namespace",
                                  &path, fault);
        if (r < 0)
                return r;
        free(options->spec->network_target);
        options->spec->network_target = take_ptr(path);
        return 0;
}

static int set_mtu(ContainerSpec *spec, const char *value, Fault *fault)
{
        if (parse_u32(value, &spec->mtu) < 0 || spec->mtu == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "MTU: '%.32s' is not a number",
                                 value);
        return 0;
}

static int set_private_users(ContainerOptions *options, const char *value, Fault *fault)
{
        options->has_private_users = 1;
        return container_spec_set_private_users(options->spec, value, fault);
}

static int set_storage(ContainerOptions *options, const char *value, Fault *fault)
{
        StorageKind kind = storage_kind_from_string(value);

        if ((int)kind < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Storage: '%.64s' is not directory, loop or tmpfs", value);
        options->spec->storage = kind;
        options->has_storage = 1;
        return 0;
}

static int set_grace(ContainerOptions *options, const char *value, Fault *fault)
{
        options->has_grace = 1;
        return value_parse_time(value, &options->spec->grace_usec, fault);
}

static int set_oom_policy(ContainerOptions *options, const char *value, Fault *fault)
{
        OomPolicy policy = oom_policy_from_string(value);

        if ((int)policy < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "OOMPolicy: '%.64s' is not stop, kill or continue", value);
        options->spec->oom_policy = policy;
        options->has_oom_policy = 1;
        return 0;
}

static int set_cpus(Limits *limits, const char *value, Fault *fault)
{
        uint64_t usec;
        int r = value_parse_cpus(value, &usec, fault);

        return r < 0 ? r : limits_set(limits, LIMIT_CPU_QUOTA, usec, fault);
}

static int container_set(void *target, int key, const char *value, Fault *fault)
{
        ContainerOptions *options = target;
        ContainerSpec *spec = options->spec;

        switch (key) {
        case OPTION_NAME:
                return options_set_string(&spec->name, value);
        case OPTION_HOSTNAME:
                return options_set_string(&spec->hostname, value);
        case OPTION_READ_ONLY:
                spec->is_read_only = 1;
                return 0;
        case 'e':
                return environment_add(&spec->environment, value, fault);
        case 'v':
                return add_bind(spec, value, fault);
        case OPTION_TMPFS:
                return container_spec_add_tmpfs(spec, value, fault);
        case OPTION_LABEL:
                return add_label(spec, value, fault);
        case OPTION_NETWORK:
                return set_network(options, value, fault);
        case OPTION_NETWORK_POOL:
                return options_set_string(&spec->network_pool, value);
        case OPTION_ADDRESS:
                return options_set_string(&spec->address, value);
        case OPTION_MTU:
                return set_mtu(spec, value, fault);
        case OPTION_INTERFACE:
                return strv_append(&spec->interfaces, value);
        case OPTION_INTERFACE_NAME:
                return options_set_string(&spec->interface_name, value);
        case OPTION_SEGMENT:
                return options_set_string(&spec->segment, value);
        case OPTION_DNS:
                return strv_append(&spec->dns, value);
        case OPTION_DNS_SEARCH:
                return strv_append(&spec->dns_search, value);
        case OPTION_PRIVATE_USERS:
                return set_private_users(options, value, fault);
        case 'm':
                return value_parse_limit(LIMIT_MEMORY_MAX, value, &spec->limits, fault);
        case OPTION_CPU_WEIGHT:
                return value_parse_limit(LIMIT_CPU_WEIGHT, value, &spec->limits, fault);
        case OPTION_CPUS:
                return set_cpus(&spec->limits, value, fault);
        case OPTION_TASKS_MAX:
                return value_parse_limit(LIMIT_TASKS_MAX, value, &spec->limits, fault);
        case OPTION_MEMORY_HIGH:
                return value_parse_limit(LIMIT_MEMORY_HIGH, value, &spec->limits, fault);
        case OPTION_MEMORY_SWAP_MAX:
                return value_parse_limit(LIMIT_MEMORY_SWAP_MAX, value, &spec->limits, fault);
        case OPTION_ALLOWED_CPUS:
                return limits_set_cpus(&spec->limits, value, fault);
        case OPTION_READ_BANDWIDTH:
        case OPTION_WRITE_BANDWIDTH:
        case OPTION_READ_IOPS:
        case OPTION_WRITE_IOPS:
                return limit_text_parse_device((DeviceLimitKind)(key - OPTION_READ_BANDWIDTH),
                                               value, &spec->limits, fault);
        case OPTION_BANDWIDTH:
                return limit_text_parse_bandwidth(BANDWIDTH_NAME_BOTH, value, &spec->limits, fault);
        case OPTION_BANDWIDTH_RECEIVE:
        case OPTION_BANDWIDTH_TRANSMIT:
                return limit_text_parse_bandwidth(
                        bandwidth_direction_to_string(
                                (BandwidthDirection)(key - OPTION_BANDWIDTH_RECEIVE)),
                        value, &spec->limits, fault);
        case OPTION_SLICE:
                return container_spec_set_slice(spec, value, fault);
        case OPTION_IO_WEIGHT:
                return value_parse_limit(LIMIT_IO_WEIGHT, value, &spec->limits, fault);
        case OPTION_PUBLISH:
                return add_forward(spec, value, fault);
        case OPTION_ALLOW:
                return add_egress(spec, value, fault);
        case 'p':
                return add_short(spec, value, fault);
        case OPTION_DISK:
                return value_parse_limit(LIMIT_DISK_MAX, value, &spec->limits, fault);
        case OPTION_DISK_INODES:
                return value_parse_limit(LIMIT_DISK_INODES_MAX, value, &spec->limits, fault);
        case OPTION_STORAGE:
                return set_storage(options, value, fault);
        case OPTION_STOP_TIMEOUT:
                return set_grace(options, value, fault);
        case OPTION_OOM_POLICY:
                return set_oom_policy(options, value, fault);
        case OPTION_MEMORY_PRESSURE:
                return value_parse_time(value, &spec->pressure_usec, fault);
        }
        return -EINVAL;
}

const OptionGroup container_option_group = {
        .title = "The container",
        .options = container_options,
        .n_options = ELEMENTSOF(container_options),
        .set = container_set,
};

static int check_characters(const ContainerSpec *spec, Fault *fault)
{
        int r;

        r = dict_check_string("The root directory", spec->root_directory, fault);
        if (r >= 0)
                r = dict_check_strv("The variable", spec->environment, fault);
        if (r >= 0)
                r = dict_check_strv("The label", spec->labels, fault);
        for (size_t i = 0; i < spec->n_bind_mounts && r >= 0; i++) {
                r = dict_check_string("The bind mount", spec->bind_mounts[i].source, fault);
                if (r >= 0)
                        r = dict_check_string("The bind mount", spec->bind_mounts[i].destination,
                                              fault);
        }
        for (size_t i = 0; i < spec->n_tmpfs_mounts && r >= 0; i++)
                r = dict_check_string("The tmpfs", spec->tmpfs_mounts[i].text, fault);
        return r;
}

int container_options_complete(ContainerOptions *options, const char *root, Fault *fault)
{
        int r;

        r = value_parse_host_path(root, "Cannot use root directory", &options->spec->root_directory,
                                  fault);
        if (r < 0)
                return r;
        r = container_spec_validate(options->spec, fault);
        return r < 0 ? r : check_characters(options->spec, fault);
}

static int append_labels(sd_bus_message *m, char *const *labels)
{
        int r;

        if (!labels)
                return 0;
        r = dict_open_array(m, "Labels", "{ss}");
        for (; r >= 0 && *labels; labels++) {
                _drop_(drop_free) char *key = strdup(*labels);
                char *value = key ? strchr(key, '=') : NULL;

                if (!value)
                        return -ENOMEM;
                *value++ = 0;
                r = sd_bus_message_append(m, "{ss}", key, value);
        }
        return r < 0 ? r : dict_close_array(m);
}

static int append_bind_mounts(sd_bus_message *m, const ContainerSpec *spec)
{
        int r;

        if (spec->n_bind_mounts == 0)
                return 0;
        r = dict_open_array(m, "BindMounts", "(sss)");
        for (size_t i = 0; i < spec->n_bind_mounts && r >= 0; i++)
                r = sd_bus_message_append(m, "(sss)", spec->bind_mounts[i].source,
                                          spec->bind_mounts[i].destination,
                                          spec->bind_mounts[i].options);
        return r < 0 ? r : dict_close_array(m);
}

static int append_forwards(sd_bus_message *m, const ContainerSpec *spec)
{
        int r;

        if (spec->n_forwards == 0)
                return 0;
        r = dict_open_array(m, "ForwardPorts", "a{sv}");
        for (size_t i = 0; i < spec->n_forwards && r >= 0; i++)
                r = forward_append(m, &spec->forwards[i]);
        return r < 0 ? r : dict_close_array(m);
}

static int append_egress(sd_bus_message *m, const ContainerSpec *spec)
{
        int r;

        if (spec->n_egress == 0)
                return 0;
        r = dict_open_array(m, "AllowEgress", "a{sv}");
        for (size_t i = 0; i < spec->n_egress && r >= 0; i++)
                r = egress_append(m, &spec->egress[i], 0);
        return r < 0 ? r : dict_close_array(m);
}

static int append_tmpfs(sd_bus_message *m, const ContainerSpec *spec)
{
        char *texts[TMPFS_MAX + 1];

        if (spec->n_tmpfs_mounts == 0)
                return 0;
        for (size_t i = 0; i < spec->n_tmpfs_mounts; i++)
                texts[i] = spec->tmpfs_mounts[i].text;
        texts[spec->n_tmpfs_mounts] = NULL;
        return dict_append_strv(m, "TemporaryFileSystem", texts);
}

static int append_network(sd_bus_message *m, const ContainerOptions *options)
{
        const ContainerSpec *spec = options->spec;
        int r = 0;

        if (options->has_network) {
                _drop_(drop_free) char *network = container_spec_format_network(spec);

                r = network ? sd_bus_message_append(m, "{sv}", "Network", "s", network) : -ENOMEM;
        }
        if (r >= 0 && spec->network_pool)
                r = sd_bus_message_append(m, "{sv}", "NetworkPool", "s", spec->network_pool);
        if (r >= 0 && spec->address)
                r = sd_bus_message_append(m, "{sv}", "Address", "s", spec->address);
        if (r >= 0 && spec->mtu > 0)
                r = sd_bus_message_append(m, "{sv}", "MTU", "u", spec->mtu);
        if (r >= 0)
                r = dict_append_strv(m, "Interfaces", spec->interfaces);
        if (r >= 0 && spec->interface_name)
                r = sd_bus_message_append(m, "{sv}", "InterfaceName", "s", spec->interface_name);
        if (r >= 0 && spec->segment)
                r = sd_bus_message_append(m, "{sv}", "Segment", "s", spec->segment);
        if (r >= 0)
                r = dict_append_strv(m, "DNS", spec->dns);
        if (r >= 0)
                r = dict_append_strv(m, "DNSSearch", spec->dns_search);
        return r;
}

static int append_simple(sd_bus_message *m, const ContainerOptions *options)
{
        const ContainerSpec *spec = options->spec;
        char users[32];
        int r;

        r = sd_bus_message_append(m, "{sv}", "RootDirectory", "s", spec->root_directory);
        if (r >= 0 && spec->name)
                r = sd_bus_message_append(m, "{sv}", "Name", "s", spec->name);
        if (r >= 0 && spec->hostname)
                r = sd_bus_message_append(m, "{sv}", "Hostname", "s", spec->hostname);
        if (r >= 0 && spec->is_read_only)
                r = sd_bus_message_append(m, "{sv}", "ReadOnly", "b", 1);
        if (r >= 0)
                r = append_network(m, options);
        if (r >= 0 && options->has_storage)
                r = sd_bus_message_append(m, "{sv}", "Storage", "s",
                                          storage_kind_to_string(spec->storage));
        if (r >= 0 && spec->slice)
                r = sd_bus_message_append(m, "{sv}", "Slice", "s", spec->slice);
        if (r >= 0 && options->has_private_users) {
                container_spec_format_private_users(spec, users, sizeof(users));
                r = sd_bus_message_append(m, "{sv}", "PrivateUsers", "s", users);
        }
        if (r >= 0 && options->has_oom_policy)
                r = sd_bus_message_append(m, "{sv}", "OOMPolicy", "s",
                                          oom_policy_to_string(spec->oom_policy));
        if (r >= 0 && spec->pressure_usec > 0)
                r = sd_bus_message_append(m, "{sv}", SPEC_KEY_PRESSURE, "t", spec->pressure_usec);
        if (r >= 0 && options->has_grace)
                r = sd_bus_message_append(m, "{sv}", "GraceUSec", "t", spec->grace_usec);
        return r;
}

int container_options_append(const ContainerOptions *options, sd_bus_message *m)
{
        const ContainerSpec *spec = options->spec;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_simple(m, options);
        if (r >= 0)
                r = dict_append_strv(m, "Environment", spec->environment);
        if (r >= 0)
                r = append_labels(m, spec->labels);
        if (r >= 0)
                r = append_bind_mounts(m, spec);
        if (r >= 0)
                r = append_tmpfs(m, spec);
        if (r >= 0)
                r = append_forwards(m, spec);
        if (r >= 0)
                r = append_egress(m, spec);
        if (r >= 0)
                r = limit_text_append(m, &spec->limits);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : 0;
}
