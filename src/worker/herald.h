/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells the kernel ahead that a process is about to change its control group.
 *
 * The first such move after a while costs the mover, systemd, a grace period of RCU: some 10 ms in
 * which the lock behind it (cgroup_threadgroup_rwsem) learns that there are writers again. The
 * grace period is the same one for all who ask during it. So when a request comes a helper process
 * moves itself to where it is already: that changes nothing and asks at once, and by the time
 * systemd asks a part of it is over. Where the hierarchy is mounted with favordynmods there is
 * nothing to wait for, and this costs one system call. */

typedef struct Herald {
        int pipe_fd; /* to the process; -EBADF: there is none */
} Herald;

#define HERALD_INIT ((Herald){ .pipe_fd = -EBADF })

/* Forks the process, which ends when nobody has the pipe any more. Without a control group of its
 * own that it may write to, or without memory, there is none; nothing but time depends on it.
 * Descriptors that are open are not kept in it. */
void herald_start(Herald *ret);
void herald_done(Herald *herald);

/* Does not block. */
void herald_announce(const Herald *herald);
