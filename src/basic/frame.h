/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/wshd-message.h"

/* The framed stream of a reader: chunks, each behind a WshdFrame, the last one empty. Bytes come in
 * pieces of any size, as a pipe gives them. */

typedef enum FramePieceType {
        FRAME_DATA, /* position, data, size */
        FRAME_END,  /* position */
} FramePieceType;

typedef struct FramePiece {
        FramePieceType type;
        uint64_t position; /* of the first byte, in the stream */
        const uint8_t *data;
        size_t size;
} FramePiece;

typedef struct FrameParser {
        uint8_t header[WSHD_FRAME_HEADER];
        size_t n_header;
        uint64_t position;
        uint32_t left; /* of the chunk */
        int is_ended;
} FrameParser;

/* Takes the next piece from the front of *data. What was missed needs no piece: the position says
 * it.
 * Returns 1 with a piece, which points into *data; 0 when *size has become 0; -EBADMSG. */
int frame_next(FrameParser *parser, const uint8_t **data, size_t *size, FramePiece *ret);
