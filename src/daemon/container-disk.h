/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* What a container has on the disk, and may have. */

/* The usage of its quota, or the blocks that its image takes of the host's disk.
 * @ret_inodes   UINT64_MAX: not known
 * Returns 0; -ENODATA where nothing is counted; negative errno. Does not wait for the disk. */
int container_get_disk_usage(const Container *c, uint64_t *ret_bytes, uint64_t *ret_inodes);

/* Whether the limits of the disk that are among @changes can be changed.
 * Returns 0; -EOPNOTSUPP with FAULT_NOT_SUPPORTED. */
int container_check_disk_change(const Container *c, const Limits *changes, Fault *fault);

/* A worker gives the layer's quota the limits of the spec. @func is called once, unless the call is
 * freed before, which may also be done from within it. Returns 0; negative errno with a fault. */
typedef struct DiskCall DiskCall;

int disk_call_begin(Container *c, ReplyFunc func, void *userdata, DiskCall **ret, Fault *fault);
DiskCall *disk_call_free(DiskCall *call);
DEFINE_DROP(DiskCall, disk_call, disk_call_free);
