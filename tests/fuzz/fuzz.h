/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A target takes any bytes and ends the process when a promise of the code is broken. It is linked
 * with libFuzzer (-Dfuzzers=true, clang), or with replay.c for `meson test --suite fuzz`. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert(), it is there in every build. */
#define PROMISE(condition)                                                                      \
        do {                                                                                    \
                if (!(condition)) {                                                             \
                        fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                \
                }                                                                               \
        } while (0)

/* The input up to its first NUL, as a string of its own size, so that reading beyond is seen. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
        size_t n = size > 0 ? strnlen((const char *)data, size) : 0;
        char *s = calloc(1, n + 1);

        PROMISE(s);
        if (n > 0)
                memcpy(s, data, n);
        return s;
}
