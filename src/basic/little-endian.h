/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers of n bytes (at most 8) in the order of every protocol and record of ours, at any
 * address. */

#include <stddef.h>
#include <stdint.h>

static inline void le_store(uint8_t *p, uint64_t value, size_t n)
{
        for (size_t i = 0; i < n; i++)
                p[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t le_load(const uint8_t *p, size_t n)
{
        uint64_t value = 0;

        for (size_t i = 0; i < n; i++)
                value |= (uint64_t)p[i] << (8 * i);
        return value;
}
