/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/netlink.h"

/* Gives an interface an address. IPv6 is told that nobody else has it: looking for a duplicate
 * takes a second, and on a pair there is only one other.
 * @family, @address   AF_INET and 4 bytes, or AF_INET6 and 16, in network byte order
 * Like: ip addr add A/P dev I nodad. Returns 0; negative errno with a fault. */
int address_add(Netlink *netlink, unsigned index, int family, const void *address, unsigned prefix,
                Fault *fault);
