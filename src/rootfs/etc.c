/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/etc.h"
#include "rootfs/path.h"

static int write_new(int dir_fd, const char *name, const char *text)
{
        _drop_(drop_fd) int fd = openat(dir_fd, name,
                                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

        if (fd < 0)
                return -errno;
        return io_write_full(fd, text, strlen(text));
}

/* Never opened: what stands there may be a pipe, or a link to one. */
static int replace(int dir_fd, const char *name, const char *text)
{
        char temporary[NAME_MAX + 1];
        int r;

        (void)snprintf(temporary, sizeof(temporary), ".%s.warden", name);
        if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
                return -errno;
        r = write_new(dir_fd, temporary, text);
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(dir_fd, temporary, 0);
        return r;
}

int etc_write(int root_fd, const char *name, const char *text, Fault *fault)
{
        _drop_(drop_fd) int dir_fd = -EBADF;
        int r;

        r = in_root_make_directory(root_fd, "/etc", &dir_fd, fault);
        if (r < 0)
                return r;
        r = write_new(dir_fd, name, text);
        if (r == -EEXIST)
                r = replace(dir_fd, name, text);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot write '/etc/%s': %m", name) : 0;
}
