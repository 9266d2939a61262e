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
        for (char **p = request.interfaces; p && *p; p++)
                PROMISE(network_interface_name_is_valid(*p));
        PROMISE(strv_length(request.interfaces) == strv_length(back.interfaces));
        wire_writer_done(&w);
        remove_request_done(&request);
        remove_request_done(&back);
}

static void check_quota(const uint8_t *data, size_t size)
{
        QuotaRequest request = { NULL }, back = { NULL };
        WireWriter w = WIRE_WRITER_INIT;
        int r = quota_request_decode(data, size, &request);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        PROMISE(request.project_id > 0 && request.disk.bytes > 0 && request.disk.inodes > 0);
        PROMISE(id_is_valid(strrchr(request.directory, '/') + 1));
        PROMISE(quota_request_encode(&request, &w) == 0);
        PROMISE(quota_request_decode(w.data, w.size, &back) == 0);
        PROMISE(strcmp(request.directory, back.directory) == 0);
        PROMISE(request.disk.bytes == back.disk.bytes && request.disk.inodes == back.disk.inodes);
        wire_writer_done(&w);
        quota_request_done(&request);
        quota_request_done(&back);
}

static void check_freeze(const uint8_t *data, size_t size)
{
        FreezeRequest request = { NULL }, back = { NULL };
        WireWriter w = WIRE_WRITER_INIT;
        int r = freeze_request_decode(data, size, &request);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        PROMISE(request.control_group[0] == '/' && !strstr(request.control_group, "/../"));
        PROMISE(freeze_request_encode(&request, &w) == 0);
        PROMISE(freeze_request_decode(w.data, w.size, &back) == 0);
        PROMISE(strcmp(request.control_group, back.control_group) == 0);
        wire_writer_done(&w);
        freeze_request_done(&request);
        freeze_request_done(&back);
}

static void check_bandwidth(const uint8_t *data, size_t size)
{
        WireWriter w = WIRE_WRITER_INIT;
        BandwidthRequest request, back;
        int r = bandwidth_request_decode(data, size, &request);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        PROMISE(strncmp(request.interface, "w-", 2) == 0 && id_is_valid(request.interface + 2));
        PROMISE(request.limits.set && bandwidth_limits_validate(&request.limits, NULL) == 0);
        PROMISE(bandwidth_request_encode(&request, &w) == 0);
        PROMISE(bandwidth_request_decode(w.data, w.size, &back) == 0);
        PROMISE(strcmp(request.interface, back.interface) == 0);
        PROMISE(bandwidth_limits_are_equal(&request.limits, &back.limits));
        wire_writer_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_message(data, size);
        check_request(data, size);
        check_quota(data, size);
        check_freeze(data, size);
        check_bandwidth(data, size);
        return 0;
}
