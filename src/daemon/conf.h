/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/ip-range.h"
#include "model/network.h"

/* wardend.conf and its drop-ins: [Manager] KEY=VALUE, as systemd's own files. A line that is wrong
 * is reported with file and line and skipped, so that a typing error does not take the containers
 * down. */

typedef struct Conf {
        char *state_directory;   /* StateDirectory=: upper layers; /var/lib/warden */
        char *runtime_directory; /* RuntimeDirectory=: state files and sockets; /run/warden */
        char *worker_program;    /* not a key: set by the command line in tests */
        char *wshd_program;
        char *journal_program;
        char *firewall_program;
        char *slice;            /* Slice=: warden.slice */
        uint32_t uid_pool_base; /* UIDPool=BASE:COUNT; the count is a multiple of 65536 */
        uint32_t uid_pool_count;
        uint32_t project_pool_base, project_pool_count; /* ProjectPool=BASE:COUNT */
        uint64_t grace_usec;                            /* GraceSec=: between TERM and KILL */
        uint64_t create_timeout_usec; /* CreateTimeoutSec=: from request to active, queue not
                                         counted */
        uint32_t containers_max;      /* ContainersMax= */
        uint32_t jobs_max;            /* JobsMax=: per container, ended but unreleased ones count */
        uint32_t ended_jobs_max;      /* EndedJobsMax=: per container; the oldest go first */
        uint64_t ended_jobs_usec;     /* EndedJobsSec=: after it they go */
        uint64_t ring_bytes;          /* RingBytes=: of each ring of a job that does not say */
        uint64_t ring_bytes_max;      /* RingBytesMax= */
        uint32_t workers_max;         /* WorkersMax=: operations at once; the others queue */
        uint32_t port_pool_base;      /* PortPool=BASE:COUNT; of forwards that name no port */
        uint32_t port_pool_count;
        IpRange *
                allow_networks; /* AllowNetworks=, DenyNetworks=: where containers may go; repeated,
                                    an empty value forgets those before */
        size_t n_allow_networks;
        IpRange *deny_networks;
        size_t n_deny_networks;
        NetworkPoolSpec *network_pools; /* NetworkPool=NAME NETWORK [NETWORK6]: repeated */
        size_t n_network_pools;
        int has_network_pools; /* some file had a word on it: no default then */
        uint32_t network_mtu;  /* NetworkMTU=; 0: that of the host's default route */
        int has_machines;      /* RegisterMachines=: names of containers by systemd-machined */
} Conf;

/* Defaults, then SYSCONFDIR/wardend.conf, then wardend.conf.d/ of /usr/lib/warden, /etc/warden and
 * /run/warden merged by name. @path non-NULL: only this file. Returns 0; -ENOMEM; the errno of an
 * explicit @path. */
int conf_load(Conf *conf, const char *path, Fault *fault);
void conf_done(Conf *conf);

/* Reads the lines of one file into @conf. @text is changed; @path is for the messages. Returns how
 * many lines were wrong. */
int conf_parse(Conf *conf, const char *path, char *text);
