/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/fault.h"

/* The keys that leave a job's terminal and let the job go on. They are looked for in what is typed:
 * what could be their beginning is held back until the next key tells. */

#define DETACH_KEYS_MAX 8
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

typedef struct DetachKeys {
        uint8_t keys[DETACH_KEYS_MAX];
        size_t n;      /* 0: there are none */
        size_t n_held; /* how many of them were typed */
} DetachKeys;

/* "ctrl-p,ctrl-q", "a,b", "ctrl-@", "none" or "": as docker(1) spells them. Returns 0; -EINVAL with
 * a fault. */
int detach_keys_parse(const char *text, DetachKeys *ret, Fault *fault);

/* Takes what was typed and leaves what is to go on.
 * @data      with room for DETACH_KEYS_MAX bytes more
 * @size      in and out
 * Returns    1: the keys were typed; what came behind them is dropped. 0: not yet. */
int detach_keys_filter(DetachKeys *keys, uint8_t *data, size_t *size);
