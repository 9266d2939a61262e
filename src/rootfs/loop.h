/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* A file of the host as the block device of a mount. */

/* Mounts the ext4 in an image, attached nowhere. Its loop device ends with the last mount of it.
 * While something still has the image mounted, it is that same file system that is mounted again:
 * two devices of one image would be two writers who know nothing of each other.
 * @image_fd   opened for reading and writing
 * @ret_fd     the mount, owned by the caller
 * Returns     0; negative errno with a fault. */
int loop_mount(int image_fd, int *ret_fd, Fault *fault);
