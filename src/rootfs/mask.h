/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Hides what the kernel tells about the host in /proc and /sys, and takes the pen away from what
 * must not be written. The lists are the OCI runtimes'; what this kernel does not have is skipped.
 * All masks are things of ours: nothing of the image is used. In the container's namespaces, with
 * everything attached.
 * @proc_fd, @sys_fd   the mounts
 * @null_fd            the mounted /dev/null
 * @host_fd            the mounted /run/host
 * Returns 0; negative errno with a fault that names the path. */
int mask_apply(int proc_fd, int sys_fd, int null_fd, int host_fd, Fault *fault);
