/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/bandwidth.h"
#include "model/network.h"
#include "network/netlink.h"

/* Holds a container to its bandwidth, on the host's side of its pair, where it has no say.
 *
 * What it receives leaves the host there and is queued by a token bucket (sch_tbf). What it sends
 * arrives, and arrivals have no queue: they are led to a device that exists for this alone (ifb),
 * leave that by a token bucket, and go on as if they had just arrived. Both see whole frames of
 * every protocol. */

/* The device for what the container sends: "i-" in place of "w-". */
void shaper_device(const char *interface, char ret[NETWORK_INTERFACE_MAX]);

/* Sets, changes or takes away what is in force for one direction; packets that wait keep waiting.
 * Like: tc qdisc replace dev W root tbf rate R burst B limit L
 * and:  ip link add I type ifb; tc qdisc replace dev I root tbf …; tc qdisc add dev W ingress;
 *       tc filter add dev W parent ffff: u32 match u32 0 0 action mirred egress redirect dev I
 * @interface   the host's side of a pair, up
 * Returns 0; -EINVAL with FAULT_INVALID: the burst is less than a packet; -EOPNOTSUPP with
 * FAULT_NOT_SUPPORTED that names the kernel's missing module; negative errno with a fault. */
int shaper_apply(Netlink *netlink, const char *interface, BandwidthDirection direction,
                 const Bandwidth *bandwidth, Fault *fault);

/* After the processes are gone. The pair may be there yet, as long as the kernel has something to
 * say on their behalf, which nothing holds up then. A device that is not there is none to remove:
 * 0. */
int shaper_remove(Netlink *netlink, const char *interface);
