/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Processes by pid and pidfd. All return 0 or a negative errno. */

/* Field 22 of /proc/PID/stat: with the pid it names one process for as long as the host is up. */
int process_get_start_ticks(uint32_t pid, uint64_t *ret);

/* Opens the process that had this pid and start time. -ESRCH when it is gone, or the pid is
 * another's now.
 * @ret_pidfd   owned by the caller */
int process_open(uint32_t pid, uint64_t start_ticks, int *ret_pidfd);

/* The pid, in our namespace, of a pidfd: 0 when its process is gone. -EBADF when it is no pidfd:
 * what a container sends is not believed. */
int process_get_pid(int pidfd, uint32_t *ret);

int process_signal(int pidfd, int signal);

/* Whether it has ended, reaped or not. Answers for good: what is gone stays gone. */
int process_is_gone(int pidfd);
