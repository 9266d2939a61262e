/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A ring beside a plain array of all that ever went into it: the input is a size and a series of
 * how much is offered, used and looked at. */

#include "basic/macro.h"
#include "fuzz.h"
#include "init/ring.h"

#define TOTAL_MAX 65536

typedef struct Model {
        uint8_t all[TOTAL_MAX];
        size_t size;
} Model;

static void check_add(Ring *ring, Model *model, size_t offered, size_t used)
{
        size_t room = 0, done = 0;
        struct iovec iov[2];
        int n = ring_get_room(ring, offered, iov);

        PROMISE(n >= 0 && n <= 2);
        for (int i = 0; i < n; i++) {
                PROMISE(iov[i].iov_len > 0);
                room += iov[i].iov_len;
        }
        PROMISE(room == MIN2(offered, ring->size));
        used = MIN2(used, room);
        for (int i = 0; i < n; i++)
                for (size_t k = 0; k < iov[i].iov_len && done < used; k++, done++) {
                        uint8_t byte = (uint8_t)((model->size + done) * 2654435761U >> 16);

                        ((uint8_t *)iov[i].iov_base)[k] = byte;
                        model->all[model->size + done] = byte;
                }
        ring_commit(ring, used);
        model->size += used;
}

static void check_bytes(Ring *ring, const Model *model, uint64_t position, size_t max)
{
        uint64_t oldest = model->size > ring->size ? model->size - ring->size : 0;
        size_t expected = 0, done = 0;
        struct iovec iov[2];
        int n = ring_get_bytes(ring, position, max, iov);

        PROMISE(ring_oldest(ring) == oldest && ring->head == model->size);
        if (position >= oldest && position < model->size)
                expected = MIN2(max, model->size - (size_t)position);
        for (int i = 0; i < n; i++) {
                PROMISE(memcmp(iov[i].iov_base, model->all + position + done, iov[i].iov_len) == 0);
                done += iov[i].iov_len;
        }
        PROMISE(done == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static Model model;
        uint8_t memory[256];
        Ring ring;

        if (size < 1)
                return 0;
        model.size = 0;
        ring_init(&ring, memory, (size_t)data[0] + 1, (size_t)data[0] + 1);
        for (size_t i = 1; i + 3 < size && model.size + 512 < TOTAL_MAX; i += 4) {
                check_add(&ring, &model, (size_t)data[i] * 2, data[i + 1]);
                check_bytes(&ring, &model, model.size - MIN2((size_t)data[i + 2] * 2, model.size),
                            data[i + 3]);
                check_bytes(&ring, &model, model.size + data[i + 2], data[i + 3]);
        }
        return 0;
}
