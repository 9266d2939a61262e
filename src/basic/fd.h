/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

/* File descriptors: -EBADF is the empty one, everything is O_CLOEXEC from birth. */

/* Closes @fd, keeps errno. Takes negative values. Returns -EBADF, to be assigned back. */
int fd_close(int fd);

/* Cleanup handler for `_drop_(drop_fd) int fd = -EBADF;`. */
static inline void drop_fd(int *fd)
{
        fd_close(*fd);
}

/* Hands ownership to the caller, leaves -EBADF behind. */
static inline int take_fd(int *fd)
{
        int r = *fd;

        *fd = -EBADF;
        return r;
}

/* Duplicates with O_CLOEXEC at or above 3. Returns the new fd, owned by the caller; negative errno.
 */
int fd_dup(int fd);

/* Sets or clears O_NONBLOCK, FD_CLOEXEC. Returns 0; negative errno. */
int fd_set_nonblock(int fd, int is_on);
int fd_set_cloexec(int fd, int is_on);
