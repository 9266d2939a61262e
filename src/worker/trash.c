/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "worker/trash.h"

/* The tree is a container's work and may be of any depth, ours is not: a directory this far down is
 * moved up to the top of the tree, as one more thing to delete there. */
#define DEPTH_MAX 32

void trash_entry_done(TrashEntry *entry)
{
        entry->trash_fd = fd_close(entry->trash_fd);
}

/* Names in the trash are unique without being looked up: the id, and 64 random bits. */
static int trash_name(const char *name, char *ret, size_t size)
{
        uint64_t number;
        int n;

        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                return -EIO;
        n = snprintf(ret, size, "%.200s-%016" PRIx64, name, number);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* Renames what is there; 0 if there was something, -ENOENT if not. */
static int put_entry(const char *parent, const char *name, TrashEntry *ret)
{
        _drop_(drop_fd) int parent_fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _drop_(trash_entry_done) TrashEntry entry = TRASH_ENTRY_INIT;
        int r;

        /* Looked at first, so that no trash is made for nothing. */
        if (parent_fd < 0 || faccessat(parent_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        entry.trash_fd = io_mkdir_open(parent_fd, TRASH_NAME, 0700);
        if (entry.trash_fd < 0)
                return entry.trash_fd;
        r = trash_name(name, entry.name, sizeof(entry.name));
        if (r < 0)
                return r;
        if (renameat(parent_fd, name, entry.trash_fd, entry.name) < 0)
                return -errno;
        *ret = entry;
        entry = TRASH_ENTRY_INIT;
        return 0;
}

int trash_put(const char *path, TrashEntry *ret, Fault *fault)
{
        TrashEntry entry = TRASH_ENTRY_INIT;
        char parent[PATH_MAX];
        const char *slash = strrchr(path, '/');
        int r;

        if (!slash || slash == path || !slash[1] || (size_t)(slash - path) >= sizeof(parent))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "'%.200s' is nothing to remove",
                                 path);
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = 0;
        r = put_entry(parent, slash + 1, &entry);
        if (r < 0 && r != -ENOENT)
                return fault_set(fault, FAULT_FAILED, r, "cannot put away '%.200s': %m", path);
        *ret = entry;
        return 0;
}

typedef struct Removal {
        int top_fd;
        dev_t device;
        int error;    /* the first */
        int is_moved; /* something was moved up: another round */
} Removal;

static void removal_note(Removal *removal, int error)
{
        if (removal->error >= 0)
                removal->error = error;
}

static void remove_contents(Removal *removal, int take_dir_fd, unsigned depth);

static void remove_directory(Removal *removal, int dir_fd, const char *name, unsigned depth)
{
        char moved[NAME_MAX + 1];
        struct stat st;
        int fd;

        if (depth > DEPTH_MAX) {
                if (trash_name("deep", moved, sizeof(moved)) < 0 ||
                    renameat(dir_fd, name, removal->top_fd, moved) < 0)
                        return removal_note(removal, -errno);
                removal->is_moved = 1;
                return;
        }
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) {
                if (errno != ENOENT)
                        removal_note(removal, -errno);
                return;
        }
        if (fstat(fd, &st) < 0 || st.st_dev != removal->device) {
                fd_close(fd);
                return removal_note(removal, -EXDEV);
        }
        remove_contents(removal, fd, depth);
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                removal_note(removal, -errno);
}

static void remove_contents(Removal *removal, int take_dir_fd, unsigned depth)
{
        DIR *dir = fdopendir(take_dir_fd);
        struct dirent *entry;

        if (!dir) {
                removal_note(removal, -errno);
                fd_close(take_dir_fd);
                return;
        }
        while ((entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (entry->d_type != DT_DIR && unlinkat(dirfd(dir), entry->d_name, 0) >= 0)
                        continue;
                if (entry->d_type != DT_DIR && errno != EISDIR) {
                        if (errno != ENOENT)
                                removal_note(removal, -errno);
                        continue;
                }
                remove_directory(removal, dirfd(dir), entry->d_name, depth + 1);
        }
        (void)closedir(dir);
}

static int delete_directory(int trash_fd, const char *name)
{
        _drop_(drop_fd) int top_fd = openat(trash_fd, name,
                                            O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        Removal removal = { .top_fd = top_fd };
        struct stat st;

        if (top_fd < 0 || fstat(top_fd, &st) < 0)
                return -errno;
        removal.device = st.st_dev;
        do {
                int fd = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd < 0)
                        return -errno;
                removal.is_moved = 0;
                remove_contents(&removal, fd, 0);
        } while (removal.is_moved);
        if (unlinkat(trash_fd, name, AT_REMOVEDIR) < 0)
                removal_note(&removal, -errno);
        return removal.error;
}

static int delete_entry(int trash_fd, const char *name)
{
        if (unlinkat(trash_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        return errno == EISDIR ? delete_directory(trash_fd, name) : -errno;
}

int trash_delete(const TrashEntry *entry)
{
        return entry->trash_fd < 0 ? 0 : delete_entry(entry->trash_fd, entry->name);
}

int trash_empty(const char *parent)
{
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s/" TRASH_NAME, parent);
        struct dirent *entry;
        int fd, r = 0;
        DIR *dir;

        if (n < 0 || (size_t)n >= sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        dir = fdopendir(fd);
        if (!dir) {
                fd_close(fd);
                return -ENOMEM;
        }
        while ((entry = readdir(dir))) {
                int k;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                k = delete_entry(fd, entry->d_name);
                if (k < 0 && r >= 0)
                        r = k;
        }
        (void)closedir(dir);
        return r;
}
