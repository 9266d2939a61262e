/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "daemon/host-routes.h"
#include "model/name.h"

#define FILE_BYTES_MAX (64U << 20) /* of a router with a million routes */
#define FLAG_UP 0x1U
#define FLAG_REJECT 0x200U       /* and blackholes, which lead nowhere */
#define FLAG_ANYCAST 0x00100000U /* of IPv6, as the next */
#define FLAG_LOCAL 0x80000000U

/* -- parsing -- */

int host_route_parse4(const char *line, HostRoute *ret)
{
        uint32_t destination, mask, gateway;
        unsigned flags;
        HostRoute route = { .family = AF_INET };

        /* Numbers of addresses are as they lie in memory. */
        if (sscanf(line, "%15s %8x %8x %x %*d %*d %*d %8x", route.interface, &destination, &gateway,
                   &flags, &mask) != 5)
                return 0;
        if (mask == 0 || !(flags & FLAG_UP) || flags & FLAG_REJECT)
                return 0;
        memcpy(route.address, &destination, sizeof(destination));
        route.prefix = (uint8_t)__builtin_popcount(mask);
        *ret = route;
        return 1;
}

static int parse_hex(const char *text, uint8_t ret[16])
{
        for (size_t i = 0; i < 16; i++)
                if (sscanf(text + 2 * i, "%2hhx", &ret[i]) != 1)
                        return -EINVAL;
        return 0;
}

int host_route_parse6(const char *line, HostRoute *ret)
{
        char destination[33];
        unsigned prefix, flags;
        HostRoute route = { .family = AF_INET6 };

        if (sscanf(line, "%32s %2x %*s %*s %*s %*s %*s %*s %8x %15s", destination, &prefix, &flags,
                   route.interface) != 4)
                return 0;
        if (prefix == 0 || prefix > 128 || strlen(destination) != 32 ||
            parse_hex(destination, route.address) < 0)
                return 0;
        if (!(flags & FLAG_UP) || flags & (FLAG_REJECT | FLAG_LOCAL | FLAG_ANYCAST))
                return 0;
        route.prefix = (uint8_t)prefix;
        *ret = route;
        return 1;
}

/* -- comparing -- */

static int has_prefix(const uint8_t *address, const uint8_t *network, unsigned prefix)
{
        for (unsigned i = 0; i < prefix; i++)
                if ((address[i / 8] ^ network[i / 8]) & 0x80U >> i % 8)
                        return 0;
        return 1;
}

static int is_ours(const char *interface)
{
        return strncmp(interface, "w-", 2) == 0 && id_is_valid(interface + 2);
}

int host_route_is_within(const HostRoute *route, const NetworkPoolSpec *pool)
{
        const uint32_t base4 = htonl(pool->base4);

        if (is_ours(route->interface))
                return 0;
        if (route->family == AF_INET)
                return route->prefix >= pool->prefix4 &&
                       has_prefix(route->address, (const uint8_t *)&base4, pool->prefix4);
        return pool->prefix6 > 0 && route->prefix >= pool->prefix6 &&
               has_prefix(route->address, pool->base6, pool->prefix6);
}

void host_route_format(const HostRoute *route, char ret[HOST_ROUTE_TEXT_MAX])
{
        int is_address = route->prefix == (route->family == AF_INET ? 32 : 128);
        char address[INET6_ADDRSTRLEN] = "?", prefix[8] = "";

        (void)inet_ntop(route->family, route->address, address, sizeof(address));
        if (!is_address)
                (void)snprintf(prefix, sizeof(prefix), "/%u", route->prefix);
        (void)snprintf(ret, HOST_ROUTE_TEXT_MAX, "%s %s%s of %s", is_address ? "address" : "route",
                       address, prefix, route->interface);
}

/* -- asking -- */

static int find_in_file(const char *path, int (*parse)(const char *line, HostRoute *ret),
                        const NetworkPoolSpec *pool, HostRoute *ret)
{
        _drop_(drop_free) char *text = NULL;
        char *next, *line;
        HostRoute route;

        if (io_read_file(AT_FDCWD, path, FILE_BYTES_MAX, &text, NULL) < 0)
                return 0;
        for (next = text; (line = strsep(&next, "\n"));)
                if (parse(line, &route) && host_route_is_within(&route, pool)) {
                        *ret = route;
                        return 1;
                }
        return 0;
}

static int address_to_route(const struct ifaddrs *a, HostRoute *ret)
{
        *ret = (HostRoute){ .family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC };
        (void)snprintf(ret->interface, sizeof(ret->interface), "%s", a->ifa_name);
        if (ret->family == AF_INET) {
                const struct sockaddr_in *in = (const void *)a->ifa_addr;

                ret->prefix = 32;
                memcpy(ret->address, &in->sin_addr, sizeof(in->sin_addr));
                return 1;
        }
        if (ret->family == AF_INET6) {
                const struct sockaddr_in6 *in6 = (const void *)a->ifa_addr;

                ret->prefix = 128;
                memcpy(ret->address, &in6->sin6_addr, sizeof(in6->sin6_addr));
                return 1;
        }
        return 0;
}

static int find_address(const NetworkPoolSpec *pool, HostRoute *ret)
{
        struct ifaddrs *all;
        HostRoute route;
        int is_found = 0;

        if (getifaddrs(&all) < 0)
                return 0;
        for (const struct ifaddrs *a = all; a && !is_found; a = a->ifa_next)
                is_found = address_to_route(a, &route) && host_route_is_within(&route, pool);
        freeifaddrs(all);
        if (is_found)
                *ret = route;
        return is_found;
}

int host_routes_find_within(const NetworkPoolSpec *pool, HostRoute *ret)
{
        return find_in_file("/proc/net/route", host_route_parse4, pool, ret) ||
               find_in_file("/proc/net/ipv6_route", host_route_parse6, pool, ret) ||
               find_address(pool, ret);
}
