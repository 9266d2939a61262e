/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/container-spec.h"
#include "model/state.h"
#include "wire/codec.h"

/* What the daemon keeps of a container in /run/warden/containers/ID/state: written before each
 * reply that it must not forget, read when it starts. */

#define CONTAINER_RECORD_VERSION 1

typedef struct ContainerRecord {
        char *id;
        ContainerSpec *spec;
        ContainerState state;
        uint64_t created_usec;        /* CLOCK_REALTIME */
        uint32_t uid_base, uid_count; /* the lease; count 0: none */
        uint32_t leader_pid;          /* 0: none */
        uint64_t leader_start_ticks;  /* field 22 of /proc/PID/stat: tells a pid from its reuse */
        uint64_t started_usec;        /* CLOCK_BOOTTIME; 0: not known */
        char *unit;                   /* NULL: none yet */
        NetworkAddresses network;
        int has_network; /* a slot of a pool is leased */
        uint32_t next_job;
        uint64_t jobs_dropped; /* ended jobs that were forgotten unasked */
        uint32_t project_id;   /* the lease of the layer's quota; 0: none */
        uint64_t oom_kills;    /* the kernel's counter, as far as we have looked */
        uint64_t oom_total;    /* kills for want of memory in all its lives */
        char **events;         /* what happened to it, each once */
} ContainerRecord;

/* With an own empty spec. */
ContainerRecord *container_record_new(void);
ContainerRecord *container_record_free(ContainerRecord *record);
DEFINE_DROP(ContainerRecord, container_record, container_record_free);

/* Returns 0; -ENOMEM. */
int container_record_encode(const ContainerRecord *record, WireWriter *w);

/* Checks id, unit and ranges, and the spec as container_spec_validate() does.
 * Returns 0; -EBADMSG; -EPROTONOSUPPORT written by another version; -ENOMEM. */
int container_record_decode(const void *data, size_t size, ContainerRecord **ret);
