/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whole reads and writes, small files, and directories by descriptor. All return 0 or a count on
 * success and a negative errno on failure; outputs are written only on success. */

/* Reads until @size bytes or the end. Returns the count. */
ssize_t io_read_full(int fd, void *data, size_t size);

/* Writes all of it. Blocks if the descriptor does. */
int io_write_full(int fd, const void *data, size_t size);

/* Reads a regular or proc file of at most @max bytes; NUL-terminates.
 * @ret_data   new memory, owned by the caller
 * Returns     0; -EFBIG when it is longer; -ENOENT and so on. */
int io_read_file(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_size);

/* Writes a short string to an existing file in one write(2), as procfs and cgroupfs demand. */
int io_write_string(int dir_fd, const char *path, const char *s);

/* Replaces the file as a whole, mode 0600: a reader, and a crash, see the old or the new one and
 * nothing between. The directory is meant to be tmpfs: nothing is flushed to a disk. */
int io_write_file_atomic(int dir_fd, const char *name, const void *data, size_t size);

/* mkdirat, and then openat of it without following links. An existing directory is fine.
 * Returns the descriptor, owned by the caller. */
int io_mkdir_open(int dir_fd, const char *name, mode_t mode);

/* Like mkdir -p for an absolute path that is the administrator's. */
int io_mkdir_parents(const char *path, mode_t mode);

/* Removes a tree below @dir_fd without following links or crossing into other file systems; an
 * absent one is fine. Goes on after errors and returns the first. */
int io_remove_tree(int dir_fd, const char *name);

uint64_t io_now_realtime_usec(void);
uint64_t io_now_monotonic_usec(void);
uint64_t io_now_boottime_usec(void); /* goes on while the machine sleeps */
