/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/macro.h"

/* NULL-terminated vectors of strings that own their strings; NULL is an empty vector. */

char **strv_free(char **v);
DEFINE_DROP(char *, strv, strv_free);

size_t strv_length(char *const *v);

/* Deep copy. Returns 0; -ENOMEM. */
int strv_copy(char *const *v, char ***ret);

/* Appends a copy. Returns 0; -ENOMEM, with *v unchanged. */
int strv_append(char ***v, const char *s);

/* Sets KEY=VALUE, given as one string, replacing an entry of the same key. Returns 0; -ENOMEM;
 * -EINVAL without a '=' behind a key. */
int strv_env_set(char ***v, const char *assignment);

int strv_equal(char *const *a, char *const *b);
