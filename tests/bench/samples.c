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

void samples_print(Samples *samples, const char *name, FILE *f)
{
        fprintf(f, "{\"name\":\"%s\",\"usec\":[", name);
        for (size_t i = 0; i < samples->n; i++)
                fprintf(f, "%s%" PRIu64, i ? "," : "", samples->usec[i]);
        fprintf(f, "]}\n");
}
