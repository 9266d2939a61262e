/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "daemon/wshd-client.h"

#define OUTBOX_MAX 1024 /* datagrams that wait for room in the socket */
#define FDS_NONE                               \
        {                                      \
                -EBADF, -EBADF, -EBADF, -EBADF \
        }            /* WSHD_FDS_MAX of them */
#define BATCH_MAX 64 /* datagrams handled before others of the loop get a turn */

typedef struct Call Call;
struct Call {
        Call *next;
        uint32_t sequence;
        WshdReplyFunc func;
        void *userdata;
};

typedef struct Outgoing Outgoing;
struct Outgoing {
        Outgoing *next;
        int fds[WSHD_FDS_MAX];
        size_t n_fds;
        size_t size;
        uint8_t data[];
};

struct WshdClient {
        int fd;
        sd_event_source *source;
        WshdHandler handler;
        void *userdata;
        uint32_t sequence;
        Call *calls, **calls_tail;
        Outgoing *outbox, **outbox_tail;
        size_t n_outbox;
        int is_ready;
        int *is_freed; /* set for whoever is on the stack while a handler frees us */
};

static Outgoing *outgoing_free(Outgoing *o)
{
        for (size_t i = 0; i < o->n_fds; i++)
                fd_close(o->fds[i]);
        free(o);
        return NULL;
}

WshdClient *wshd_client_free(WshdClient *client)
{
        if (!client)
                return NULL;
        if (client->is_freed)
                *client->is_freed = 1;
        sd_event_source_disable_unref(client->source);
        fd_close(client->fd);
        client->fd = -EBADF;
        while (client->calls) {
                int no_fds[WSHD_FDS_MAX] = FDS_NONE;
                Call *call = client->calls;

                client->calls = call->next;
                if (call->func)
                        call->func(call->userdata, NULL, no_fds, -ECANCELED);
                free(call);
        }
        while (client->outbox) {
                Outgoing *o = client->outbox;

                client->outbox = o->next;
                outgoing_free(o);
        }
        free(client);
        return NULL;
}

/* Connection over: pending calls are answered, then the owner is told. Both may free the client. */
static void client_lose(WshdClient *client, int error)
{
        int no_fds[WSHD_FDS_MAX] = FDS_NONE;
        int is_freed = 0, *outer = client->is_freed;

        client->source = sd_event_source_disable_unref(client->source);
        client->fd = fd_close(client->fd);
        client->is_freed = &is_freed;
        while (!is_freed && client->calls) {
                Call call = *client->calls;

                free(client->calls);
                client->calls = call.next;
                if (!client->calls)
                        client->calls_tail = &client->calls;
                if (call.func)
                        call.func(call.userdata, NULL, no_fds, error);
        }
        if (!is_freed)
                client->handler.lost(client->userdata, error);
        if (!is_freed)
                client->is_freed = outer;
        else if (outer)
                *outer = 1;
}

static void client_update_events(WshdClient *client)
{
        uint32_t events = EPOLLIN | (client->outbox ? (uint32_t)EPOLLOUT : 0);

        (void)sd_event_source_set_io_events(client->source, events);
}

/* Sends what waits, as far as the socket takes it. */
static int client_flush(WshdClient *client)
{
        while (client->outbox) {
                Outgoing *o = client->outbox;
                int r;

                r = wshd_send(client->fd, o->data, o->size, o->fds, o->n_fds);
                if (r == -EAGAIN)
                        break;
                if (r < 0)
                        return r;
                client->outbox = o->next;
                client->n_outbox--;
                outgoing_free(o);
        }
        if (!client->outbox)
                client->outbox_tail = &client->outbox;
        client_update_events(client);
        return 0;
}

static int client_queue(WshdClient *client, const uint8_t *data, size_t size, const int *fds,
                        size_t n_fds)
{
        Outgoing *o;

        if (client->n_outbox >= OUTBOX_MAX)
                return -ENOBUFS;
        o = calloc(1, sizeof(*o) + size);
        if (!o)
                return -ENOMEM;
        memcpy(o->data, data, size);
        o->size = size;
        for (; o->n_fds < n_fds; o->n_fds++) {
                int r = fd_dup(fds[o->n_fds]);

                if (r < 0) {
                        outgoing_free(o);
                        return r;
                }
                o->fds[o->n_fds] = r;
        }
        *client->outbox_tail = o;
        client->outbox_tail = &o->next;
        client->n_outbox++;
        client_update_events(client);
        return 0;
}

int wshd_client_call(WshdClient *client, WshdMessage *m, const int *fds, size_t n_fds,
                     WshdReplyFunc func, void *userdata)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        Call *call;
        int size, r;

        if (client->fd < 0)
                return -ENOTCONN;
        if (n_fds > WSHD_FDS_MAX)
                return -E2BIG;
        if (++client->sequence == 0) /* 0 marks what was not asked for */
                client->sequence = 1;
        m->sequence = client->sequence;
        size = wshd_message_encode(m, buffer, sizeof(buffer));
        if (size < 0)
                return size;
        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;

        r = client->outbox ? -EAGAIN : wshd_send(client->fd, buffer, (size_t)size, fds, n_fds);
        if (r == -EAGAIN)
                r = client_queue(client, buffer, (size_t)size, fds, n_fds);
        if (r < 0) {
                free(call);
                return r;
        }
        *call = (Call){ .sequence = m->sequence, .func = func, .userdata = userdata };
        *client->calls_tail = call;
        client->calls_tail = &call->next;
        return 0;
}

static void client_take_reply(WshdClient *client, const WshdMessage *m, int *fds)
{
        for (Call **p = &client->calls; *p; p = &(*p)->next) {
                Call *call = *p;

                if (call->sequence != m->sequence)
                        continue;
                *p = call->next;
                if (!call->next)
                        client->calls_tail = p;
                if (call->func)
                        call->func(call->userdata, m, fds, 0);
                free(call);
                return;
        }
}

/* Handles one message. What is left in @fds afterwards is nobody's. */
static void client_take_message(WshdClient *client, const WshdMessage *m, int *fds)
{
        if (m->type == WSHD_EXITED) {
                client->handler.exited(client->userdata, m);
                return;
        }
        if (m->type == WSHD_OUTPUT) {
                client->handler.output(client->userdata, m);
                return;
        }
        if (client->is_ready || m->sequence != 1) {
                client_take_reply(client, m, fds);
                return;
        }
        /* The answer to hello is the only one of several datagrams. */
        if (m->type == WSHD_JOB)
                client->handler.job(client->userdata, m, take_fd(&fds[0]));
        if (m->type == WSHD_JOBS_END) {
                client->is_ready = 1;
                client->handler.ready(client->userdata);
        }
}

/* Returns 1 when something was handled, 0 when nothing is there, negative at the end. */
static int client_read_one(WshdClient *client)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int fds[WSHD_FDS_MAX] = FDS_NONE;
        size_t n_fds = ELEMENTSOF(fds);
        WshdMessage m;
        int r;

        r = wshd_receive(client->fd, buffer, sizeof(buffer), fds, &n_fds);
        if (r == -EAGAIN)
                return 0;
        if (r <= 0)
                return r < 0 ? r : -ECONNRESET;
        r = wshd_message_decode(buffer, (size_t)r, &m);
        if (r >= 0)
                client_take_message(client, &m, fds);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fd_close(fds[i]);
        return r < 0 ? r : 1;
}

static int client_read(WshdClient *client, unsigned n_max)
{
        int is_freed = 0, *outer = client->is_freed, r = 1;

        client->is_freed = &is_freed;
        for (unsigned i = 0; i < n_max && r > 0; i++) {
                r = client_read_one(client);
                if (is_freed) {
                        if (outer)
                                *outer = 1;
                        return 0;
                }
        }
        client->is_freed = outer;
        if (r < 0)
                client_lose(client, r);
        return r;
}

static int on_client_io(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        WshdClient *client = userdata;
        int r;

        if (revents & EPOLLOUT) {
                r = client_flush(client);
                if (r < 0) {
                        client_lose(client, r);
                        return 0;
                }
        }
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                (void)client_read(client, BATCH_MAX);
        return 0;
}

void wshd_client_drain(WshdClient *client)
{
        if (client->fd >= 0)
                (void)client_read(client, UINT32_MAX);
}

/* The directory is on the host and root's; its path may be too long for sun_path, its descriptor is
 * not. */
static int client_connect(WshdClient *client, int dir_fd, uint32_t leader_pid)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct ucred peer;
        socklen_t size = sizeof(peer);

        client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (client->fd < 0)
                return -errno;
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/wshd.sock",
                       dir_fd);
        if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        /* Nobody else can bind there; this guards against a stale socket after a reboot of the
         * container. */
        return (uint32_t)peer.pid == leader_pid ? 0 : -EPERM;
}

int wshd_client_new(sd_event *event, int dir_fd, uint32_t leader_pid, const WshdHandler *handler,
                    void *userdata, WshdClient **ret)
{
        _drop_(drop_wshd_client) WshdClient *client = calloc(1, sizeof(*client));
        WshdMessage hello = { .type = WSHD_HELLO, .flags = WSHD_SUBSCRIBE, .sequence = 1 };
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int r;

        if (!client)
                return -ENOMEM;
        client->fd = -EBADF;
        client->sequence = hello.sequence;
        client->calls_tail = &client->calls;
        client->outbox_tail = &client->outbox;
        client->handler = *handler;
        client->userdata = userdata;
        r = client_connect(client, dir_fd, leader_pid);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &client->source, client->fd, EPOLLIN, on_client_io, client);
        if (r < 0)
                return r;
        r = wshd_message_encode(&hello, buffer, sizeof(buffer));
        if (r >= 0)
                r = wshd_send(client->fd, buffer, (size_t)r, NULL, 0);
        if (r < 0)
                return r;
        *ret = take_ptr(client);
        return 0;
}
