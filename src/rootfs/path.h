/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "basic/fault.h"

/* Every path below a root file system goes through here: it is resolved as the container would
 * resolve it, with the root directory as "/", so that a symbolic link of the image leads to some
 * place inside or nowhere; and the result is a descriptor, so that nobody can put something else
 * there between the look and the use. Links of procfs that lead to open files are never followed.
 * @root_fd   the root directory
 * @path      absolute
 * @ret_fd    O_CLOEXEC, owned by the caller */

/* Opens what is there. @flags as of open(2), mostly O_PATH and O_DIRECTORY; O_CREAT is not for
 * here. Returns 0; -ENOENT; -ELOOP; -ENOTDIR; ... */
int in_root_open(int root_fd, const char *path, int flags, int *ret_fd);

/* Opens a directory (O_PATH) and makes what is missing of the path, mode 0755. A symbolic link that
 * leads nowhere is refused rather than given a target.
 * Returns 0; negative errno with a fault that names the path. */
int in_root_make_directory(int root_fd, const char *path, int *ret_fd, Fault *fault);

/* Opens (O_PATH) what is there, of any type; else makes an empty file, mode 0644, and directories
 * on the way. Errors as above. */
int in_root_make_file(int root_fd, const char *path, int *ret_fd, Fault *fault);
