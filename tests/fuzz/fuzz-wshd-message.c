/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both directions: any bytes decode to something that is encoded and decoded to the same, or not at
 * all; any message is encoded to bytes that decode to it. */

#include <errno.h>

#include "basic/macro.h"
#include "fuzz.h"
#include "wire/wshd-message.h"

static int is_equal(const WshdMessage *a, const WshdMessage *b)
{
        return a->type == b->type && a->sequence == b->sequence && a->flags == b->flags &&
               a->job == b->job && a->pid == b->pid && a->error == b->error &&
               a->stage == b->stage && a->signal == b->signal && a->code == b->code &&
               a->rows == b->rows && a->columns == b->columns && a->usec == b->usec &&
               a->start_usec == b->start_usec && a->end_usec == b->end_usec &&
               a->ring_bytes == b->ring_bytes && a->stdout_position == b->stdout_position &&
               a->stderr_position == b->stderr_position && a->stdout_bytes == b->stdout_bytes &&
               a->stderr_bytes == b->stderr_bytes && a->rings_max == b->rings_max &&
               a->spec_size == b->spec_size &&
               (a->spec_size == 0 || memcmp(a->spec, b->spec, a->spec_size) == 0);
}

static void check_encoding(const WshdMessage *m, size_t room)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        WshdMessage back;
        int n;

        n = wshd_message_encode(m, buffer, room);
        if (n < 0) {
                PROMISE(n == -EMSGSIZE || n == -EINVAL);
                return;
        }
        PROMISE((size_t)n <= room);
        PROMISE(wshd_message_decode(buffer, (size_t)n, &back) == 0);
        PROMISE(is_equal(m, &back));
        for (int i = 0; i < n; i++)
                PROMISE(wshd_message_decode(buffer, (size_t)i, &back) == -EBADMSG);
}

static void check_decoding(const uint8_t *data, size_t size)
{
        WshdMessage m = { 0 };
        int r = wshd_message_decode(data, size, &m);

        PROMISE(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
        if (r < 0)
                return;
        PROMISE(m.spec_size <= size && size <= WSHD_MESSAGE_MAX);
        PROMISE(wshd_stage_to_string(m.stage));
        check_encoding(&m, WSHD_MESSAGE_MAX);
}

/* The numbers of a message are the input's first bytes, the rest is the spec. */
static void check_message(const uint8_t *data, size_t size)
{
        uint32_t numbers[11];
        uint64_t times[9];
        WshdMessage m;

        if (size < sizeof(numbers) + sizeof(times))
                return;
        memcpy(numbers, data, sizeof(numbers));
        memcpy(times, data + sizeof(numbers), sizeof(times));
        data += sizeof(numbers) + sizeof(times);
        size -= sizeof(numbers) + sizeof(times);
        m = (WshdMessage){
                .type = numbers[0] & 0xffff,
                .sequence = numbers[1],
                .flags = numbers[2],
                .job = numbers[3],
                .pid = numbers[4],
                .error = numbers[5],
                .stage = numbers[6],
                .signal = numbers[7],
                .code = numbers[8],
                .rows = numbers[9],
                .columns = numbers[10],
                .usec = times[0],
                .start_usec = times[1],
                .end_usec = times[2],
                .ring_bytes = times[3],
                .stdout_position = times[4],
                .stderr_position = times[5],
                .stdout_bytes = times[6],
                .stderr_bytes = times[7],
                .rings_max = times[8],
                .spec = data,
                .spec_size = size,
        };
        check_encoding(&m, WSHD_MESSAGE_MAX);
        check_encoding(&m, numbers[0] % WSHD_MESSAGE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_decoding(data, size);
        check_message(data, size);
        return 0;
}
