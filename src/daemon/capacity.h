/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/manager.h"

/* What there is for containers on this host, and what of it is free at this moment. */

typedef enum Capacity {
        CAPACITY_MEMORY,          /* bytes of the host */
        CAPACITY_MEMORY_FREE,     /* what could be used without swapping */
        CAPACITY_DISK,            /* bytes of the file system of StateDirectory= */
        CAPACITY_DISK_FREE,       /* of these, what is left for those who are not root */
        CAPACITY_CONTAINERS,      /* ContainersMax= */
        CAPACITY_CONTAINERS_FREE, /* how many more there may be */
        CAPACITY_USERS, /* blocks of ids of UIDPool=: a container with its own users each */
        CAPACITY_USERS_FREE,
        CAPACITY_PORTS,         /* of PortPool= */
        CAPACITY_PORTS_FREE,    /* of these, those that lead nowhere, by no protocol */
        CAPACITY_NETWORKS,      /* slots of all NetworkPool= together */
        CAPACITY_NETWORKS_FREE, /* without those whose interface has not vanished yet */
        _CAPACITY_MAX,
        _CAPACITY_INVALID = -22,
} Capacity;

const char *capacity_to_string(Capacity capacity); /* the property on the bus */
Capacity capacity_from_string(const char *s);

/* Returns 0; the errno of /proc/meminfo or of the file system. */
int capacity_get(const Manager *manager, Capacity capacity, uint64_t *ret);

/* "MemTotal:  2048 kB" of /proc/meminfo in bytes. -ENODATA when there is no such line. */
int capacity_parse_meminfo(const char *text, const char *key, uint64_t *ret);
