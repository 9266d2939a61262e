/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/codec.h"

/* The first field of every state file, so that a file of another kind, or of a version with another
 * meaning, is told from a damaged one. It reads "WD" at offset 0; then its size, the version (u32)
 * and the kind (u32, one letter). Adding a tag needs no new version: readers skip what they do not
 * know; giving a tag another meaning, or refusing values that were accepted, does. */

#define RECORD_CONTAINER ((uint32_t)'C')
#define RECORD_JOB ((uint32_t)'J')

void record_begin(WireWriter *w, uint32_t kind, uint32_t version);

/* Sets up the reader behind the header. Returns 0; -EBADMSG no record of that kind;
 * -EPROTONOSUPPORT another version. */
int record_open(const void *data, size_t size, uint32_t kind, uint32_t version, WireReader *ret);

/* Text that goes from a state file to clients and systemd again: not empty, no control characters,
 * at most @max bytes. */
int record_text_is_valid(const char *s, size_t max);
