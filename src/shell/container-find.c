/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "model/name.h"
#include "shell/container-find.h"

#define RECORD_MAX_BYTES (16U << 20)

static void drop_dir(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir);
}

/* Returns 0; -ENOENT and so on; -EBADMSG. What is half-made has no file yet, and what a newer
 * wardend wrote differently is not ours to guess at. */
static int load(int containers_fd, const char *id, int *ret_dir_fd, ContainerRecord **ret)
{
        _drop_(drop_fd) int dir_fd = -EBADF;
        _drop_(drop_free) char *data = NULL;
        size_t size;
        int r;

        dir_fd = openat(containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        r = io_read_file(dir_fd, "state", RECORD_MAX_BYTES, &data, &size);
        if (r < 0)
                return r;
        r = container_record_decode(data, size, ret);
        if (r < 0)
                return r;
        *ret_dir_fd = take_fd(&dir_fd);
        return 0;
}

static int is_named(const ContainerRecord *record, const char *name)
{
        return strcmp(record->id, name) == 0 ||
               (record->spec->name && strcmp(record->spec->name, name) == 0);
}

/* Two may have one name for a moment: the old one is being undone while the new one is made. The
 * one that jobs may be spawned in is meant. */
static int is_better(const ContainerRecord *record, const ContainerRecord *than)
{
        int is_running = container_state_next(record->state, EVENT_SPAWN, NULL) >= 0;
        int was_running = than && container_state_next(than->state, EVENT_SPAWN, NULL) >= 0;

        if (!than || is_running != was_running)
                return !than || is_running;
        return record->created_usec > than->created_usec;
}

int container_find(const char *runtime_directory, const char *name, int *ret_dir_fd,
                   ContainerRecord **ret_record, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        _drop_(drop_dir) DIR *dir = NULL;
        _drop_(drop_fd) int found_fd = -EBADF;
        _drop_(drop_container_record) ContainerRecord *found = NULL;
        struct dirent *entry;

        if (asprintf(&path, "%s/containers", runtime_directory) < 0) {
                path = NULL;
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        }
        dir = opendir(path);
        if (!dir && errno != ENOENT)
                return fault_set(fault, FAULT_FAILED, -errno, "Cannot read %s: %m", path);
        while (dir && (entry = readdir(dir))) {
                _drop_(drop_container_record) ContainerRecord *record = NULL;
                _drop_(drop_fd) int dir_fd = -EBADF;

                if (!id_is_valid(entry->d_name) ||
                    load(dirfd(dir), entry->d_name, &dir_fd, &record) < 0)
                        continue;
                if (!is_named(record, name) || !is_better(record, found))
                        continue;
                fd_close(found_fd);
                found_fd = take_fd(&dir_fd);
                container_record_free(found);
                found = take_ptr(record);
        }
        if (!found)
                return fault_set(fault, FAULT_NO_SUCH_CONTAINER, -ENOENT,
                                 "There is no container '%s'", name);
        *ret_dir_fd = take_fd(&found_fd);
        *ret_record = take_ptr(found);
        return 0;
}
