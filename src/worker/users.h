/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "basic/fault.h"

/* Gives a new user namespace its ids: 0 to @count - 1 inside are those from @base outside, for
 * users and for groups.
 * @proc_fd   a procfs
 * @pid       a process in the namespace
 * @ret_fd    the namespace, owned by the caller
 * Returns 0; -ESRCH: the process is gone; negative errno with a fault. */
int users_map(int proc_fd, pid_t pid, uint32_t base, uint32_t count, int *ret_fd, Fault *fault);
