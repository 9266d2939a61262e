/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/netlink.h"

/* The way to everywhere.
 * @family, @gateway   AF_INET and 4 bytes, or AF_INET6 and 16, in network byte order
 * Like: ip route add default via G dev I. Returns 0; negative errno with a fault. */
int route_add_default(Netlink *netlink, unsigned index, int family, const void *gateway,
                      Fault *fault);
