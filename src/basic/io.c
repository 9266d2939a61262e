/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"

ssize_t io_read_full(int fd, void *data, size_t size)
{
        size_t done = 0;

        while (done < size) {
                ssize_t n = read(fd, (char *)data + done, size - done);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                done += (size_t)n;
        }
        return (ssize_t)done;
}

int io_write_full(int fd, const void *data, size_t size)
{
        size_t done = 0;

        while (done < size) {
                ssize_t n = write(fd, (const char *)data + done, size - done);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                done += (size_t)n;
        }
        return 0;
}

/* Proc and cgroup files have no size to ask for, so the buffer grows until the end is seen. */
static int read_growing(int fd, size_t max, char **ret_data, size_t *ret_size)
{
        _drop_(drop_free) char *data = NULL;
        size_t size = 0, room = 0;

        for (;;) {
                ssize_t n;

                if (room - size < 2) {
                        size_t wanted = MIN2(room ? room * 2 : (size_t)1024, max + 2);
                        char *bigger = realloc(data, wanted);

                        if (!bigger)
                                return -ENOMEM;
                        data = bigger;
                        room = wanted;
                }
                n = read(fd, data + size, room - size - 1);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                size += (size_t)n;
                if (size > max)
                        return -EFBIG;
        }
        data[size] = 0;
        *ret_data = take_ptr(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int io_read_file(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_size)
{
        _drop_(drop_fd) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return -errno;
        return read_growing(fd, max, ret_data, ret_size);
}

int io_write_string(int dir_fd, const char *path, const char *s)
{
        _drop_(drop_fd) int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        size_t size = strlen(s);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = write(fd, s, size);
        if (n < 0)
                return -errno;
        return (size_t)n == size ? 0 : -EIO;
}

int io_write_file_atomic(int dir_fd, const char *name, const void *data, size_t size)
{
        char temporary[NAME_MAX + 1];
        int n, r;

        n = snprintf(temporary, sizeof(temporary), ".#%s", name);
        if (n < 0 || (size_t)n >= sizeof(temporary))
                return -ENAMETOOLONG;

        /* One writer a directory, so that a fixed temporary name is enough and a crash leaves at
         * most one. */
        {
                _drop_(drop_fd) int fd = openat(
                        dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                        0600);

                if (fd < 0)
                        return -errno;
                r = io_write_full(fd, data, size);
        }
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(dir_fd, temporary, 0);
        return r;
}

int io_mkdir_open(int dir_fd, const char *name, mode_t mode)
{
        int fd;

        if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

int io_mkdir_parents(const char *path, mode_t mode)
{
        char buffer[PATH_MAX];
        size_t size = strlen(path);

        if (path[0] != '/' || size >= sizeof(buffer))
                return -EINVAL;
        memcpy(buffer, path, size + 1);
        for (char *p = buffer + 1;; p++) {
                char c = *p;

                if (c != '/' && c != 0)
                        continue;
                *p = 0;
                if (mkdir(buffer, c ? 0755 : mode) < 0 && errno != EEXIST)
                        return -errno;
                if (!c)
                        return 0;
                *p = c;
        }
}

/* Takes ownership of the descriptor. */
static int remove_contents(int take_dir_fd, dev_t device);

static int remove_entry(int dir_fd, const char *name, dev_t device)
{
        struct stat st;
        int fd, r;

        if (unlinkat(dir_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (fstat(fd, &st) < 0 || st.st_dev != device) {
                fd_close(fd);
                return -EXDEV;
        }
        r = remove_contents(fd, device);
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return r < 0 ? r : -errno;
        return r;
}

static int remove_contents(int take_dir_fd, dev_t device)
{
        DIR *dir = fdopendir(take_dir_fd);
        int r = 0;

        if (!dir) {
                r = -errno;
                fd_close(take_dir_fd);
                return r;
        }
        for (;;) {
                struct dirent *entry;
                int k;

                errno = 0;
                entry = readdir(dir);
                if (!entry) {
                        if (errno > 0 && r >= 0)
                                r = -errno;
                        break;
                }
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                k = remove_entry(dirfd(dir), entry->d_name, device);
                if (k < 0 && r >= 0)
                        r = k;
        }
        (void)closedir(dir);
        return r;
}

int io_remove_tree(int dir_fd, const char *name)
{
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        return remove_entry(dir_fd, name, st.st_dev);
}

static uint64_t now_usec(clockid_t clock)
{
        struct timespec ts;

        if (clock_gettime(clock, &ts) < 0)
                return 0;
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t io_now_realtime_usec(void)
{
        return now_usec(CLOCK_REALTIME);
}

uint64_t io_now_monotonic_usec(void)
{
        return now_usec(CLOCK_MONOTONIC);
}

uint64_t io_now_boottime_usec(void)
{
        return now_usec(CLOCK_BOOTTIME);
}
