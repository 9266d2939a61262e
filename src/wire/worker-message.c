/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/strv.h"
#include "model/container-spec.h"
#include "model/name.h"
#include "model/path.h"
#include "wire/network-wire.h"
#include "wire/worker-message.h"

enum {
        TAG_TYPE = 1,
        TAG_PID,
        TAG_KIND,  /* of the fault, by name */
        TAG_ERROR, /* its errno, positive */
        TAG_TEXT,
        TAG_BLOB,
        _TAG_MAX,
};

enum {
        TAG_DIRECTORY = 1, /* string, repeated */
        TAG_HAS_NETWORK,
        TAG_HAS_BANDWIDTH,
        TAG_INTERFACE, /* string, repeated */
};

enum {
        TAG_QUOTA_DIRECTORY = 1,
        TAG_QUOTA_PROJECT_ID,
        TAG_QUOTA_BYTES,
        TAG_QUOTA_INODES,
        _TAG_QUOTA_MAX,
};

enum {
        TAG_CONTROL_GROUP = 1, /* string */
};

enum {
        TAG_BANDWIDTH_INTERFACE = 1, /* string */
        TAG_BANDWIDTH_LIMITS,        /* repeated */
};

#define ERRNO_MAX 4095 /* what the kernel can return */
#define DIRECTORIES_MAX 16

int worker_message_encode(const WorkerMessage *m, WireWriter *w)
{
        wire_put_u64(w, TAG_TYPE, m->type);
        if (m->pid > 0)
                wire_put_u64(w, TAG_PID, m->pid);
        if (m->fault.kind != FAULT_NONE) {
                wire_put_string(w, TAG_KIND, fault_kind_to_string(m->fault.kind));
                wire_put_u64(w, TAG_ERROR, (uint64_t) - (int64_t)m->fault.error);
                wire_put_string(w, TAG_TEXT, m->fault.text);
        }
        if (m->blob_size > 0)
                wire_put_bytes(w, TAG_BLOB, m->blob, m->blob_size);
        return w->error;
}

typedef struct FaultFields {
        FaultKind kind;
        uint64_t error;
        const char *text;
} FaultFields;

static int worker_message_decode_field(WorkerMessage *m, FaultFields *fault, const WireField *f)
{
        const char *s;
        int r;

        switch (f->tag) {
        case TAG_TYPE:
                return wire_get_u32(f, &m->type);
        case TAG_PID:
                return wire_get_u32(f, &m->pid);
        case TAG_KIND:
                r = wire_get_string(f, &s);
                if (r < 0)
                        return r;
                fault->kind = fault_kind_from_string(s);
                return (int)fault->kind <= FAULT_NONE ? -EBADMSG : 0;
        case TAG_ERROR:
                return wire_get_u64(f, &fault->error);
        case TAG_TEXT:
                return wire_get_string(f, &fault->text);
        case TAG_BLOB:
                m->blob = f->data;
                m->blob_size = f->size;
                return 0;
        }
        return 0;
}

static int worker_message_check(WorkerMessage *m, const FaultFields *fault)
{
        if (m->type == 0 || m->type >= _WORKER_TYPE_MAX || m->pid > INT32_MAX)
                return -EBADMSG;
        if ((m->type == WORKER_FAILED) != (fault->kind != FAULT_NONE))
                return -EBADMSG;
        if (m->type == WORKER_CLONED && m->pid == 0)
                return -EBADMSG;
        if (fault->kind == FAULT_NONE)
                return fault->error == 0 && !fault->text ? 0 : -EBADMSG;
        if (fault->error == 0 || fault->error > ERRNO_MAX || !fault->text)
                return -EBADMSG;
        (void)fault_set(&m->fault, fault->kind, -(int)fault->error, "%s", fault->text);
        return 0;
}

int worker_message_decode(const void *data, size_t size, WorkerMessage *ret)
{
        WireReader reader = WIRE_READER(data, size);
        WorkerMessage m = { .fault = FAULT_INIT };
        FaultFields fault = { .kind = FAULT_NONE };
        uint64_t seen = 0;
        WireField f;
        int r;

        if (size > WORKER_MESSAGE_MAX)
                return -EBADMSG;
        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == 0 || f.tag >= _TAG_MAX)
                        continue;
                r = wire_once(&seen, f.tag);
                if (r < 0)
                        return r;
                r = worker_message_decode_field(&m, &fault, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = worker_message_check(&m, &fault);
        if (r < 0)
                return r;

        *ret = m;
        return 0;
}

/* The one thing between a confused caller and the deletion of something else: the last component
 * is an id, and there is something before it. */
static int directory_is_ours(const char *path)
{
        const char *slash;

        if (!path_is_normal(path))
                return 0;
        slash = strrchr(path, '/');
        return slash != path && id_is_valid(slash + 1);
}

int remove_request_encode(const RemoveRequest *request, WireWriter *w)
{
        wire_put_strv(w, TAG_DIRECTORY, request->directories);
        if (request->has_network)
                wire_put_u64(w, TAG_HAS_NETWORK, 1);
        if (request->has_bandwidth)
                wire_put_u64(w, TAG_HAS_BANDWIDTH, 1);
        wire_put_strv(w, TAG_INTERFACE, request->interfaces);
        return w->error;
}

static int append_name(char ***list, const WireField *f, size_t n_max,
                       int (*is_valid)(const char *text))
{
        const char *s;
        int r = wire_get_string(f, &s);

        if (r < 0)
                return r;
        if (!is_valid(s) || strv_length(*list) >= n_max)
                return -EBADMSG;
        return strv_append(list, s);
}

static int remove_request_decode_field(RemoveRequest *request, const WireField *f)
{
        switch (f->tag) {
        case TAG_DIRECTORY:
                return append_name(&request->directories, f, DIRECTORIES_MAX, directory_is_ours);
        case TAG_HAS_NETWORK:
                return wire_get_flag(f, &request->has_network);
        case TAG_HAS_BANDWIDTH:
                return wire_get_flag(f, &request->has_bandwidth);
        case TAG_INTERFACE:
                return append_name(&request->interfaces, f, INTERFACES_MAX,
                                   network_interface_name_is_valid);
        }
        return 0;
}

int remove_request_decode(const void *data, size_t size, RemoveRequest *ret)
{
        _drop_(remove_request_done) RemoveRequest request = { .directories = NULL };
        WireReader reader = WIRE_READER(data, size);
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                r = remove_request_decode_field(&request, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (!request.directories)
                return -EBADMSG;

        *ret = request;
        request = (RemoveRequest){ .directories = NULL };
        return 0;
}

void remove_request_done(RemoveRequest *request)
{
        request->directories = strv_free(request->directories);
        request->interfaces = strv_free(request->interfaces);
}

int quota_request_encode(const QuotaRequest *request, WireWriter *w)
{
        wire_put_string(w, TAG_QUOTA_DIRECTORY, request->directory);
        wire_put_u64(w, TAG_QUOTA_PROJECT_ID, request->project_id);
        wire_put_u64(w, TAG_QUOTA_BYTES, request->disk.bytes);
        wire_put_u64(w, TAG_QUOTA_INODES, request->disk.inodes);
        return w->error;
}

static int quota_request_decode_field(QuotaRequest *request, const WireField *f)
{
        switch (f->tag) {
        case TAG_QUOTA_DIRECTORY:
                return wire_dup_string(f, &request->directory);
        case TAG_QUOTA_PROJECT_ID:
                return wire_get_u32(f, &request->project_id);
        case TAG_QUOTA_BYTES:
                return wire_get_u64(f, &request->disk.bytes);
        case TAG_QUOTA_INODES:
                return wire_get_u64(f, &request->disk.inodes);
        }
        return 0;
}

static int quota_request_check(const QuotaRequest *request, uint64_t seen)
{
        if (seen != (UINT64_C(1) << _TAG_QUOTA_MAX) - 2 || request->project_id == 0 ||
            !directory_is_ours(request->directory))
                return -EBADMSG;
        return disk_limits_are_valid(&request->disk) ? 0 : -EBADMSG;
}

int quota_request_decode(const void *data, size_t size, QuotaRequest *ret)
{
        _drop_(quota_request_done) QuotaRequest request = { NULL };
        WireReader reader = WIRE_READER(data, size);
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == 0 || f.tag >= _TAG_QUOTA_MAX)
                        continue;
                r = wire_once(&seen, f.tag);
                if (r >= 0)
                        r = quota_request_decode_field(&request, &f);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = quota_request_check(&request, seen);
        if (r < 0)
                return r;

        *ret = request;
        request.directory = NULL;
        return 0;
}

void quota_request_done(QuotaRequest *request)
{
        free(request->directory);
        request->directory = NULL;
}

int freeze_request_encode(const FreezeRequest *request, WireWriter *w)
{
        wire_put_string(w, TAG_CONTROL_GROUP, request->control_group);
        return w->error;
}

int freeze_request_decode(const void *data, size_t size, FreezeRequest *ret)
{
        WireReader reader = WIRE_READER(data, size);
        const char *group = NULL;
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag != TAG_CONTROL_GROUP)
                        continue;
                r = wire_once(&seen, f.tag);
                if (r >= 0)
                        r = wire_get_string(&f, &group);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        /* The root of the hierarchy would be the whole machine. */
        if (!group || !path_is_normal(group) || strcmp(group, "/") == 0)
                return -EBADMSG;
        ret->control_group = strdup(group);
        return ret->control_group ? 0 : -ENOMEM;
}

void freeze_request_done(FreezeRequest *request)
{
        free(request->control_group);
        request->control_group = NULL;
}

int bandwidth_request_encode(const BandwidthRequest *request, WireWriter *w)
{
        wire_put_string(w, TAG_BANDWIDTH_INTERFACE, request->interface);
        bandwidth_limits_encode(w, TAG_BANDWIDTH_LIMITS, &request->limits);
        return w->error;
}

int bandwidth_request_decode(const void *data, size_t size, BandwidthRequest *ret)
{
        BandwidthRequest request = { .interface = "" };
        WireReader reader = WIRE_READER(data, size);
        const char *name = NULL;
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == TAG_BANDWIDTH_INTERFACE) {
                        r = wire_once(&seen, f.tag);
                        if (r >= 0)
                                r = wire_get_string(&f, &name);
                } else if (f.tag == TAG_BANDWIDTH_LIMITS) {
                        r = bandwidth_limits_decode(&f, &request.limits);
                }
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        /* Of the host's interfaces only ours are limited. */
        if (!name || strncmp(name, "w-", 2) != 0 || !id_is_valid(name + 2) || !request.limits.set)
                return -EBADMSG;
        (void)snprintf(request.interface, sizeof(request.interface), "%s", name);
        *ret = request;
        return 0;
}
