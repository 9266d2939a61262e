/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Ids of quota projects, one for each container whose disk is bounded. */

#define PROJECT_POOL_COUNT_MAX (1U << 20)

typedef struct ProjectPool ProjectPool;
typedef struct WorkerOperation WorkerOperation;

/* What ProjectPool= may say: not 0, which is the project of all other files, nor the highest id,
 * which stands for none. */
int project_range_is_valid(uint32_t base, uint32_t count);

/* @seed     where to begin: ids go round, and what an earlier life of the daemon gave last may
 *           still have files
 * Returns   0; -EINVAL with a fault; -ENOMEM. */
int project_pool_new(uint32_t base, uint32_t count, uint64_t seed, ProjectPool **ret, Fault *fault);

/* Before the WorkerPool of operations that were given to project_pool_release_after(). */
ProjectPool *project_pool_free(ProjectPool *pool);
DEFINE_DROP(ProjectPool, project_pool, project_pool_free);

/* Leases the id that was free for the longest time, nearly. Returns 0; -ENOSPC with FAULT_LIMIT. */
int project_pool_acquire(ProjectPool *pool, uint32_t *ret_id, Fault *fault);

/* Takes one that an earlier life of the daemon leased. Outside of the pool nothing is tracked.
 * Returns 0; -EEXIST with FAULT_LIMIT. */
int project_pool_reserve(ProjectPool *pool, uint32_t id, Fault *fault);

void project_pool_release(ProjectPool *pool, uint32_t id);

/* Gives it back when the worker has deleted all files. @take_worker: a removal that has been
 * answered, taken in any case. */
void project_pool_release_after(ProjectPool *pool, uint32_t id, WorkerOperation *take_worker);

/* The WorkerHandler.closed of such an operation. */
void project_pool_on_deleted(void *userdata);
