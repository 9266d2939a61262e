/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled twice, as wire/wshd-message.c is: nothing here allocates. */

#include <errno.h>
#include <string.h>

#include "basic/frame.h"
#include "basic/little-endian.h"
#include "basic/macro.h"

void frame_encode(const Frame *frame, uint8_t *buffer)
{
        le_store(buffer, frame->position, 8);
        le_store(buffer + 8, frame->missed, 8);
        le_store(buffer + 16, frame->size, 4);
        le_store(buffer + 20, 0, 4);
}

int frame_decode(const uint8_t *buffer, Frame *ret)
{
        Frame frame = {
                .position = le_load(buffer, 8),
                .missed = le_load(buffer + 8, 8),
                .size = (uint32_t)le_load(buffer + 16, 4),
        };

        if (le_load(buffer + 20, 4) != 0 || frame.size > FRAME_MAX - FRAME_HEADER)
                return -EBADMSG;
        if (frame.missed > frame.position || frame.position > UINT64_MAX - frame.size)
                return -EBADMSG;
        *ret = frame;
        return 0;
}

/* Returns 1 with a piece when it was the last header. */
static int take_header(FrameParser *parser, FramePiece *ret)
{
        Frame frame;
        int r;

        parser->n_header = 0;
        r = frame_decode(parser->header, &frame);
        if (r < 0)
                return r;
        parser->position = frame.position;
        parser->missed = frame.missed;
        parser->left = frame.size;
        if (frame.size > 0)
                return 0;
        parser->is_ended = 1;
        *ret = (FramePiece){ .type = FRAME_END,
                             .position = frame.position,
                             .missed = frame.missed };
        return 1;
}

static void take_data(FrameParser *parser, const uint8_t *data, size_t size, FramePiece *ret)
{
        *ret = (FramePiece){ .type = FRAME_DATA,
                             .position = parser->position,
                             .missed = parser->missed,
                             .data = data,
                             .size = size };
        parser->position += size;
        parser->missed = 0;
        parser->left -= (uint32_t)size;
}

int frame_next(FrameParser *parser, const uint8_t **data, size_t *size, FramePiece *ret)
{
        while (*size > 0) {
                const uint8_t *p = *data;
                int is_data = parser->left > 0, r;
                size_t n;

                if (parser->is_ended)
                        return -EBADMSG;
                n = MIN2(*size, is_data ? (size_t)parser->left : FRAME_HEADER - parser->n_header);
                *data += n;
                *size -= n;
                if (is_data) {
                        take_data(parser, p, n, ret);
                        return 1;
                }
                memcpy(parser->header + parser->n_header, p, n);
                parser->n_header += n;
                if (parser->n_header < FRAME_HEADER)
                        continue;
                r = take_header(parser, ret);
                if (r != 0)
                        return r;
        }
        return 0;
}
