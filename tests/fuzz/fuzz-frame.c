/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes in steps of any size: the pieces are the same as when all of it comes at once, and what
 * is decoded is encoded to the bytes that it came from. The first byte is the step. */

#include <errno.h>

#include "basic/frame.h"
#include "basic/macro.h"
#include "fuzz.h"

#define OUT_MAX 65536

typedef struct Result {
        uint8_t out[OUT_MAX];
        size_t n_out;
        uint64_t missed, position;
        int error, is_ended;
} Result;

static void check_piece(const FramePiece *piece, const uint8_t *data, size_t size, Result *result)
{
        PROMISE(piece->position >= piece->missed && piece->position <= UINT64_MAX - piece->size);
        if (piece->type == FRAME_END) {
                PROMISE(piece->size == 0 && !result->is_ended);
                result->is_ended = 1;
        } else {
                PROMISE(piece->size > 0 && piece->size <= FRAME_MAX - FRAME_HEADER);
                PROMISE(piece->data >= data && piece->data + piece->size <= data + size);
                PROMISE(result->n_out + piece->size <= OUT_MAX);
                memcpy(result->out + result->n_out, piece->data, piece->size);
                result->n_out += piece->size;
        }
        result->missed += piece->missed;
        result->position = piece->position + piece->size;
}

static void parse(const uint8_t *data, size_t size, size_t step, Result *result)
{
        FrameParser parser = { .n_header = 0 };

        result->n_out = 0;
        result->missed = result->position = 0;
        result->error = result->is_ended = 0;
        for (size_t i = 0; i < size && result->error == 0; i += step) {
                size_t n = MIN2(step, size - i), left = n;
                const uint8_t *p = data + i;
                FramePiece piece;
                int r;

                while ((r = frame_next(&parser, &p, &left, &piece)) > 0)
                        check_piece(&piece, data + i, n, result);
                PROMISE(r == 0 || r == -EBADMSG);
                PROMISE(r < 0 || left == 0);
                result->error = r;
        }
}

static void check_header(const uint8_t *data, size_t size)
{
        uint8_t buffer[FRAME_HEADER];
        Frame frame;

        if (size < FRAME_HEADER || frame_decode(data, &frame) < 0)
                return;
        PROMISE(frame.missed <= frame.position && frame.size <= FRAME_MAX - FRAME_HEADER);
        frame_encode(&frame, buffer);
        PROMISE(memcmp(buffer, data, sizeof(buffer)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static Result all, steps;

        if (size < 1 || size > OUT_MAX)
                return 0;
        check_header(data + 1, size - 1);
        parse(data + 1, size - 1, size, &all);
        parse(data + 1, size - 1, (size_t)data[0] + 1, &steps);
        PROMISE(all.n_out == steps.n_out && memcmp(all.out, steps.out, all.n_out) == 0);
        PROMISE(all.error == steps.error && all.is_ended == steps.is_ended);
        PROMISE(all.missed == steps.missed && all.position == steps.position);
        return 0;
}
