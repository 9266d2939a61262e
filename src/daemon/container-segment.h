/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* The segment of a container, which may be changed while it lives. It is the spec's, so that it is
 * saved with it and comes back with a start. One change at a time: which element of the packet
 * filter is to be replaced is known when the one before is through. */

/* @name         of the segment; NULL: none
 * @is_cutting   connections with those of the segment that it leaves, too
 * @func         called when it is in force and saved; at once when nothing changes
 * Returns 0; -EPROTO, -EBUSY (FAULT_BAD_STATE), -EOPNOTSUPP (FAULT_NOT_SUPPORTED), -EINVAL
 * (FAULT_INVALID) ... with a fault; nothing was changed then. Does not block. */
int container_set_segment(Container *c, const char *name, int is_cutting, ReplyFunc func,
                          void *userdata, Fault *fault);

/* The number that the packet filter will have of it when all that it was told so far is done; 0:
 * none. */
uint32_t container_segment_wanted(const Container *c);

/* Ends a change that is under way, with an error. */
void container_segment_cancel(Container *c);
