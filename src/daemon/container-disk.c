/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a container has on the disk and may have. Limits are set by a worker, since the file system
 * writes them down; usage of a layer that is in use is in the kernel's memory and read here. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "basic/log.h"
#include "daemon/container-disk.h"
#include "daemon/manager.h"
#include "daemon/worker-pool.h"
#include "quota/quota.h"

#define BLOCK_BYTES 512 /* of st_blocks */

struct DiskCall {
        Container *container;
        WorkerOperation *worker;
        ReplyFunc func;
        void *userdata;
};

int container_get_disk_usage(const Container *c, uint64_t *ret_bytes, uint64_t *ret_inodes)
{
        char path[CONTAINER_ID_LENGTH + sizeof("/image")];
        QuotaUsage usage;
        struct stat st;
        int r;

        if (c->project_id > 0) {
                r = quota_get_usage(c->manager->layers_dir_fd, c->project_id, &usage);
                if (r < 0)
                        return r;
                *ret_bytes = usage.bytes;
                *ret_inodes = usage.inodes;
                return 0;
        }
        if (c->spec->storage != STORAGE_LOOP)
                return -ENODATA;
        (void)snprintf(path, sizeof(path), "%s/image", c->id);
        if (fstatat(c->manager->layers_dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        *ret_bytes = (uint64_t)st.st_blocks * BLOCK_BYTES;
        *ret_inodes = UINT64_MAX;
        return 0;
}

DiskCall *disk_call_free(DiskCall *call)
{
        if (!call)
                return NULL;
        worker_operation_free(call->worker);
        free(call);
        return NULL;
}

/* The kernel takes it, and refuses whatever would add to it: worth a word. */
static void log_if_exceeded(const Container *c)
{
        DiskLimits disk = disk_limits_from(&c->spec->limits);
        uint64_t bytes, inodes;

        if (container_get_disk_usage(c, &bytes, &inodes) >= 0 &&
            (bytes > disk.bytes || inodes > disk.inodes))
                (void)container_log(c, LOG_NOTICE, 0, NULL,
                                    "More is on the disk than the new limit allows: nothing can be "
                                    "added until enough is deleted");
}

static void on_limited(void *userdata, int error, const Fault *fault)
{
        DiskCall *call = userdata;

        if (error >= 0)
                log_if_exceeded(call->container);
        call->func(call->userdata, error, fault);
}

int container_check_disk_change(const Container *c, const Limits *changes, Fault *fault)
{
        const char *name = limits_has(changes, LIMIT_DISK_MAX) ? "DiskMax" : "DiskInodesMax";

        if (!disk_limits_are_given(changes))
                return 0;
        if (c->spec->storage != STORAGE_DIRECTORY)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: cannot be changed with Storage '%s'", name,
                                 storage_kind_to_string(c->spec->storage));
        if (c->project_id == 0)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: can be changed for a container that was created with "
                                 "DiskMax or DiskInodesMax; 2^64-1 is no limit",
                                 name);
        return 0;
}

static int encode_request(const Container *c, WireWriter *w)
{
        char path[PATH_MAX];
        QuotaRequest request = {
                .directory = path,
                .project_id = c->project_id,
                .disk = disk_limits_from(&c->spec->limits),
        };

        (void)snprintf(path, sizeof(path), "%s/containers/%s", c->manager->conf.state_directory,
                       c->id);
        return quota_request_encode(&request, w);
}

int disk_call_begin(Container *c, ReplyFunc func, void *userdata, DiskCall **ret, Fault *fault)
{
        static const WorkerHandler handler = { .finished = on_limited };
        _drop_(drop_disk_call) DiskCall *call = calloc(1, sizeof(*call));
        WireWriter w = WIRE_WRITER_INIT;
        int r = -ENOMEM;

        if (call) {
                *call = (DiskCall){ .container = c, .func = func, .userdata = userdata };
                r = encode_request(c, &w);
        }
        if (r >= 0)
                r = worker_begin(c->manager->workers, WORKER_QUOTA, &w, &handler, call,
                                 &call->worker, fault);
        wire_writer_done(&w);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot begin to set DiskMax: %m");
        *ret = take_ptr(call);
        return 0;
}
