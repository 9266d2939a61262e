/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Our own terminal: raw while a job's is shown in it, and what it was before when we leave,
 * whatever makes us leave. One at a time in a process, as the way back must be known to exit() and
 * to the handlers of fatal signals. */

/* Notes the state of @fd, which is a terminal, and makes it raw: every byte passes, nothing is
 * echoed, no key is a signal. Nothing is done when we are in the background: it would stop us.
 * Again after terminal_restore(): raw again. Returns 0; negative errno. */
int terminal_make_raw(int fd);

/* Back to what it was. Fine when nothing was done. Safe in signal handlers. */
void terminal_restore(void);

/* Bytes to send to stdout when the terminal is restored, such as what leaves its other screen; must
 * stay where they are. NULL: none. */
void terminal_set_leave(const char *bytes);

/* The window size of the first of stdin, stdout, stderr that is a terminal and knows it. Returns 0;
 * -ENOTTY. */
int terminal_get_size(uint32_t *ret_rows, uint32_t *ret_columns);

/* Columns to lay a table out for: those of stdout's terminal, or SIZE_MAX when it is none. */
size_t terminal_get_columns(void);

/* May stdout have colours? Not when it is no terminal, nor against NO_COLOR or TERM=dumb. */
int terminal_has_colors(void);

/* @fd, a terminal, opened once more without blocking, so that the flag is not that of the shell
 * that started us. A duplicate that may block where that is not allowed.
 * @flags   O_RDONLY or O_WRONLY
 * Returns  a new descriptor; negative errno */
int terminal_reopen(int fd, int flags, int *ret_is_blocking);
