/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Ranges of host ids for containers with their own users. A range is one block of 65,536. */

#define UID_BLOCK 65536U

typedef struct UidPool UidPool;

/* @base, @count   the pool; the count is a multiple of UID_BLOCK. Returns 0; -EINVAL; -ENOMEM. */
int uid_pool_new(uint32_t base, uint32_t count, UidPool **ret, Fault *fault);
UidPool *uid_pool_free(UidPool *pool);
DEFINE_DROP(UidPool, uid_pool, uid_pool_free);

/* Leases the lowest free block. Returns 0; -ENOSPC with FAULT_LIMIT. */
int uid_pool_acquire(UidPool *pool, uint32_t *ret_base, Fault *fault);

/* Takes a range that was chosen by somebody else (a client, or an earlier life of the daemon):
 * every block of the pool that it touches must be free. Outside of the pool nothing is tracked.
 * Returns 0; -EEXIST with FAULT_LIMIT. */
int uid_pool_reserve(UidPool *pool, uint32_t base, uint32_t count, Fault *fault);

/* How many containers with their own users can still be made. */
uint32_t uid_pool_count_free(const UidPool *pool);

/* Gives the blocks back that acquire or reserve took. */
void uid_pool_release(UidPool *pool, uint32_t base, uint32_t count);
