/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "ctl/frames.h"

static uint64_t load_le(const uint8_t *p, size_t n)
{
        uint64_t value = 0;

        for (size_t i = 0; i < n; i++)
                value |= (uint64_t)p[i] << (8 * i);
        return value;
}

static int take_header(Frames *frames)
{
        uint64_t position = load_le(frames->header, 8), missed = load_le(frames->header + 8, 8);
        uint32_t size = (uint32_t)load_le(frames->header + 16, 4);

        if (load_le(frames->header + 20, 4) != 0 || position > UINT64_MAX - size)
                return -EBADMSG;
        frames->n_header = 0;
        frames->position = position;
        frames->left = size;
        frames->missed_bytes += MIN2(missed, UINT64_MAX - frames->missed_bytes);
        frames->is_ended = size == 0;
        return 0;
}

int frames_filter(Frames *frames, uint8_t *data, size_t *size)
{
        size_t n_in = *size, n_out = 0, i = 0;

        while (i < n_in) {
                size_t n;

                if (frames->is_ended)
                        return -EBADMSG;
                if (frames->left > 0) {
                        n = MIN2(n_in - i, (size_t)frames->left);
                        memmove(data + n_out, data + i, n);
                        n_out += n;
                        frames->position += n;
                        frames->left -= (uint32_t)n;
                } else {
                        n = MIN2(n_in - i, FRAMES_HEADER - frames->n_header);
                        memcpy(frames->header + frames->n_header, data + i, n);
                        frames->n_header += n;
                        if (frames->n_header == FRAMES_HEADER && take_header(frames) < 0)
                                return -EBADMSG;
                }
                i += n;
        }
        *size = n_out;
        return 0;
}
