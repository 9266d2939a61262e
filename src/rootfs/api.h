/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/fault.h"

/* The kernel's file systems and the host's word to a container: /proc, /sys, /run and /run/host.
 * They stand directly below the root, where a link of the image is refused: whatever it leads to is
 * not the place that programs, and our masks, mean. */

/* New instances for the namespaces that the caller is in, attached nowhere. The kernel grants them
 * in a user namespace only while the caller sees a /proc and a /sys without anything hidden, and
 * /sys only to who owns the network namespace. Return 0; negative errno with a fault. */
int proc_new(int *ret_fd, Fault *fault);
int sys_new(int *ret_fd, Fault *fault);

/* The host's own /sys, read-only and without what is mounted in it: for a container in the network
 * namespace of the host. In the host's namespaces. Returns 0; negative errno with a fault. */
int sys_copy(int *ret_fd, Fault *fault);

/* Puts a mount on a directory right below the root, made when missing.
 * Returns 0; -ELOOP, -ENOTDIR (fault: FAULT_INVALID): something else is there; negative errno. */
int api_attach(int root_fd, const char *name, int mount_fd, Fault *fault);

/* /run, and in it, read-only, /run/host as systemd's container interface has it. Made and filled,
 * attached nowhere. */
typedef struct Run {
        int fd;
        int host_fd; /* RUN_HOST_EMPTY in it serves as mask */
} Run;

#define RUN_INIT ((Run){ .fd = -EBADF, .host_fd = -EBADF })
#define RUN_HOST_EMPTY "inaccessible/dir"

/* @uuid   as container_uuid=
 * @ret    descriptors of the caller's
 * Both return 0; negative errno with a fault. */
int run_new(const char *uuid, Run *ret, Fault *fault);
int run_attach(const Run *run, int root_fd, Fault *fault);
void run_done(Run *run);
