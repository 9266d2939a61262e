/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "basic/strv.h"
#include "model/egress.h"
#include "model/environment.h"
#include "model/limits.h"
#include "model/mount.h"
#include "model/network.h"
#include "model/path.h"
#include "model/storage.h"

/* What a client asks for when it creates a container. Filled by daemon/bus from the a{sv},
 * completed with the configuration's defaults, and checked here without touching the system. */

typedef enum NetworkMode {
        NETWORK_PRIVATE,   /* an own one with lo, and eth0 with a slot of a pool */
        NETWORK_HOST,      /* the host's */
        NETWORK_NONE,      /* an own one that stays empty but for lo */
        NETWORK_CONTAINER, /* "container:NAME": that of another container */
        NETWORK_NETNS,     /* "netns:PATH": a namespace that somebody else made */
        _NETWORK_MODE_MAX,
        _NETWORK_MODE_INVALID = -22,
} NetworkMode;

const char *network_mode_to_string(NetworkMode mode);
NetworkMode network_mode_from_string(const char *s);

typedef enum PrivateUsers {
        PRIVATE_USERS_AUTO,  /* a range from the pool */
        PRIVATE_USERS_NO,    /* the host's users: root in the container is root */
        PRIVATE_USERS_RANGE, /* BASE:COUNT */
        _PRIVATE_USERS_MAX,
        _PRIVATE_USERS_INVALID = -22,
} PrivateUsers;

/* When the kernel has killed a process of the container for want of memory. */
typedef enum OomPolicy {
        OOM_STOP,     /* the container is stopped, as Warden did */
        OOM_KILL,     /* all of its jobs are killed, and it stays */
        OOM_CONTINUE, /* nothing */
        _OOM_POLICY_MAX,
        _OOM_POLICY_INVALID = -22,
} OomPolicy;

const char *oom_policy_to_string(OomPolicy policy);
OomPolicy oom_policy_from_string(const char *s);

#define BIND_MOUNTS_MAX 256
#define TMPFS_MAX 64
#define LABELS_MAX 256
#define LABEL_KEY_MAX 255
#define LABEL_VALUE_MAX 4095
#define INTERFACES_MAX 16
#define DNS_MAX 8
#define DNS_SEARCH_MAX 32
/* As execve() counts; with a job's own part (JOB_SPEC_MAX_BYTES) it still fits into the 2 MiB that
 * a default stack allows. */
#define CONTAINER_ENVIRONMENT_MAX_BYTES (512U << 10)

typedef struct ContainerSpec {
        char *name; /* NULL: the id */
        char *root_directory;
        char *hostname;     /* NULL: the name */
        char *slice;        /* "warden-NAME.slice"; NULL: the configuration's */
        char **environment; /* KEY=VALUE */
        char **labels;      /* KEY=VALUE, keys unique and without '=' */
        BindMount *bind_mounts;
        size_t n_bind_mounts;
        TmpfsMount *tmpfs_mounts;
        size_t n_tmpfs_mounts;
        PrivateUsers private_users;
        uint32_t uid_base, uid_count; /* PRIVATE_USERS_RANGE */
        NetworkMode network;
        PortForward *forwards;
        size_t n_forwards;
        EgressRule *egress;
        size_t n_egress;
        StorageKind storage;
        OomPolicy oom_policy;
        uint64_t pressure_usec; /* SPEC_KEY_PRESSURE; 0: not watched */
        char *network_target;   /* NETWORK_CONTAINER, NETWORK_NETNS: a name, a path */
        char *network_pool;     /* NULL: the first; as the next three of NETWORK_PRIVATE */
        char *address;          /* NULL: any of the pool */
        char **interfaces;      /* of the host, to be moved in; NETWORK_PRIVATE, NETWORK_NONE */
        char *interface_name;   /* inside; NULL: NETWORK_INTERFACE_INSIDE */
        char *segment;          /* whose containers it may talk to; NULL: none's */
        int isolation;          /* Isolated as a client said it: 1 or -1; 0: not at all */
        uint32_t mtu;           /* 0: the configured one, or that of the host's default route */
        char **dns;             /* addresses; NULL: the host's; not with NETWORK_NONE */
        char **dns_search;      /* NULL: the host's */
        int is_read_only;
        uint64_t grace_usec; /* how long Stop waits between TERM and KILL */
        Limits limits;
} ContainerSpec;

/* How long of a second processes may wait for memory before it is told. */
#define SPEC_KEY_PRESSURE "MemoryPressureThresholdUSec"
#define PRESSURE_USEC_MIN USEC_PER_MSEC
#define PRESSURE_USEC_MAX USEC_PER_SEC

#define GRACE_USEC_DEFAULT (10 * USEC_PER_SEC)

ContainerSpec *container_spec_new(void);
ContainerSpec *container_spec_free(ContainerSpec *spec);
DEFINE_DROP(ContainerSpec, container_spec, container_spec_free);

/* Parse and add one element. Return 0; -EINVAL, -E2BIG with a fault that names field, value and
 * reason; -ENOMEM. */
int container_spec_add_bind_mount(ContainerSpec *spec, const char *source, const char *destination,
                                  const char *options, Fault *fault);
int container_spec_add_tmpfs(ContainerSpec *spec, const char *text, Fault *fault);
int container_spec_add_label(ContainerSpec *spec, const char *key, const char *value, Fault *fault);
int container_spec_set_slice(ContainerSpec *spec, const char *text, Fault *fault);
int container_spec_set_private_users(ContainerSpec *spec, const char *text, Fault *fault);

/* "private", "host", "none", "container:NAME" or "netns:PATH". */
int container_spec_set_network(ContainerSpec *spec, const char *text, Fault *fault);
/* The same text, for the caller to free; NULL: no memory. */
char *container_spec_format_network(const ContainerSpec *spec);

/* Isolated=false without a segment is this one. Returns 0; -EINVAL with a fault: it is to be
 * isolated and in a segment; -ENOMEM. */
#define SEGMENT_DEFAULT "default"
int container_spec_settle_segment(ContainerSpec *spec, Fault *fault);

/* Consecutive host uids that may be a container's: not the host's root, and not 4294967295, which
 * is "no user" to the kernel. */
int uid_range_is_valid(uint32_t base, uint32_t count);

/* "auto", "no" or "BASE:COUNT". */
void container_spec_format_private_users(const ContainerSpec *spec, char *buffer, size_t size);

/* The checks that need the whole: required fields, bounds, absolute and normal paths, no two mounts
 * on one destination. Returns 0; -EINVAL with a fault that names the field. */
int container_spec_validate(const ContainerSpec *spec, Fault *fault);
