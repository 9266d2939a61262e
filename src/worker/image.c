/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Formatting runs mke2fs: the one program that is forked for what a library should do. libext2fs
 * has the pieces and no function that puts them together, and a template of each size would have to
 * be made by the same program. It takes some 20 ms. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "worker/image.h"

#define MKE2FS "/sbin/mke2fs"
#define EXIT_NO_PROGRAM 127
#define RESERVED_INODES 11 /* ten of ext4's own, and lost+found */
#define COMPLAINT_MAX 256

/* No journal (see rootfs/loop.c), no blocks kept for root, nothing for a growth that does not come.
 * The features are listed, so that they are not a matter of somebody's mke2fs.conf. */
#define FEATURES                                                                             \
        "none,extent,dir_index,filetype,flex_bg,large_file,huge_file,dir_nlink,extra_isize," \
        "sparse_super2,metadata_csum,64bit"

static _noreturn_ void mke2fs_run(const char *path, const char *inodes, int complaint_fd)
{
        const char *option = inodes ? "-N" : "-i", *value = inodes ?: "16384";
        const char *argv[] = {
                "mke2fs", "-q",   "-F",     "-t",  "ext4",
                "-b",     "4096", "-I",     "256", "-m",
                "0",      "-O",   FEATURES, "-E",  "lazy_itable_init=1,nodiscard,root_owner=0:0",
                option,   value,  path,     NULL,
        };
        char *envp[] = { NULL };

        if (dup2(complaint_fd, STDERR_FILENO) >= 0)
                (void)execve(MKE2FS, (char *const *)argv, envp);
        _exit(errno == ENOENT ? EXIT_NO_PROGRAM : EXIT_FAILURE);
}

/* The first line of what it had to say. */
static void complaint_read(int fd, char *ret, size_t size)
{
        ssize_t n = io_read_full(fd, ret, size - 1);

        ret[n > 0 ? n : 0] = 0;
        ret[strcspn(ret, "\n")] = 0;
}

/* Waits for it, with its complaint. Returns 0; negative errno with a fault. */
static int mke2fs_wait(pid_t pid, int read_fd, Fault *fault)
{
        char complaint[COMPLAINT_MAX];
        int status = 0;

        complaint_read(read_fd, complaint, sizeof(complaint));
        if (waitpid(pid, &status, 0) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot wait for mke2fs: %m");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "Storage 'loop' needs " MKE2FS ", of the package e2fsprogs");
        return fault_set(fault, FAULT_FAILED, -EIO, "mke2fs failed: %.200s", complaint);
}

static int mke2fs(const char *path, const char *inodes, Fault *fault)
{
        _drop_(drop_fd) int read_fd = -EBADF, write_fd = -EBADF;
        int ends[2], r;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make a pipe: %m");
        read_fd = ends[0];
        write_fd = ends[1];
        /* For this one: the children of workers are reaped by the kernel, which then tells nobody
         * how they ended. */
        (void)signal(SIGCHLD, SIG_DFL);
        pid = fork();
        if (pid == 0)
                mke2fs_run(path, inodes, write_fd);
        write_fd = fd_close(write_fd);
        r = pid < 0 ? fault_set(fault, FAULT_FAILED, -errno, "cannot fork: %m")
                    : mke2fs_wait(pid, read_fd, fault);
        (void)signal(SIGCHLD, SIG_IGN);
        return r;
}

static int image_make(const char *directory, int fd, const DiskLimits *disk, Fault *fault)
{
        char path[PATH_MAX], inodes[24];
        int n = snprintf(path, sizeof(path), "%s/" IMAGE_NAME, directory);

        if (n < 0 || (size_t)n >= sizeof(path))
                return fault_set(fault, FAULT_FAILED, -ENAMETOOLONG, "cannot name the image: %m");
        if (ftruncate(fd, (off_t)disk->bytes) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "the file system cannot hold a file of %" PRIu64 " bytes: %m",
                                 disk->bytes);
        (void)snprintf(inodes, sizeof(inodes), "%" PRIu64, disk->inodes + RESERVED_INODES);
        return mke2fs(path, disk->inodes == UINT64_MAX ? NULL : inodes, fault);
}

int image_open(const char *path, int dir_fd, const DiskLimits *disk, int *ret_fd, Fault *fault)
{
        const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
        _drop_(drop_fd) int fd = openat(dir_fd, IMAGE_NAME, flags);
        int r;

        if (fd < 0 && errno == ENOENT) {
                fd = openat(dir_fd, IMAGE_NAME, flags | O_CREAT | O_EXCL, 0600);
                r = fd < 0 ? 0 : image_make(path, fd, disk, fault);
                if (r < 0) {
                        (void)unlinkat(dir_fd, IMAGE_NAME, 0);
                        return r;
                }
        }
        if (fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open the image: %m");
        *ret_fd = take_fd(&fd);
        return 0;
}
