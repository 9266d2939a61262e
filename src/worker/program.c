/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rootfs/syscalls.h"
#include "worker/program.h"

#define PROGRAM_MAX (64 << 20) /* something else was meant */

static int copy_all(int to_fd, int from_fd, size_t size)
{
        while (size > 0) {
                ssize_t n = sendfile(to_fd, from_fd, NULL, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                size -= (size_t)n;
        }
        return 0;
}

static int memory_new(void)
{
        unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        int fd = memfd_create("wshd", flags | MFD_EXEC);

        /* Before 6.3 every one could be executed and the flag was unknown. */
        if (fd < 0 && errno == EINVAL)
                fd = memfd_create("wshd", flags);
        return fd < 0 ? -errno : fd;
}

/* A file that is open for writing cannot be executed, sealed or not. */
static int reopen_read_only(int fd)
{
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = open(path, O_RDONLY | O_CLOEXEC);
        return r < 0 ? -errno : r;
}

int program_seal(const char *path, int *ret_fd, Fault *fault)
{
        _drop_(drop_fd) int source_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _drop_(drop_fd) int fd = -EBADF;
        struct stat st;
        int r;

        if (source_fd < 0 || fstat(source_fd, &st) < 0)
                return fault_set(fault, errno == ENOENT ? FAULT_NOT_FOUND : FAULT_FAILED, -errno,
                                 "cannot open %s: %m", path);
        if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > PROGRAM_MAX)
                return fault_set(fault, FAULT_INVALID, -ENOEXEC, "%s is not a program", path);
        fd = memory_new();
        if (fd < 0)
                return fault_set(fault, FAULT_FAILED, fd, "memfd_create: %m");
        r = copy_all(fd, source_fd, (size_t)st.st_size);
        if (r >= 0 && fchmod(fd, 0555) < 0)
                r = -errno;
        if (r >= 0 &&
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                r = -errno;
        if (r >= 0)
                r = reopen_read_only(fd);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot copy %s: %m", path);
        *ret_fd = r;
        return 0;
}
