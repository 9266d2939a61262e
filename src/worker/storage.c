/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/fd.h"
#include "quota/quota.h"
#include "rootfs/loop.h"
#include "rootfs/overlay.h"
#include "worker/image.h"
#include "worker/storage.h"

/* A project that has files is that of a layer which is still being deleted: its files would count
 * for the new container, too. */
static int project_begin(const Plan *plan, const Storage *storage, Fault *fault)
{
        QuotaUsage usage;
        int r;

        if (storage->is_new) {
                r = quota_get_usage(storage->layer_fd, plan->project_id, &usage);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "cannot read the quota: %m");
                if (usage.bytes > 0 || usage.inodes > 0)
                        return fault_set(fault, FAULT_LIMIT, -EBUSY,
                                         "project %" PRIu32 " still has %" PRIu64
                                         " files of a container that was destroyed",
                                         plan->project_id, usage.inodes);
                r = quota_set_project(storage->layer_fd, plan->project_id);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "cannot set the project: %m");
        }
        r = quota_set_limits(storage->layer_fd, plan->project_id, plan->disk.bytes,
                             plan->disk.inodes);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot set the quota: %m") : 0;
}

static int open_image(const Plan *plan, Storage *storage, Fault *fault)
{
        _drop_(drop_fd) int image_fd = -EBADF;
        int r;

        r = image_open(plan->layer_directory, storage->layer_fd, &plan->disk, &image_fd, fault);
        return r < 0 ? r : loop_mount(image_fd, &storage->mount_fd, fault);
}

int storage_open(const Plan *plan, int root_fd, Storage *storage, Fault *fault)
{
        int r;

        if (plan->storage == STORAGE_TMPFS)
                return 0;
        r = layer_open(plan->layer_directory, &storage->layer_fd, &storage->is_new, fault);
        if (r >= 0 && plan->project_id > 0)
                r = project_begin(plan, storage, fault);
        if (r >= 0 && plan->storage == STORAGE_LOOP)
                r = open_image(plan, storage, fault);
        if (r < 0)
                return r;
        return layer_fill(storage->mount_fd >= 0 ? storage->mount_fd : storage->layer_fd, root_fd,
                          fault);
}

void storage_undo(const Plan *plan, const Storage *storage)
{
        if (!storage->is_new)
                return;
        storage_forget_project(plan->layer_directory);
        (void)layer_remove(plan->layer_directory);
}

int storage_mount(Storage *storage, int user_fd, int *ret_fd, Fault *fault)
{
        int r;

        if (storage->layer_fd < 0)
                return 0;
        if (storage->mount_fd < 0)
                return layer_mount(storage->layer_fd, 0, user_fd, ret_fd, fault);
        r = layer_shift(storage->mount_fd, 0, user_fd, fault);
        if (r < 0)
                return r;
        *ret_fd = take_fd(&storage->mount_fd);
        return 0;
}

/* What carries another project has another's limits. */
int storage_limit(const QuotaRequest *request, Fault *fault)
{
        _drop_(drop_fd) int fd = open(request->directory,
                                      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        uint32_t id = 0;
        int r;

        if (fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open '%.200s': %m",
                                 request->directory);
        r = quota_get_project(fd, &id);
        if (r >= 0 && id != request->project_id)
                r = -ESTALE;
        if (r >= 0)
                r = quota_set_limits(fd, id, request->disk.bytes, request->disk.inodes);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot set the quota of '%.200s': %m",
                                 request->directory)
                     : 0;
}

/* A project that the directory above has as well is an administrator's, for all layers together. */
void storage_forget_project(const char *path)
{
        const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
        _drop_(drop_fd) int fd = open(path, flags), parent_fd = -EBADF;
        uint32_t id, parent_id;

        if (fd < 0 || quota_get_project(fd, &id) < 0 || id == 0)
                return;
        parent_fd = openat(fd, "..", flags);
        if (parent_fd < 0 || quota_get_project(parent_fd, &parent_id) < 0 || parent_id == id)
                return;
        (void)quota_set_limits(parent_fd, id, UINT64_MAX, UINT64_MAX);
}
