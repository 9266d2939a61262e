/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <net/if.h>

#include "model/network.h"

/* Where the host sends packets, and its addresses: a pool of ours must not take either away. Slots
 * have longer prefixes than nearly all routes, so whoever lives in a route within the pool would
 * not be reached any more. */

typedef struct HostRoute {
        int family; /* AF_INET, AF_INET6 */
        uint8_t address[16];
        uint8_t prefix;
        char interface[IFNAMSIZ];
} HostRoute;

/* A line of /proc/net/route and of /proc/net/ipv6_route. Returns 1; 0 for what is no route that
 * matters: a heading, the default, addresses (getifaddrs() has them), a line that cannot be read.
 */
int host_route_parse4(const char *line, HostRoute *ret);
int host_route_parse6(const char *line, HostRoute *ret);

/* Is it within the pool, or the same? An interface of ours never is. */
int host_route_is_within(const HostRoute *route, const NetworkPoolSpec *pool);

#define HOST_ROUTE_TEXT_MAX 96

/* "route 10.1.0.0/24 of docker0", or "address 10.1.0.1 of eth0". */
void host_route_format(const HostRoute *route, char ret[HOST_ROUTE_TEXT_MAX]);

/* Looks for one that is within the pool. For the start of the daemon: the kernel is asked for all
 * there are. Returns 1; 0: there is none, or it cannot be known. */
int host_routes_find_within(const NetworkPoolSpec *pool, HostRoute *ret);
