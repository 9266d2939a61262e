/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/interface.h"
#include "daemon/network-pool.h"

typedef enum SlotState {
        SLOT_FREE,
        SLOT_TAKEN,
        SLOT_DYING, /* given back, its interface is still there */
} SlotState;

typedef struct Slot {
        SlotState state;
        uint32_t next, previous;           /* in the list of free ones, or of dying ones */
        char owner[NETWORK_INTERFACE_MAX]; /* its interface; has the id in it */
} Slot;

/* A ring through a slot that is none: its next is the first, its previous the last. */
typedef struct Pool {
        NetworkPoolSpec spec;
        uint32_t n_slots;
        Slot *slots;   /* n_slots, then the heads */
        char *refusal; /* why there are no leases of it; NULL: there are */
} Pool;

#define FREE_HEAD(pool) ((pool)->n_slots)
#define DYING_HEAD(pool) ((pool)->n_slots + 1)

struct NetworkPools {
        InterfaceExistsFunc exists;
        size_t n_pools;
        Pool pools[];
};

static void slot_unlink(Pool *pool, uint32_t i)
{
        Slot *slot = &pool->slots[i];

        pool->slots[slot->previous].next = slot->next;
        pool->slots[slot->next].previous = slot->previous;
}

static void slot_append(Pool *pool, uint32_t head, uint32_t i)
{
        Slot *slot = &pool->slots[i];

        slot->next = head;
        slot->previous = pool->slots[head].previous;
        pool->slots[slot->previous].next = i;
        pool->slots[head].previous = i;
}

static int pool_init(Pool *pool, const NetworkPoolSpec *spec)
{
        uint32_t n_slots = network_pool_spec_slots(spec);

        pool->slots = calloc(n_slots + 2, sizeof(Slot));
        if (!pool->slots)
                return -ENOMEM;
        pool->spec = *spec;
        pool->n_slots = n_slots;
        for (uint32_t head = n_slots; head < n_slots + 2; head++)
                pool->slots[head].next = pool->slots[head].previous = head;
        for (uint32_t i = 0; i < n_slots; i++)
                slot_append(pool, FREE_HEAD(pool), i);
        return 0;
}

static int interface_exists(const char *name)
{
        return interface_index(name) > 0;
}

int network_pools_new(const NetworkPoolSpec *specs, size_t n_specs, InterfaceExistsFunc exists,
                      NetworkPools **ret)
{
        _drop_(drop_network_pools)
                NetworkPools *pools = calloc(1, sizeof(*pools) + n_specs * sizeof(Pool));

        if (!pools)
                return -ENOMEM;
        pools->exists = exists ?: interface_exists;
        for (; pools->n_pools < n_specs; pools->n_pools++) {
                int r = pool_init(&pools->pools[pools->n_pools], &specs[pools->n_pools]);

                if (r < 0)
                        return r;
        }
        *ret = take_ptr(pools);
        return 0;
}

NetworkPools *network_pools_free(NetworkPools *pools)
{
        if (!pools)
                return NULL;
        for (size_t i = 0; i < pools->n_pools; i++) {
                free(pools->pools[i].slots);
                free(pools->pools[i].refusal);
        }
        free(pools);
        return NULL;
}

int network_pools_are_empty(const NetworkPools *pools)
{
        return pools->n_pools == 0;
}

uint64_t network_pools_count(const NetworkPools *pools, int is_free)
{
        uint64_t n = 0;

        for (size_t i = 0; i < pools->n_pools; i++) {
                const Pool *pool = &pools->pools[i];

                if (is_free && pool->refusal)
                        continue;
                if (!is_free) {
                        n += pool->n_slots;
                        continue;
                }
                for (uint32_t slot = 0; slot < pool->n_slots; slot++)
                        n += pool->slots[slot].state == SLOT_FREE;
        }
        return n;
}

static Pool *find_pool(NetworkPools *pools, const char *name)
{
        for (size_t i = 0; i < pools->n_pools; i++)
                if (strcmp(pools->pools[i].spec.name, name) == 0)
                        return &pools->pools[i];
        return NULL;
}

int network_pools_refuse(NetworkPools *pools, const char *name, const char *reason)
{
        Pool *pool = find_pool(pools, name);
        char *refusal = strdup(reason);

        if (!pool || !refusal) {
                free(refusal);
                return pool ? -ENOMEM : -ENOENT;
        }
        free(pool->refusal);
        pool->refusal = refusal;
        return 0;
}

/* -- leases -- */

static void slot_take(Pool *pool, uint32_t i, const NetworkAddresses *addresses)
{
        slot_unlink(pool, i);
        pool->slots[i].state = SLOT_TAKEN;
        (void)snprintf(pool->slots[i].owner, sizeof(pool->slots[i].owner), "%s",
                       addresses->interface);
}

static int find_by_address(NetworkPools *pools, Pool **pool, const char *address, uint32_t *ret,
                           Fault *fault)
{
        int r = -ERANGE;

        if (*pool)
                r = network_pool_spec_find(&(*pool)->spec, address, ret, fault);
        for (size_t i = 0; i < pools->n_pools && !*pool; i++) {
                r = network_pool_spec_find(&pools->pools[i].spec, address, ret, fault);
                if (r != -ERANGE)
                        *pool = &pools->pools[i];
        }
        if (r == -ERANGE)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Address: %.64s is not in %s%s",
                                 address, *pool ? "pool " : "any pool",
                                 *pool ? (*pool)->spec.name : "");
        return r;
}

static int find_slot(NetworkPools *pools, Pool **pool, const char *address, uint32_t *ret,
                     Fault *fault)
{
        if (address)
                return find_by_address(pools, pool, address, ret, fault);
        if (!*pool)
                *pool = &pools->pools[0];
        *ret = (*pool)->slots[FREE_HEAD(*pool)].next;
        if (*ret == FREE_HEAD(*pool))
                return fault_set(fault, FAULT_LIMIT, -ENOSPC,
                                 "NetworkPool: all %u slots of pool '%s' are in use; destroy a "
                                 "container or widen the pool in wardend.conf",
                                 (*pool)->n_slots, (*pool)->spec.name);
        return 0;
}

int network_pools_acquire(NetworkPools *pools, const char *id, const char *name,
                          const char *address, NetworkAddresses *ret,
                          char ret_owner[NETWORK_INTERFACE_MAX], Fault *fault)
{
        Pool *pool = name ? find_pool(pools, name) : NULL;
        const Slot *slot;
        uint32_t i;
        int r;

        if (name && !pool)
                return fault_set(fault, FAULT_INVALID, -ENOENT,
                                 "NetworkPool: there is no pool '%s' in wardend.conf", name);
        if (pools->n_pools == 0)
                return fault_set(fault, FAULT_INVALID, -ENOENT,
                                 "Address: there is no pool of addresses in wardend.conf");
        r = find_slot(pools, &pool, address, &i, fault);
        if (r < 0)
                return r;
        if (pool->refusal)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "NetworkPool: pool '%s' cannot be used: %s", pool->spec.name,
                                 pool->refusal);
        slot = &pool->slots[i];
        if (slot->state != SLOT_FREE) {
                (void)snprintf(ret_owner, NETWORK_INTERFACE_MAX, "%s", slot->owner + 2);
                return slot->state == SLOT_DYING ? -EBUSY : -EADDRINUSE;
        }
        network_addresses_name(ret, id);
        network_pool_spec_slot(&pool->spec, i, ret);
        slot_take(pool, i, ret);
        return 0;
}

/* The slot of a lease. Returns 0; -ENOENT: not of a pool that there is. */
static int lease_find(NetworkPools *pools, const NetworkAddresses *addresses, Pool **ret_pool,
                      uint32_t *ret)
{
        Pool *pool = find_pool(pools, addresses->pool);
        char text[NETWORK_ADDRESS_MAX];

        network_format4(addresses->container4, text);
        if (!pool || network_pool_spec_find(&pool->spec, text, ret, NULL) < 0)
                return -ENOENT;
        *ret_pool = pool;
        return 0;
}

int network_pools_reserve(NetworkPools *pools, const NetworkAddresses *addresses)
{
        Pool *pool;
        uint32_t i;

        if (lease_find(pools, addresses, &pool, &i) < 0)
                return 0;
        if (pool->slots[i].state != SLOT_FREE)
                return -EEXIST;
        slot_take(pool, i, addresses);
        return 0;
}

void network_pools_await(NetworkPools *pools, const char *interface, uint32_t host4)
{
        char text[NETWORK_ADDRESS_MAX];

        network_format4(htonl(ntohl(host4) + 1), text);
        for (size_t p = 0; p < pools->n_pools; p++) {
                Pool *pool = &pools->pools[p];
                Slot *slot;
                uint32_t i;

                if (network_pool_spec_find(&pool->spec, text, &i, NULL) < 0)
                        continue;
                slot = &pool->slots[i];
                if (slot->state != SLOT_FREE || !pools->exists(interface))
                        return;
                slot_unlink(pool, i);
                slot->state = SLOT_DYING;
                (void)snprintf(slot->owner, sizeof(slot->owner), "%s", interface);
                slot_append(pool, DYING_HEAD(pool), i);
                return;
        }
}

void network_pools_release(NetworkPools *pools, const NetworkAddresses *addresses)
{
        Pool *pool;
        uint32_t i;

        if (lease_find(pools, addresses, &pool, &i) < 0 || pool->slots[i].state != SLOT_TAKEN ||
            strcmp(pool->slots[i].owner, addresses->interface) != 0)
                return;
        if (pools->exists(addresses->interface)) {
                pool->slots[i].state = SLOT_DYING;
                slot_append(pool, DYING_HEAD(pool), i);
        } else {
                pool->slots[i].state = SLOT_FREE;
                slot_append(pool, FREE_HEAD(pool), i);
        }
}

static void pool_link_gone(NetworkPools *pools, Pool *pool, const char *interface)
{
        uint32_t next;

        for (uint32_t i = pool->slots[DYING_HEAD(pool)].next; i != DYING_HEAD(pool); i = next) {
                Slot *slot = &pool->slots[i];

                next = slot->next;
                if (interface ? strcmp(slot->owner, interface) != 0 : pools->exists(slot->owner))
                        continue;
                slot_unlink(pool, i);
                slot->state = SLOT_FREE;
                slot_append(pool, FREE_HEAD(pool), i);
        }
}

void network_pools_link_gone(NetworkPools *pools, const char *interface)
{
        for (size_t i = 0; i < pools->n_pools; i++)
                pool_link_gone(pools, &pools->pools[i], interface);
}
