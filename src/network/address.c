/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/if_addr.h>
#include <netlink/addr.h>
#include <netlink/route/addr.h>

#include "network/address.h"

static int build_address(unsigned index, int family, const void *address, unsigned prefix,
                         struct nl_msg **ret)
{
        struct nl_addr *local = nl_addr_build(family, address, family == AF_INET ? 4 : 16);
        struct rtnl_addr *entry = rtnl_addr_alloc();
        int r = -NLE_NOMEM;

        if (local && entry) {
                nl_addr_set_prefixlen(local, (int)prefix);
                rtnl_addr_set_ifindex(entry, (int)index);
                if (family == AF_INET6)
                        rtnl_addr_set_flags(entry, IFA_F_NODAD);
                r = rtnl_addr_set_local(entry, local);
                if (r >= 0)
                        r = rtnl_addr_build_add_request(entry, NLM_F_CREATE | NLM_F_EXCL, ret);
        }
        rtnl_addr_put(entry);
        nl_addr_put(local);
        return r < 0 ? netlink_errno(r) : 0;
}

int address_add(Netlink *netlink, unsigned index, int family, const void *address, unsigned prefix,
                Fault *fault)
{
        struct nl_msg *message;
        int r;

        r = build_address(index, family, address, prefix, &message);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot ask for an address: %m");
        return netlink_call(netlink, message,
                            family == AF_INET ? "add the IPv4 address" : "add the IPv6 address",
                            fault);
}
