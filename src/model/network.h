/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* What a container with a network of its own has on the host: a veth pair and its addresses. Plain
 * data, leased by the daemon, carried in the plan and kept in the container's record. */

#define NETWORK_INTERFACE_MAX 16 /* IFNAMSIZ, with the NUL */
#define NETWORK_POOL_NAME_MAX 32 /* with the NUL */

typedef struct NetworkAddresses {
        char interface[NETWORK_INTERFACE_MAX]; /* the host's side: "w-" and the start of the id */
        uint8_t mac[6];                        /* the container's side */
        uint32_t host4, container4;            /* network byte order, as all of it */
        uint8_t prefix4;
        uint8_t host6[16], container6[16];
        uint8_t prefix6; /* 0: no IPv6 */
        char pool[NETWORK_POOL_NAME_MAX];
} NetworkAddresses;
