/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/frame.h"

/* A stream as Job.Attach gives it with Framed. What comes out is the bytes. */

typedef struct Frames {
        FrameParser parser;
        uint64_t position;     /* in the stream: behind what has come out */
        uint64_t missed_bytes; /* that the reader was too late for, all gaps together */
} Frames;

/* Takes the headers out of @data.
 * @size      in and out: never more than before
 * Returns    0; -EBADMSG, which no daemon of ours sends */
int frames_filter(Frames *frames, uint8_t *data, size_t *size);
