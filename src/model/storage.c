/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "model/storage.h"

static const char *const storage_kind_table[_STORAGE_KIND_MAX] = {
        [STORAGE_DIRECTORY] = "directory",
        [STORAGE_LOOP] = "loop",
        [STORAGE_TMPFS] = "tmpfs",
};

const char *storage_kind_to_string(StorageKind kind)
{
        return (int)kind >= 0 && kind < _STORAGE_KIND_MAX ? storage_kind_table[kind] : NULL;
}

StorageKind storage_kind_from_string(const char *s)
{
        for (int i = 0; i < _STORAGE_KIND_MAX; i++)
                if (strcmp(storage_kind_table[i], s) == 0)
                        return (StorageKind)i;
        return _STORAGE_KIND_INVALID;
}

DiskLimits disk_limits_from(const Limits *limits)
{
        DiskLimits disk = DISK_LIMITS_NONE;

        if (limits_has(limits, LIMIT_DISK_MAX))
                disk.bytes = limits->values[LIMIT_DISK_MAX];
        if (limits_has(limits, LIMIT_DISK_INODES_MAX))
                disk.inodes = limits->values[LIMIT_DISK_INODES_MAX];
        return disk;
}

int disk_limits_are_given(const Limits *limits)
{
        return limits_has(limits, LIMIT_DISK_MAX) || limits_has(limits, LIMIT_DISK_INODES_MAX);
}

int disk_limits_are_valid(const DiskLimits *disk)
{
        Limits limits = { .set = 0 };

        return limits_set(&limits, LIMIT_DISK_MAX, disk->bytes, NULL) >= 0 &&
               limits_set(&limits, LIMIT_DISK_INODES_MAX, disk->inodes, NULL) >= 0;
}

int storage_validate(StorageKind kind, const Limits *limits, Fault *fault)
{
        DiskLimits disk = disk_limits_from(limits);

        if (!storage_kind_to_string(kind))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Storage: is not 'directory', 'loop' or 'tmpfs'");
        if (kind != STORAGE_LOOP)
                return 0;
        if (disk.bytes == UINT64_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Storage: 'loop' needs DiskMax, which is the size of the image");
        if (disk.bytes < STORAGE_LOOP_MIN_BYTES || disk.bytes > STORAGE_LOOP_MAX_BYTES)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "DiskMax: %" PRIu64 " is not from %" PRIu64 " to %" PRIu64
                                 ", as Storage 'loop' has it",
                                 disk.bytes, STORAGE_LOOP_MIN_BYTES, STORAGE_LOOP_MAX_BYTES);
        if (disk.inodes != UINT64_MAX && disk.inodes > disk.bytes / STORAGE_LOOP_BLOCK_BYTES)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "DiskInodesMax: %" PRIu64
                                 " is more than one for each %u bytes of DiskMax, as Storage "
                                 "'loop' has it",
                                 disk.inodes, STORAGE_LOOP_BLOCK_BYTES);
        return 0;
}
