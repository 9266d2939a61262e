/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "samples.h"

void samples_done(Samples *samples)
{
        free(samples->usec);
        *samples = (Samples){ 0 };
}

int samples_add(Samples *samples, uint64_t usec)
{
        if (samples->n == samples->room) {
                size_t room = samples->room ? samples->room * 2 : 256;
                uint64_t *bigger = realloc(samples->usec, room * sizeof(*bigger));

                if (!bigger)
                        return -ENOMEM;
                samples->usec = bigger;
                samples->room = room;
        }
        samples->usec[samples->n++] = usec;
        return 0;
}

static int compare(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

uint64_t samples_percentile(Samples *samples, unsigned percent)
{
        if (samples->n == 0)
                return 0;
        qsort(samples->usec, samples->n, sizeof(*samples->usec), compare);
        return samples->usec[MIN2(samples->n * percent / 100, samples->n - 1)];
}

void samples_print(Samples *samples, const char *name, FILE *f)
{
        fprintf(f,
                "{\"name\":\"%s\",\"n\":%zu,\"p50_usec\":%" PRIu64 ",\"p99_usec\":%" PRIu64
                ",\"min_usec\":%" PRIu64 ",\"max_usec\":%" PRIu64 "}\n",
                name, samples->n, samples_percentile(samples, 50), samples_percentile(samples, 99),
                samples_percentile(samples, 0), samples_percentile(samples, 100));
}
