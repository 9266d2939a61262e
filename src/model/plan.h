/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/container-spec.h"

/* All that a worker needs to make one container: the spec with every choice made. Plain data; what
 * can be decided without looking at the system has been decided in plan_new(). */

typedef struct Plan {
        char *id;
        char *name;
        char *hostname;
        char *root_directory;
        char *layer_directory;   /* /var/lib/warden/containers/ID: upper/ and work/ are made in it,
                                    0700 */
        char *runtime_directory; /* /run/warden/containers/ID: exists; wshd.sock is made in it */
        BindMount *bind_mounts;
        size_t n_bind_mounts;
        TmpfsMount *tmpfs_mounts;
        size_t n_tmpfs_mounts;
        uint32_t uid_base, uid_count; /* count 0: no user namespace */
        NetworkMode network;
        StorageKind storage;
        DiskLimits disk;
        uint32_t project_id;  /* of the layer directory, with disk as its quota; 0: none */
        char *network_target; /* /proc/PID/ns/net or a path: what to join; else NULL */
        NetworkAddresses addresses;
        int has_addresses;         /* NETWORK_PRIVATE with a slot of a pool */
        char *interface_name;      /* of its own in there; NULL: NETWORK_INTERFACE_INSIDE */
        char **interfaces;         /* of the host, to be moved in; NULL: none */
        BandwidthLimits bandwidth; /* of it */
        uint32_t mtu;              /* of it; 0: that of the host's default route */
        char *resolv_conf;         /* the text of /etc/resolv.conf and */
        char *hosts;               /* of /etc/hosts; NULL: what the image has */
        int is_read_only;
        uint64_t timeout_usec; /* the worker ends itself after this */
} Plan;

/* Far more than a set-up takes, and longer than systemd may take for the scope when it is busy: the
 * bus gives up after 25 s. */
#define PLAN_TIMEOUT_USEC (30 * USEC_PER_SEC)

/* Without a hostname in the spec it is the name, or the id when the name would not do as one.
 * @uid_base, @uid_count   the leased range; count 0 for PrivateUsers=no
 * @state_directory        /var/lib/warden; @runtime_directory: /run/warden
 * Returns 0; -ENOMEM. */
int plan_new(const ContainerSpec *spec, const char *id, uint32_t uid_base, uint32_t uid_count,
             const char *state_directory, const char *runtime_directory, Plan **ret);
Plan *plan_free(Plan *plan);
DEFINE_DROP(Plan, plan, plan_free);
