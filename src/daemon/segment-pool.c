/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/map.h"
#include "daemon/segment-pool.h"

typedef struct Segment {
        char *name;
        uint32_t number;
        unsigned n_containers;
} Segment;

struct SegmentPool {
        Map *by_name;
        uint32_t last; /* number that was given; in hundreds of years it begins anew */
};

static Segment *segment_free(Segment *segment)
{
        if (!segment)
                return NULL;
        free(segment->name);
        free(segment);
        return NULL;
}
DEFINE_DROP(Segment, segment, segment_free);

int segment_pool_new(SegmentPool **ret)
{
        _drop_(drop_segment_pool) SegmentPool *pool = calloc(1, sizeof(*pool));

        if (!pool)
                return -ENOMEM;
        pool->by_name = map_new();
        if (!pool->by_name)
                return -ENOMEM;
        *ret = take_ptr(pool);
        return 0;
}

SegmentPool *segment_pool_free(SegmentPool *pool)
{
        Segment *segment;

        if (!pool)
                return NULL;
        if (pool->by_name)
                MAP_FOREACH(segment, pool->by_name)
                        segment_free(segment);
        map_free(pool->by_name);
        free(pool);
        return NULL;
}

static int segment_new(SegmentPool *pool, const char *name, Segment **ret)
{
        _drop_(drop_segment) Segment *segment = calloc(1, sizeof(*segment));
        int r;

        if (!segment)
                return -ENOMEM;
        segment->name = strdup(name);
        segment->number = pool->last + 1;
        if (!segment->name)
                return -ENOMEM;
        r = map_put(pool->by_name, segment->name, segment);
        if (r < 0)
                return r;
        pool->last = segment->number;
        *ret = take_ptr(segment);
        return 0;
}

int segment_pool_acquire(SegmentPool *pool, const char *name, uint32_t *ret, Fault *fault)
{
        Segment *segment = map_get(pool->by_name, name);
        int r;

        if (!segment) {
                r = segment_new(pool, name, &segment);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        }
        segment->n_containers++;
        *ret = segment->number;
        return 0;
}

void segment_pool_release(SegmentPool *pool, const char *name)
{
        Segment *segment = map_get(pool->by_name, name);

        if (!segment || --segment->n_containers > 0)
                return;
        (void)map_remove(pool->by_name, name);
        segment_free(segment);
}
