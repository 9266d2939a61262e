/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "daemon/project-pool.h"
#include "daemon/worker-pool.h"

typedef struct Leaving Leaving;
struct Leaving {
        ProjectPool *pool;
        WorkerOperation *worker;
        uint32_t id;
        Leaving *next;
};

struct ProjectPool {
        uint32_t base, count;
        uint32_t next;    /* index at which the search begins */
        Leaving *leaving; /* ids whose files are being deleted */
        uint8_t is_taken[];
};

int project_range_is_valid(uint32_t base, uint32_t count)
{
        return base > 0 && count > 0 && count <= PROJECT_POOL_COUNT_MAX &&
               base < UINT32_MAX - count;
}

int project_pool_new(uint32_t base, uint32_t count, uint64_t seed, ProjectPool **ret, Fault *fault)
{
        ProjectPool *pool;

        if (!project_range_is_valid(base, count))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "ProjectPool: %u:%u is not a range of at most %u ids above 0",
                                 base, count, PROJECT_POOL_COUNT_MAX);
        pool = calloc(1, sizeof(*pool) + count);
        if (!pool)
                return -ENOMEM;
        pool->base = base;
        pool->count = count;
        pool->next = (uint32_t)(seed % count);
        *ret = pool;
        return 0;
}

static void leaving_free(Leaving *leaving)
{
        for (Leaving **p = &leaving->pool->leaving; *p; p = &(*p)->next)
                if (*p == leaving) {
                        *p = leaving->next;
                        break;
                }
        worker_operation_free(leaving->worker);
        free(leaving);
}

ProjectPool *project_pool_free(ProjectPool *pool)
{
        if (!pool)
                return NULL;
        while (pool->leaving)
                leaving_free(pool->leaving);
        free(pool);
        return NULL;
}

int project_pool_acquire(ProjectPool *pool, uint32_t *ret_id, Fault *fault)
{
        for (uint32_t i = 0; i < pool->count; i++) {
                uint32_t index = (pool->next + i) % pool->count;

                if (pool->is_taken[index])
                        continue;
                pool->is_taken[index] = 1;
                pool->next = (index + 1) % pool->count;
                *ret_id = pool->base + index;
                return 0;
        }
        return fault_set(fault, FAULT_LIMIT, -ENOSPC,
                         "DiskMax: all %u quota projects of the pool are in use; destroy a "
                         "container or widen ProjectPool=",
                         pool->count);
}

static uint8_t *project_find(ProjectPool *pool, uint32_t id)
{
        return id >= pool->base && id - pool->base < pool->count ? &pool->is_taken[id - pool->base]
                                                                 : NULL;
}

int project_pool_reserve(ProjectPool *pool, uint32_t id, Fault *fault)
{
        uint8_t *is_taken = project_find(pool, id);

        if (is_taken && *is_taken)
                return fault_set(fault, FAULT_LIMIT, -EEXIST,
                                 "Quota project %u is that of another container", id);
        if (is_taken)
                *is_taken = 1;
        return 0;
}

void project_pool_release(ProjectPool *pool, uint32_t id)
{
        uint8_t *is_taken = project_find(pool, id);

        if (is_taken)
                *is_taken = 0;
}

void project_pool_on_deleted(void *userdata)
{
        Leaving *leaving = userdata;

        project_pool_release(leaving->pool, leaving->id);
        leaving_free(leaving);
}

void project_pool_release_after(ProjectPool *pool, uint32_t id, WorkerOperation *take_worker)
{
        Leaving *leaving = take_worker ? malloc(sizeof(*leaving)) : NULL;

        if (!leaving) {
                worker_operation_free(take_worker);
                project_pool_release(pool, id);
                return;
        }
        *leaving = (Leaving){
                .pool = pool, .worker = take_worker, .id = id, .next = pool->leaving
        };
        pool->leaving = leaving;
        worker_operation_follow(take_worker, leaving);
}
