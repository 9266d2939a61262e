/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/fault.h"

/* The /dev of a container: a small file system in memory with the devices that every program may
 * expect. The nodes are those of the host, found and verified before anything of the container
 * exists: neither can a user namespace make any, nor is a node of the image to be trusted. */

typedef enum DevNode {
        DEV_NULL,
        DEV_ZERO,
        DEV_FULL,
        DEV_RANDOM,
        DEV_URANDOM,
        DEV_TTY,
        _DEV_NODE_MAX,
        _DEV_NODE_INVALID = -22,
} DevNode;

const char *dev_node_to_string(DevNode node);

typedef struct DevNodes {
        int fds[_DEV_NODE_MAX];
} DevNodes;

#define DEV_NODES_INIT ((DevNodes){ { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } })

void dev_nodes_done(DevNodes *nodes);

/* Opens (O_PATH) the nodes of the host. Returns 0; negative errno with a fault: one is missing, or
 * is not the device that its name promises (-ENODEV). */
int dev_nodes_open(DevNodes *ret, Fault *fault);

/* Makes a detached mount of each, for one container. In the mount namespace where they were opened.
 * Returns 0; negative errno with a fault. */
int dev_nodes_copy(const DevNodes *nodes, DevNodes *ret, Fault *fault);

/* The file systems of one /dev, made and filled but attached nowhere: what takes time does not
 * need the root. */
typedef struct Dev {
        int fd; /* /dev itself */
        int pts_fd, shm_fd, mqueue_fd;
} Dev;

#define DEV_INIT ((Dev){ .fd = -EBADF, .pts_fd = -EBADF, .shm_fd = -EBADF, .mqueue_fd = -EBADF })

/* In the container's namespaces.
 * @has_tty_group   group 5, whose the terminals are by convention, exists in the user namespace
 * @ret             descriptors of the caller's
 * Returns 0; negative errno with a fault. */
int dev_new(int has_tty_group, Dev *ret, Fault *fault);
void dev_done(Dev *dev);

/* Attaches it to the root, and the nodes and the others to it.
 * @mounts   of dev_nodes_copy()
 * Returns 0; negative errno with a fault. */
int dev_attach(const Dev *dev, const DevNodes *mounts, int root_fd, Fault *fault);
