/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Strict parsers for what people and files say: no leading blanks, no trailing rubbish, no silent
 * overflow. All return 0, -EINVAL (not of that form) or -ERANGE (too large). */

int parse_u32(const char *s, uint32_t *ret);
int parse_u64(const char *s, uint64_t *ret);
int parse_boolean(const char *s, int *ret);

/* "512M", "2G", "1048576": suffixes K M G T of 1024; "infinity" is UINT64_MAX. Bytes. */
int parse_size_bytes(const char *s, uint64_t *ret);

/* "10", "10s", "250ms", "5min", "infinity": seconds without a unit. Microseconds. */
int parse_time_usec(const char *s, uint64_t *ret);

/* "TERM", "SIGTERM", "15". A number from 1 to 64. */
int parse_signal(const char *s, int *ret);
