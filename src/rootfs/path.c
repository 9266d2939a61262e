/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "rootfs/path.h"
#include "rootfs/syscalls.h"

#define RESOLVE_CONTAINER (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/* The kernel gives up with EAGAIN when some directory of the same file system is renamed while it
 * looks at a "..". Who renames may be another container on the same lower layer, so that there is
 * an end to our patience. */
#define OPEN_TRIES 64

static int open_resolved(int dir_fd, const char *path, int flags, uint64_t resolve)
{
        int fd = -1;

        for (int i = 0; i < OPEN_TRIES; i++) {
                fd = sys_openat2(dir_fd, path, (uint64_t)flags, resolve);
                if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
                        break;
        }
        return fd < 0 ? -errno : fd;
}

int in_root_open(int root_fd, const char *path, int flags, int *ret_fd)
{
        int fd = open_resolved(root_fd, path, flags, RESOLVE_CONTAINER);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

static int path_fault(Fault *fault, int error, const char *path)
{
        switch (error) {
        case -ELOOP:
                return fault_set(fault, FAULT_INVALID, error,
                                 "'%.200s' leads through a symbolic link to nowhere", path);
        case -ENOTDIR:
                return fault_set(fault, FAULT_INVALID, error,
                                 "'%.200s': something on the way is not a directory", path);
        default:
                return fault_set(fault, FAULT_FAILED, error, "cannot make '%.200s': %m", path);
        }
}

/* Makes one directory below an open one. A link that was there (it led nowhere, else the whole path
 * would have been found) is -ELOOP. Returns the descriptor. */
static int make_component(int dir_fd, const char *name)
{
        if (mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        return open_resolved(dir_fd, name, O_PATH | O_DIRECTORY,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Takes the first missing component of the path and all behind it. @path is cut at each slash in
 * turn while this runs. Returns the descriptor of the whole. */
static int make_missing(int root_fd, char *path)
{
        _drop_(drop_fd) int dir_fd = fd_dup(root_fd);
        int is_missing = 0;
        char *p = path;

        if (dir_fd < 0)
                return dir_fd;
        for (;;) {
                char *name, *end;
                int fd;

                name = p + strspn(p, "/");
                if (!*name)
                        return take_fd(&dir_fd);
                end = name + strcspn(name, "/");
                p = *end ? end + 1 : end;
                *end = 0;

                /* From the root as long as things are there, so that links on the way count as the
                 * container sees them; behind the first directory of our own there are none. */
                fd = is_missing ? -ENOENT
                                : open_resolved(root_fd, path, O_PATH | O_DIRECTORY,
                                                RESOLVE_CONTAINER);
                if (fd == -ENOENT) {
                        is_missing = 1;
                        fd = make_component(dir_fd, name);
                }
                if (fd < 0)
                        return fd;
                if (p != end)
                        *end = '/';
                fd_close(dir_fd);
                dir_fd = fd;
        }
}

int in_root_make_directory(int root_fd, const char *path, int *ret_fd, Fault *fault)
{
        char buffer[PATH_MAX];
        size_t size = strlen(path);
        int fd;

        fd = open_resolved(root_fd, path, O_PATH | O_DIRECTORY, RESOLVE_CONTAINER);
        if (fd == -ENOENT && size < sizeof(buffer)) {
                memcpy(buffer, path, size + 1);
                fd = make_missing(root_fd, buffer);
        }
        if (fd < 0)
                return path_fault(fault, fd, path);
        *ret_fd = fd;
        return 0;
}

static int make_file_at(int dir_fd, const char *name)
{
        if (mknodat(dir_fd, name, S_IFREG | 0644, 0) < 0)
                return errno == EEXIST ? -ELOOP : -errno;
        return open_resolved(dir_fd, name, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int in_root_make_file(int root_fd, const char *path, int *ret_fd, Fault *fault)
{
        _drop_(drop_fd) int dir_fd = -EBADF;
        char parent[PATH_MAX];
        const char *name = strrchr(path, '/');
        int fd, r;

        fd = open_resolved(root_fd, path, O_PATH, RESOLVE_CONTAINER);
        if (fd != -ENOENT)
                goto finish;
        if (!name || !name[1] || (size_t)(name - path) >= sizeof(parent) - 1)
                return path_fault(fault, -EINVAL, path);

        memcpy(parent, path, (size_t)(name - path));
        parent[name - path] = 0;
        r = in_root_make_directory(root_fd, name == path ? "/" : parent, &dir_fd, fault);
        if (r < 0)
                return r;
        fd = make_file_at(dir_fd, name + 1);
finish:
        if (fd < 0)
                return path_fault(fault, fd, path);
        *ret_fd = fd;
        return 0;
}
