/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "basic/macro.h"

/* Durations of one kind of operation, and what is said of them. */

typedef struct Samples {
        uint64_t *usec;
        size_t n, room;
} Samples;

void samples_done(Samples *samples);

/* Returns 0; -ENOMEM. */
int samples_add(Samples *samples, uint64_t usec);

/* One line of JSON: {"name":…,"usec":[…]}, in the order of measuring. */
void samples_print(Samples *samples, const char *name, FILE *f);
