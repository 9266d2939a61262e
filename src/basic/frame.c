/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "journal/frame.h"

static int take_header(FrameParser *parser, FramePiece *ret)
{
        WshdFrame frame;
        int r;

        parser->n_header = 0;
        r = wshd_frame_decode(parser->header, &frame);
        if (r < 0)
                return r;
        if (frame.position > UINT64_MAX - frame.size)
                return -EBADMSG;
        parser->position = frame.position;
        parser->left = frame.size;
        if (frame.size > 0)
                return 0;
        parser->is_ended = 1;
        *ret = (FramePiece){ .type = FRAME_END, .position = frame.position };
        return 1;
}

int frame_next(FrameParser *parser, const uint8_t **data, size_t *size, FramePiece *ret)
{
        while (*size > 0) {
                size_t n;

                if (parser->is_ended)
                        return -EBADMSG;
                if (parser->left > 0) {
                        n = MIN2(*size, (size_t)parser->left);
                        *ret = (FramePiece){ .type = FRAME_DATA,
                                             .position = parser->position,
                                             .data = *data,
                                             .size = n };
                        parser->position += n;
                        parser->left -= (uint32_t)n;
                        *data += n;
                        *size -= n;
                        return 1;
                }
                n = MIN2(*size, WSHD_FRAME_HEADER - parser->n_header);
                memcpy(parser->header + parser->n_header, *data, n);
                parser->n_header += n;
                *data += n;
                *size -= n;
                if (parser->n_header == WSHD_FRAME_HEADER) {
                        int r = take_header(parser, ret);

                        if (r != 0)
                                return r;
                }
        }
        return 0;
}
