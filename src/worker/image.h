/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/storage.h"

/* The image of Storage=loop: a sparse file with an ext4 in it. */

#define IMAGE_NAME "image"

/* Opens the image in the directory of a layer; makes and formats it when there is none.
 * @path     of the directory, which @dir_fd is
 * @disk     its size, and the number of inodes, which ext4 rounds up by a few
 * @ret_fd   owned by the caller
 * Returns   0; negative errno with a fault, and a file that was made is removed again. */
int image_open(const char *path, int dir_fd, const DiskLimits *disk, int *ret_fd, Fault *fault);
