/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/fault.h"
#include "rootfs/dev.h"
#include "worker/seccomp-filter.h"
#include "worker/uuid.h"

/* What every container needs from the host, made once: opened, copied or compiled when the program
 * starts, inherited by every worker it forks. */

typedef struct Host {
        int proc_fd;    /* a procfs of our own, which nobody can mount over */
        int program_fd; /* the sealed wshd */
        DevNodes nodes;
        SeccompFilter filter;
        UuidKey uuid_key;
} Host;

#define HOST_INIT ((Host){ .proc_fd = -EBADF, .program_fd = -EBADF, .nodes = DEV_NODES_INIT })

/* @program   path of wshd. Returns 0; negative errno with a fault. */
int host_open(const char *program, Host *ret, Fault *fault);
void host_done(Host *host);
