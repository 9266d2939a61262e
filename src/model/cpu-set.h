/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* Which processors, by number: AllowedCPUs. As text it is "0-3,5", as in unit files and in the
 * kernel's own files; on systemd's bus a bit mask. A plain value. */

#define CPU_SET_CPUS 1024
#define CPU_SET_BYTES (CPU_SET_CPUS / 8)
#define CPU_SET_TEXT_MAX (CPU_SET_CPUS * 5) /* every other one, with four digits and a comma */

typedef struct CpuSet {
        uint8_t bits[CPU_SET_BYTES]; /* CPU n is bit n % 8 of byte n / 8, as on systemd's bus */
} CpuSet;

/* Numbers and ranges, between them commas or blanks. "" is the empty set.
 * Returns 0; -EINVAL not of that form, or a range that goes down; -ERANGE a number too large. */
int cpu_set_parse(const char *text, CpuSet *ret);

/* Ascending, with ranges where they can be: what cpu_set_parse() takes. */
void cpu_set_format(const CpuSet *set, char ret[CPU_SET_TEXT_MAX]);

/* Of a bit mask; more than fits is ignored where it is zero. Returns 0; -ERANGE. */
int cpu_set_from_bytes(const void *data, size_t size, CpuSet *ret);

/* How many bytes there are up to the last that is not zero. */
size_t cpu_set_size(const CpuSet *set);

int cpu_set_is_equal(const CpuSet *a, const CpuSet *b);

/* The first that is in @set and not in @of, or -1. */
int cpu_set_first_beyond(const CpuSet *set, const CpuSet *of);
