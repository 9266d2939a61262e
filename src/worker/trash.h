/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/fault.h"

/* Directories to be deleted are first renamed into ".trash" beside them: their names are free at
 * once, nobody starts something in what is half gone, and what a crash left is found again. */

#define TRASH_NAME ".trash"

#define TRASH_ENTRY_MAX 256

typedef struct TrashEntry {
        int trash_fd; /* -EBADF: there was nothing to do */
        char name[TRASH_ENTRY_MAX];
} TrashEntry;

#define TRASH_ENTRY_INIT ((TrashEntry){ .trash_fd = -EBADF })

void trash_entry_done(TrashEntry *entry);

/* Renames @path (absolute) into the trash of its parent directory, which is made when missing. One
 * that is not there is fine.
 * @ret   emptied by trash_entry_done()
 * Returns 0; negative errno with a fault that names the path. */
int trash_put(const char *path, TrashEntry *ret, Fault *fault);

/* Deletes it, however deep it is, without following links or leaving the file system. Goes on after
 * errors and returns the first. */
int trash_delete(const TrashEntry *entry);

/* Deletes all that is in the trash of a directory. Returns 0, also without a trash; negative errno:
 * the first. */
int trash_empty(const char *parent);
