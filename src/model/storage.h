/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/limits.h"

/* Where a container's own layer is: what it writes, over a root directory that it only reads. */

typedef enum StorageKind {
        STORAGE_DIRECTORY, /* of the host's file system, bounded by a project quota of it */
        STORAGE_LOOP,      /* an ext4 image there, sparse and as large as DiskMax */
        STORAGE_TMPFS,     /* in the container's memory; lost when it stops */
        _STORAGE_KIND_MAX,
        _STORAGE_KIND_INVALID = -22,
} StorageKind;

const char *storage_kind_to_string(StorageKind kind);
StorageKind storage_kind_from_string(const char *s);

/* DiskMax and DiskInodesMax as a worker needs them. UINT64_MAX: no limit. */
typedef struct DiskLimits {
        uint64_t bytes, inodes;
} DiskLimits;

#define DISK_LIMITS_NONE ((DiskLimits){ UINT64_MAX, UINT64_MAX })

DiskLimits disk_limits_from(const Limits *limits);

/* The bounds of the two limits. */
int disk_limits_are_valid(const DiskLimits *disk);

/* One of the two was given, be it as infinity: then what the container uses is counted. */
int disk_limits_are_given(const Limits *limits);

/* Below it there is no room for what ext4 keeps for itself. */
#define STORAGE_LOOP_MIN_BYTES (UINT64_C(8) << 20)
#define STORAGE_LOOP_MAX_BYTES \
        (UINT64_C(15) << 40) /* of ext4 with blocks of 4 KiB, less a little */

#define STORAGE_LOOP_BLOCK_BYTES 4096U

/* Whether kind and limits fit together. Returns 0; -EINVAL with a fault that names the field. */
int storage_validate(StorageKind kind, const Limits *limits, Fault *fault);
