/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The framed stream of a job's reader: chunks of its bytes, each behind a header, little-endian,
 *
 *     u64 position of the chunk's first byte in the stream
 *     u64 bytes missed just before it
 *     u32 size of the chunk; 0: the end of the stream
 *     u32 reserved, 0
 *
 * doc/protocol-wshd.md has it in prose. PID 1 writes it, warden-journal and wardenctl read it. */

#define FRAME_HEADER 24
#define FRAME_MAX 4096 /* bytes, header included */

typedef struct Frame {
        uint64_t position;
        uint64_t missed;
        uint32_t size;
} Frame;

/* @buffer has FRAME_HEADER bytes. Decoding returns 0; -EBADMSG when the reserved bytes are not zero
 * or the numbers cannot be: the stream is out of step then. */
void frame_encode(const Frame *frame, uint8_t *buffer);
int frame_decode(const uint8_t *buffer, Frame *ret);

typedef enum FramePieceType {
        FRAME_DATA,
        FRAME_END, /* without data */
} FramePieceType;

typedef struct FramePiece {
        FramePieceType type;
        uint64_t position; /* of the first byte, in the stream */
        uint64_t missed;   /* before it; of a chunk's first piece */
        const uint8_t *data;
        size_t size;
} FramePiece;

/* Bytes come in pieces of any size, as a pipe gives them. All zeros is the beginning. */
typedef struct FrameParser {
        uint8_t header[FRAME_HEADER];
        size_t n_header;
        uint64_t position;
        uint64_t missed; /* that no piece has told yet */
        uint32_t left;   /* of the chunk */
        int is_ended;
} FrameParser;

/* Takes the next piece from the front of *data.
 * Returns 1 with a piece, which points into *data; 0 when *size has become 0; -EBADMSG. */
int frame_next(FrameParser *parser, const uint8_t **data, size_t *size, FramePiece *ret);
