/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <netlink/addr.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "network/route.h"

static int build_default(unsigned index, int family, const void *gateway, struct nl_msg **ret)
{
        struct nl_addr *via = nl_addr_build(family, gateway, family == AF_INET ? 4 : 16);
        struct nl_addr *everywhere = nl_addr_build(family, NULL, 0);
        struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
        struct rtnl_route *route = rtnl_route_alloc();
        int r = -NLE_NOMEM;

        if (via && everywhere && hop && route) {
                nl_addr_set_prefixlen(everywhere, 0);
                rtnl_route_nh_set_ifindex(hop, (int)index);
                rtnl_route_nh_set_gateway(hop, via);
                rtnl_route_add_nexthop(route, hop);
                hop = NULL; /* the route's now */
                (void)rtnl_route_set_family(route, (uint8_t)family);
                rtnl_route_set_table(route, RT_TABLE_MAIN);
                rtnl_route_set_protocol(route, RTPROT_BOOT);
                r = rtnl_route_set_dst(route, everywhere);
                if (r >= 0)
                        r = rtnl_route_build_add_request(route, NLM_F_CREATE | NLM_F_EXCL, ret);
        }
        if (hop)
                rtnl_route_nh_free(hop);
        rtnl_route_put(route);
        nl_addr_put(everywhere);
        nl_addr_put(via);
        return r < 0 ? netlink_errno(r) : 0;
}

int route_add_default(Netlink *netlink, unsigned index, int family, const void *gateway,
                      Fault *fault)
{
        struct nl_msg *message;
        int r;

        r = build_default(index, family, gateway, &message);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot ask for a route: %m");
        return netlink_call(netlink, message,
                            family == AF_INET ? "add the IPv4 default route"
                                              : "add the IPv6 default route",
                            fault);
}
