/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "model/bandwidth.h"
#include "model/network.h"
#include "model/storage.h"
#include "wire/codec.h"

/* Between the daemon and its worker processes.
 *
 * The daemon starts one resident program (/usr/lib/warden/warden-worker) with a SOCK_SEQPACKET
 * socket as fd 3. For every operation it sends one request there, with one end of a new socketpair
 * as the only fd. The program forks a worker that does the operation in straight-line, blocking
 * code and talks on that socketpair (both by worker-socket.h, which has a way for long messages):
 *
 *   create
 *     daemon: WORKER_CREATE(plan) ──► worker: CLONED(pid)+pidfd   the child exists, set-up goes on
 *     daemon: GATE                ──► worker                      the child is in its scope
 *                                     worker: DONE | FAILED       wshd runs, or all is undone
 *   remove
 *     daemon: WORKER_REMOVE(directories) ──► worker: DONE         renamed away, then deleted:
 *                                            end of file          who waits for that may read on
 *
 *   quota
 *     daemon: WORKER_QUOTA(project, limits) ──► worker: DONE | FAILED
 *
 *   return
 *     daemon: WORKER_RETURN(directories) ──► worker: DONE | FAILED  its interfaces are the host's
 *
 *   bandwidth
 *     daemon: WORKER_BANDWIDTH(interface, limits) ──► worker: DONE | FAILED
 *
 *   freeze (cgroup v1)
 *     daemon: WORKER_FREEZE(control group) ──► worker: DONE       all of its processes stand still
 *
 *   settle
 *     daemon: WORKER_SETTLE ──► worker: DONE | FAILED             no container needs the switches
 *                                                                 of the host, unless one claims
 *
 * End of file without DONE or FAILED, either way, is a failure: the worker undoes everything when
 * the daemon's end closes before DONE, so that a dying daemon leaves no half-made container. */

#define WORKER_MESSAGE_MAX (4U << 20)
#define WORKER_FD 3

typedef enum WorkerType {
        WORKER_CREATE = 1, /* blob: a Plan */
        WORKER_REMOVE,     /* blob: a RemoveRequest */
        WORKER_CLONED,     /* pid in the daemon's namespace; fd: pidfd */
        WORKER_GATE,
        WORKER_DONE,      /* blob of a FIREWALL_COUNT: FirewallCounters */
        WORKER_FAILED,    /* kind, error, text */
        WORKER_FIREWALL,  /* blob: a FirewallRequest; to warden-firewall */
        WORKER_QUOTA,     /* blob: a QuotaRequest */
        WORKER_FREEZE,    /* blob: a FreezeRequest */
        WORKER_BANDWIDTH, /* blob: a BandwidthRequest */
        WORKER_SETTLE,
        WORKER_RETURN, /* blob: a RemoveRequest, of which nothing is removed */
        _WORKER_TYPE_MAX,
} WorkerType;

typedef struct WorkerMessage {
        uint32_t type;
        uint32_t pid;
        Fault fault;
        const uint8_t *blob; /* into the buffer */
        size_t blob_size;
} WorkerMessage;

/* Returns 0 or -ENOMEM. */
int worker_message_encode(const WorkerMessage *m, WireWriter *w);
/* Returns 0 or -EBADMSG. WORKER_FAILED has a fault, and it alone; WORKER_CLONED has a pid. */
int worker_message_decode(const void *data, size_t size, WorkerMessage *ret);

/* Directories to delete: renamed into a trash beside them first (so that a name is free at once),
 * then removed. */
typedef struct RemoveRequest {
        char **directories; /* absolute; the last component is an id */
        int has_network;    /* the last of them is of a container with a slot of a pool */
        int has_bandwidth;  /* and its bandwidth was limited */
        char **interfaces;  /* and these of the host's are given back; may be NULL */
} RemoveRequest;

/* Decoding allocates, and refuses an empty request and a directory whose last component is no id:
 * 0; -EBADMSG; -ENOMEM. remove_request_done() frees what it made. */
int remove_request_encode(const RemoveRequest *request, WireWriter *w);
int remove_request_decode(const void *data, size_t size, RemoveRequest *ret);
void remove_request_done(RemoveRequest *request);

/* New limits for the project of a layer. */
typedef struct QuotaRequest {
        char *directory; /* absolute; the last component is an id */
        uint32_t project_id;
        DiskLimits disk;
} QuotaRequest;

/* As above. A request is whole: with a project that is not 0, and both limits. */
int quota_request_encode(const QuotaRequest *request, WireWriter *w);
int quota_request_decode(const void *data, size_t size, QuotaRequest *ret);
void quota_request_done(QuotaRequest *request);

/* New limits of the bandwidth of a running container. */
typedef struct BandwidthRequest {
        char interface[NETWORK_INTERFACE_MAX]; /* "w-" and its id */
        BandwidthLimits limits;                /* at least one direction */
} BandwidthRequest;

/* Returns 0; -EBADMSG. Nothing to free. */
int bandwidth_request_encode(const BandwidthRequest *request, WireWriter *w);
int bandwidth_request_decode(const void *data, size_t size, BandwidthRequest *ret);

/* A control group whose processes shall stand still. Decoding allocates, and refuses a path that is
 * not absolute and normal: 0; -EBADMSG; -ENOMEM. freeze_request_done() frees what it made. */
typedef struct FreezeRequest {
        char *control_group;
} FreezeRequest;

int freeze_request_encode(const FreezeRequest *request, WireWriter *w);
int freeze_request_decode(const void *data, size_t size, FreezeRequest *ret);
void freeze_request_done(FreezeRequest *request);
