/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/network.h"

/* The slots of the configured pools. A slot that is given back is the last to be leased again, and
 * not before its interface has vanished: a network namespace dies some time after the last of its
 * processes, and until then the old addresses still lead somewhere. */

typedef struct NetworkPools NetworkPools;

/* Whether an interface exists; network_pools_new() takes NULL for the kernel's answer. */
typedef int (*InterfaceExistsFunc)(const char *name);

/* @specs   copied; they do not overlap. None: no container gets a slot. Returns 0; -ENOMEM. */
int network_pools_new(const NetworkPoolSpec *specs, size_t n_specs, InterfaceExistsFunc exists,
                      NetworkPools **ret);
NetworkPools *network_pools_free(NetworkPools *pools);
DEFINE_DROP(NetworkPools, network_pools, network_pools_free);

int network_pools_are_empty(const NetworkPools *pools);

/* Gives no more leases of a pool, for a reason that callers are told; what is leased stays. Returns
 * 0; -ENOENT; -ENOMEM. */
int network_pools_refuse(NetworkPools *pools, const char *name, const char *reason);

/* Slots of all pools: those that can be leased now, or all there are. */
uint64_t network_pools_count(const NetworkPools *pools, int is_free);

/* Leases a slot. @pool NULL: the first one, or the one that has @address; @address NULL: the slot
 * that was free for longest. @ret has the name and MAC of @id.
 * Returns 0; -EADDRINUSE the address is taken, -EBUSY it was and the interface is still there: no
 * fault then, but the id of whose it is; other negative errno with FAULT_INVALID (no such pool, an
 * address outside) or FAULT_LIMIT (the pool is exhausted). */
int network_pools_acquire(NetworkPools *pools, const char *id, const char *pool,
                          const char *address, NetworkAddresses *ret,
                          char ret_owner[NETWORK_INTERFACE_MAX], Fault *fault);

/* Takes what an earlier life of the daemon leased. A pool that is not configured any more is not
 * tracked. Returns 0; -EEXIST. */
int network_pools_reserve(NetworkPools *pools, const NetworkAddresses *addresses);

/* There is an interface with the host's address of a slot that nobody has: the slot is not leased
 * before it has vanished. Nothing happens for a slot that somebody has, and for other addresses.
 * @host4   network byte order */
void network_pools_await(NetworkPools *pools, const char *interface, uint32_t host4);

/* Gives it back: at once, or when network_pools_link_gone() tells. */
void network_pools_release(NetworkPools *pools, const NetworkAddresses *addresses);

/* @interface   has vanished; NULL: any may have, look at each that is waited for */
void network_pools_link_gone(NetworkPools *pools, const char *interface);
