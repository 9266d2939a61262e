/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "basic/macro.h"
#include "ctl/frames.h"

int frames_filter(Frames *frames, uint8_t *data, size_t *size)
{
        const uint8_t *p = data;
        size_t left = *size, n_out = 0;
        FramePiece piece;
        int r;

        while ((r = frame_next(&frames->parser, &p, &left, &piece)) > 0) {
                frames->position = piece.position + piece.size;
                frames->missed_bytes += MIN2(piece.missed, UINT64_MAX - frames->missed_bytes);
                if (piece.size > 0)
                        memmove(data + n_out, piece.data, piece.size);
                n_out += piece.size;
        }
        if (r < 0)
                return r;
        *size = n_out;
        return 0;
}
