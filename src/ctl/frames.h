/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A stream as Job.Attach gives it with Framed: each chunk of the job's bytes behind a header of 24,
 * little-endian, as doc/dbus.md tells. What comes out is the bytes. */

#define FRAMES_HEADER 24

typedef struct Frames {
        uint8_t header[FRAMES_HEADER];
        size_t n_header;
        uint32_t left;         /* of the chunk */
        uint64_t position;     /* in the stream: behind what has come out */
        uint64_t missed_bytes; /* that the reader was too late for, all gaps together */
        int is_ended;          /* the last frame has come */
} Frames;

/* Takes the headers out of @data.
 * @size      in and out: never more than before
 * Returns    0; -EBADMSG, which no daemon of ours sends */
int frames_filter(Frames *frames, uint8_t *data, size_t *size);
