/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few macros that every file needs. Nothing here allocates or calls the kernel, so that wshd,
 * which is linked against another libc, can use all of it. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define MIN2(a, b) ((a) < (b) ? (a) : (b))
#define MAX2(a, b) ((a) > (b) ? (a) : (b))

#define _drop_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

/* Defines drop_NAME(), a cleanup handler for a `type *` variable that frees it with free_func(). */
#define DEFINE_DROP(type, name, free_func)       \
        static inline void drop_##name(type **p) \
        {                                        \
                if (*p)                          \
                        free_func(*p);           \
        }                                        \
        struct _drop_needs_semicolon_##name

static inline void drop_free(void *p)
{
        free(*(void **)p);
}

/* Hands the pointer's ownership to the caller and leaves NULL behind. */
#define take_ptr(p)                          \
        ({                                   \
                __typeof__(p) *_pp = &(p);   \
                __typeof__(p) _taken = *_pp; \
                *_pp = NULL;                 \
                _taken;                      \
        })
