/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Bytes as a descriptor that can be sent: a memfd that nobody can change any more, so that the
 * receiver may map it and check it once.
 * Returns the descriptor, owned by the caller; negative errno. */
int memory_new_sealed(const char *name, const void *data, size_t size);
