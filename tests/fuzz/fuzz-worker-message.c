/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages and the requests in their blobs: what decodes is encoded and decoded to the same. */

#include <errno.h>

#include "basic/strv.h"
#include "fuzz.h"
#include "model/name.h"
#include "wire/worker-message.h"

static void check_message(const uint8_t *data, size_t size)
{
        WireWriter w = WIRE_WRITER_INIT;
        WorkerMessage m, back;
        int r = worker_message_decode(data, size, &m);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        PROMISE((m.type == WORKER_FAILED) == (m.fault.kind != FAULT_NONE));
        PROMISE((m.fault.kind == FAULT_NONE) == (m.fault.error == 0));
        PROMISE(worker_message_encode(&m, &w) == 0);
        PROMISE(worker_message_decode(w.data, w.size, &back) == 0);
        PROMISE(m.type == back.type && m.pid == back.pid && m.blob_size == back.blob_size);
        PROMISE(m.blob_size == 0 || memcmp(m.blob, back.blob, m.blob_size) == 0);
        PROMISE(m.fault.kind == back.fault.kind && m.fault.error == back.fault.error);
        PROMISE(strcmp(m.fault.text, back.fault.text) == 0);
        wire_writer_done(&w);
}

static void check_request(const uint8_t *data, size_t size)
{
        RemoveRequest request = { NULL }, back = { NULL };
        WireWriter w = WIRE_WRITER_INIT;
        int r = remove_request_decode(data, size, &request);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        PROMISE(request.directories && request.directories[0]);
        for (char **p = request.directories; *p; p++)
                PROMISE((*p)[0] == '/' && id_is_valid(strrchr(*p, '/') + 1));
        PROMISE(remove_request_encode(&request, &w) == 0);
        PROMISE(remove_request_decode(w.data, w.size, &back) == 0);
        PROMISE(strv_equal(request.directories, back.directories));
        wire_writer_done(&w);
        remove_request_done(&request);
        remove_request_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_message(data, size);
        check_request(data, size);
        return 0;
}
