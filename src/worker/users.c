/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "worker/users.h"

int users_map(int proc_fd, pid_t pid, uint32_t base, uint32_t count, int *ret_fd, Fault *fault)
{
        static const char *const files[] = { "uid_map", "gid_map" };
        char path[64], line[64];
        int fd, r;

        (void)snprintf(line, sizeof(line), "0 %" PRIu32 " %" PRIu32 "\n", base, count);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                (void)snprintf(path, sizeof(path), "%d/%s", pid, files[i]);
                r = io_write_string(proc_fd, path, line);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "cannot write %s: %m", files[i]);
        }
        (void)snprintf(path, sizeof(path), "%d/ns/user", pid);
        fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open the user namespace: %m");
        *ret_fd = fd;
        return 0;
}
