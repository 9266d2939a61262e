/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory that stands for /sys/fs/cgroup, as a case's state. */

/* @name_template   where, for mkdtemp(). Returns 0, new memory; -1. */
int made_tree_setup(void **state, const char *name_template);
int made_tree_teardown(void **state);

/* Writes a file below it, and makes the directories above. */
void made_tree_put(const char *top, const char *name, const char *text);
