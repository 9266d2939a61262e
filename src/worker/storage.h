/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/fault.h"
#include "model/plan.h"
#include "wire/worker-message.h"

/* Where a container's layer is: in a directory of the host, whose size a project quota bounds; in
 * an image in that directory; or nowhere, when the child makes it in memory (room.h). */

typedef struct Storage {
        int layer_fd; /* the directory */
        int mount_fd; /* the file system in the image; -EBADF without one */
        int is_new;   /* the directory was made here */
} Storage;

#define STORAGE_INIT ((Storage){ .layer_fd = -EBADF, .mount_fd = -EBADF })

/* Opens or makes the layer. Limits hold before anything is in it.
 * @root_fd   the root directory
 * Returns 0; negative errno with a fault. In both cases storage_undo() takes back what was made. */
int storage_open(const Plan *plan, int root_fd, Storage *storage, Fault *fault);
void storage_undo(const Plan *plan, const Storage *storage);

/* The mount that the child puts under its root; -EBADF when it makes its own.
 * Returns 0; negative errno with a fault. */
int storage_mount(Storage *storage, int user_fd, int *ret_fd, Fault *fault);

/* New limits for a layer that may be in use. Returns 0; negative errno with a fault. */
int storage_limit(const QuotaRequest *request, Fault *fault);

/* What a removal has to do before the rename: the project of a layer, if it has one, is left
 * without limits, so that the file system forgets it with the last file. */
void storage_forget_project(const char *path);
