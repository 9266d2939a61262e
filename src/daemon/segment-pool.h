/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* The numbers that the packet filter has for segments, the groups of containers that may talk to
 * each other. A name has one for as long as any container is in it; a number is not used for
 * another name while the daemon runs, as its elements may still be on their way out. */

typedef struct SegmentPool SegmentPool;

/* Returns 0; -ENOMEM. */
int segment_pool_new(SegmentPool **ret);
SegmentPool *segment_pool_free(SegmentPool *pool);
DEFINE_DROP(SegmentPool, segment_pool, segment_pool_free);

/* Counts one more container in the segment @name.
 * @ret       its number, which is never 0
 * Returns    0; -ENOMEM with a fault. */
int segment_pool_acquire(SegmentPool *pool, const char *name, uint32_t *ret, Fault *fault);

/* One less. */
void segment_pool_release(SegmentPool *pool, const char *name);
