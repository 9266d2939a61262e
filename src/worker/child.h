/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <sys/types.h>

#include "basic/fault.h"
#include "worker/host.h"

/* The process that will be PID 1 of a container, as seen from outside. It can be started before
 * anybody asks for the container: it goes as far as it can without knowing which one it will be
 * (room.h), and waits for the plan on its channel. It ends by itself when the last copy of the
 * channel's other end is closed. */

typedef struct ChildOptions {
        int has_user_namespace;
        int has_network_namespace;
} ChildOptions;

static inline int child_options_equal(const ChildOptions *a, const ChildOptions *b)
{
        return a->has_user_namespace == b->has_user_namespace &&
               a->has_network_namespace == b->has_network_namespace;
}

typedef struct Child {
        ChildOptions options;
        pid_t pid; /* 0: none */
        int pid_fd;
        int channel_fd;
} Child;

#define CHILD_INIT ((Child){ .pid_fd = -EBADF, .channel_fd = -EBADF })

/* @unwanted_fds   what the caller has open and the child must not hold: -EBADF is skipped
 * Returns 0; negative errno with a fault. */
int child_start(const Host *host, const ChildOptions *options, const int *unwanted_fds,
                size_t n_unwanted, Child *ret, Fault *fault);

/* Closes our side. The process lives on if it has been executed, else it ends. */
void child_release(Child *child);

/* Kills it, waits until nothing of it is left, and releases. Processes in its namespace die with
 * it. The child may be another process's: all who start one have SIGCHLD ignored, so that it is
 * reaped by the kernel. */
void child_kill(Child *child);

int child_is_dead(const Child *child);
