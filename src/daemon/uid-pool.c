/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "daemon/uid-pool.h"

struct UidPool {
        uint32_t base;
        uint32_t n_blocks;
        uint32_t lowest_free; /* no block below it is free */
        uint8_t is_taken[];
};

int uid_pool_new(uint32_t base, uint32_t count, UidPool **ret, Fault *fault)
{
        UidPool *pool;

        if (count == 0 || count % UID_BLOCK != 0 || base < UID_BLOCK || base > UINT32_MAX - count)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "UIDPool: %u:%u is not a range above %u of whole blocks of %u ids",
                                 base, count, UID_BLOCK, UID_BLOCK);
        pool = calloc(1, sizeof(*pool) + count / UID_BLOCK);
        if (!pool)
                return -ENOMEM;
        pool->base = base;
        pool->n_blocks = count / UID_BLOCK;
        *ret = pool;
        return 0;
}

UidPool *uid_pool_free(UidPool *pool)
{
        free(pool);
        return NULL;
}

int uid_pool_acquire(UidPool *pool, uint32_t *ret_base, Fault *fault)
{
        for (uint32_t i = pool->lowest_free; i < pool->n_blocks; i++)
                if (!pool->is_taken[i]) {
                        pool->is_taken[i] = 1;
                        pool->lowest_free = i + 1;
                        *ret_base = pool->base + i * UID_BLOCK;
                        return 0;
                }
        return fault_set(fault, FAULT_LIMIT, -ENOSPC,
                         "PrivateUsers: all %u id ranges of the pool are in use; destroy a "
                         "container or widen UIDPool=",
                         pool->n_blocks);
}

/* The blocks [*first, *last) that the range touches. */
static void touched_blocks(const UidPool *pool, uint32_t base, uint32_t count, uint32_t *first,
                           uint32_t *last)
{
        uint64_t pool_end = (uint64_t)pool->base + (uint64_t)pool->n_blocks * UID_BLOCK;
        uint64_t start = MAX2((uint64_t)base, (uint64_t)pool->base);
        uint64_t end = MIN2((uint64_t)base + count, pool_end);

        if (start >= end) {
                *first = *last = 0;
                return;
        }
        *first = (uint32_t)((start - pool->base) / UID_BLOCK);
        *last = (uint32_t)((end - pool->base + UID_BLOCK - 1) / UID_BLOCK);
}

int uid_pool_reserve(UidPool *pool, uint32_t base, uint32_t count, Fault *fault)
{
        uint32_t first, last;

        touched_blocks(pool, base, count, &first, &last);
        for (uint32_t i = first; i < last; i++)
                if (pool->is_taken[i])
                        return fault_set(
                                fault, FAULT_LIMIT, -EEXIST,
                                "PrivateUsers: range %u:%u overlaps the ids of another container",
                                base, count);
        for (uint32_t i = first; i < last; i++)
                pool->is_taken[i] = 1;
        return 0;
}

void uid_pool_release(UidPool *pool, uint32_t base, uint32_t count)
{
        uint32_t first, last;

        touched_blocks(pool, base, count, &first, &last);
        for (uint32_t i = first; i < last; i++)
                pool->is_taken[i] = 0;
        if (first < last && first < pool->lowest_free)
                pool->lowest_free = first;
}

uint32_t uid_pool_count_free(const UidPool *pool)
{
        uint32_t n = 0;

        for (uint32_t i = 0; i < pool->n_blocks; i++)
                n += !pool->is_taken[i];
        return n;
}
