/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/fault.h"

#define ENVIRONMENT_MAX 16384
#define STRING_MAX 131071 /* what the kernel takes as one argument or variable, less its NUL */

/* What execve() charges for one string: its bytes, its NUL and the pointer to it. */
#define STRING_COST(length) ((length) + 1 + 8)

/* Every entry KEY=VALUE with a key that is not empty and has no control characters; at most
 * ENVIRONMENT_MAX of them, none longer than STRING_MAX, together at most @max_bytes of
 * STRING_COST. Adds that cost to *total_bytes, which may be NULL. A key may occur twice: the later
 * one counts. Returns 0; -EINVAL, -E2BIG with a fault that starts with "Environment". */
int environment_validate(char *const *environment, size_t max_bytes, size_t *total_bytes,
                         Fault *fault);

/* Both together as one new vector of strings that belong to the arguments: one entry for a key, in
 * order of first appearance; @over wins over @under, a later entry over an earlier. Free it with
 * free(). In O(n log n), as n is the client's. Returns 0; -ENOMEM. */
int environment_merge(char *const *under, char *const *over, const char ***ret);
