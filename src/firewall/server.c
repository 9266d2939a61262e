/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "firewall/change.h"
#include "firewall/conntrack.h"
#include "firewall/counter.h"
#include "firewall/kernel-part.h"
#include "firewall/port-probe.h"
#include "firewall/server.h"
#include "firewall/text.h"
#include "firewall/transaction.h"
#include "wire/worker-socket.h"

#define BATCH_MAX 64

typedef struct Call {
        FirewallRequest request;
        int fd; /* for the answer; -EBADF: it was given */
} Call;

typedef struct Server {
        Transaction *transaction;
        Netfilter *netfilter;
        int socket_fd;
        Call calls[BATCH_MAX];
        size_t n_calls;
} Server;

/* -- answers -- */

/* With what was asked for. */
static void call_answer_with(Call *call, const WireWriter *blob)
{
        const WorkerMessage m = { .type = WORKER_DONE,
                                  .fault = FAULT_INIT,
                                  .blob = blob->data,
                                  .blob_size = blob->size };

        (void)worker_send(call->fd, &m, NULL, 0, MSG_DONTWAIT);
        call->fd = fd_close(call->fd);
}

static void call_answer(Call *call, int error, const Fault *fault)
{
        WorkerMessage m = { .type = WORKER_DONE, .fault = FAULT_INIT };

        if (call->fd < 0)
                return;
        if (error < 0) {
                m.type = WORKER_FAILED;
                m.fault = *fault;
                (void)fault_set(&m.fault, FAULT_FAILED, error, "firewall: %m");
        }
        (void)worker_send(call->fd, &m, NULL, 0, MSG_DONTWAIT);
        call->fd = fd_close(call->fd);
}

static void server_clear(Server *server)
{
        for (size_t i = 0; i < server->n_calls; i++) {
                firewall_request_done(&server->calls[i].request);
                fd_close(server->calls[i].fd);
        }
        server->n_calls = 0;
}

/* -- route_localnet -- */

/* The kernel routes 127.0.0.1 to no interface but lo, and takes nothing for it from another one,
 * unless that has this switch. The chain `guard` keeps the container itself from using it. */
static void open_loopback(const FirewallContainer *c)
{
        char path[96];

        for (size_t i = 0; i < c->n_forwards; i++) {
                const IpRange *host = &c->forwards[i].host_address;

                if (host->family == AF_INET6 ||
                    (!host_address_is_any(host) && host->first[0] != 127))
                        continue;
                /* It may not be there yet, or not any more. */
                (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet",
                               c->addresses.interface);
                (void)io_write_string(AT_FDCWD, path, "1\n");
                return;
        }
}

/* After the rules: in between, nothing could begin anew. */
static int cut(Server *server, const FirewallRequest *request, Fault *fault)
{
        size_t n;

        return conntrack_cut(server->netfilter, request->containers, request->n_containers, &n,
                             fault);
}

/* Returns 0 when it is answered; negative errno. */
static int answer_counters(Server *server, Call *call)
{
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        FirewallCounters counters;
        int r;

        r = counters_read(server->netfilter, &call->request.containers[0], &counters);
        if (r >= 0)
                r = firewall_counters_encode(&counters, &w);
        if (r >= 0)
                call_answer_with(call, &w);
        return r;
}

static void call_finish(Server *server, Call *call)
{
        const FirewallRequest *request = &call->request;
        Fault fault = FAULT_INIT;
        int r = 0;

        switch (request->action) {
        case FIREWALL_CUT:
                r = cut(server, request, &fault);
                break;
        case FIREWALL_COUNT:
                r = answer_counters(server, call);
                break;
        case FIREWALL_REBUILD:
        case FIREWALL_ADD:
        case FIREWALL_FORWARD:
        case FIREWALL_RULES:
                for (size_t i = 0; i < request->n_containers; i++)
                        open_loopback(&request->containers[i]);
                break;
        case FIREWALL_REMOVE:
        case FIREWALL_UNFORWARD:
        case FIREWALL_SEGMENT:
        case _FIREWALL_ACTION_MAX:
                break;
        }
        call_answer(call, r, &fault);
}

/* -- transactions -- */

/* Of those that are gone with that transaction, so that who gets their addresses next, perhaps in
 * the same one, begins without them. A kernel that cannot lets them end by themselves. */
static void forget_removed(Server *server, size_t first, size_t n)
{
        _drop_(drop_free) const FirewallContainer **gone = NULL;
        size_t n_containers = 0, n_gone = 0;

        for (size_t i = first; i < first + n; i++)
                if (server->calls[i].request.action == FIREWALL_REMOVE)
                        n_containers += server->calls[i].request.n_containers;
        gone = calloc(n_containers + 1, sizeof(*gone));
        for (size_t i = first; gone && i < first + n; i++) {
                const FirewallRequest *request = &server->calls[i].request;

                for (size_t k = 0; request->action == FIREWALL_REMOVE && k < request->n_containers;
                     k++)
                        gone[n_gone++] = &request->containers[k];
        }
        if (gone)
                (void)conntrack_forget(server->netfilter, gone, n_gone);
}

/* Changes of containers, as one transaction. */
static int run_changes(Server *server, size_t first, size_t n, Fault *fault)
{
        _drop_(batch_done) Batch batch = BATCH_INIT;
        int r;

        for (size_t i = first; i < first + n; i++)
                if (server->calls[i].fd >= 0)
                        firewall_change_write(&batch, &server->calls[i].request);
        r = batch_run(&batch, server->netfilter, fault);
        if (r >= 0)
                forget_removed(server, first, n);
        return r;
}

static int run_rebuild(Server *server, const FirewallRequest *request, Fault *fault)
{
        _drop_(drop_counter_list) CounterList *counters = NULL;
        _drop_(drop_free) char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        /* Better to count from nothing than to be without a filter. */
        (void)counter_list_read(server->netfilter, &counters);
        firewall_text_write(f, request, counters);
        if (fclose(f) != 0)
                return -ENOMEM;
        return transaction_run(server->transaction, text, fault);
}

/* What of the kernel a request may have failed for. Without the tables, as far as it depends on
 * them, every change fails, and the daemon asks for a rebuild. */
static unsigned find_uses(const FirewallRequest *request)
{
        unsigned uses = request->action == FIREWALL_REBUILD ? KERNEL_USE_TABLES : 0;

        for (size_t i = 0; i < request->n_containers; i++) {
                const FirewallContainer *c = &request->containers[i];

                for (size_t k = 0; k < c->n_rules; k++)
                        uses |= KERNEL_USE_RULES | (c->rules[k].is_logged ? KERNEL_USE_LOG : 0U);
        }
        return uses;
}

static void run_alone(Server *server, size_t i)
{
        Call *call = &server->calls[i];
        Fault fault = FAULT_INIT, missing = FAULT_INIT;
        int r;

        if (call->fd < 0)
                return;
        r = call->request.action == FIREWALL_REBUILD ? run_rebuild(server, &call->request, &fault)
                                                     : run_changes(server, i, 1, &fault);
        if (r >= 0) {
                call_finish(server, call);
                return;
        }
        if (transaction_find_missing(server->transaction, find_uses(&call->request), &missing) < 0)
                call_answer(call, missing.error, &missing);
        else
                call_answer(call, r, &fault);
}

/* The kernel would not mind; whose the port is would. */
static void probe_ports(Call *call)
{
        const FirewallRequest *request = &call->request;

        if (request->action != FIREWALL_FORWARD)
                return;
        for (size_t i = 0; i < request->containers[0].n_forwards; i++) {
                Fault fault = FAULT_INIT;
                int r = port_probe(&request->containers[0].forwards[i], &fault);

                if (r < 0) {
                        call_answer(call, r, &fault);
                        return;
                }
        }
}

/* A rebuild is of all that there was before it, so what is around it keeps its place. */
static int is_joint(const Server *server)
{
        for (size_t i = 0; i < server->n_calls; i++)
                if (server->calls[i].request.action == FIREWALL_REBUILD)
                        return 0;
        return server->n_calls > 1;
}

/* Also after a failure, as a module may have been loaded since. */
static int server_open(Server *server, Fault *fault)
{
        int r = 0;

        if (!server->netfilter)
                r = netfilter_open(&server->netfilter, fault);
        if (r >= 0 && !server->transaction)
                r = transaction_new(&server->transaction);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot set libnftables up: %m") : 0;
}

static void server_work(Server *server)
{
        Fault fault = FAULT_INIT;

        if (server_open(server, &fault) < 0) {
                for (size_t i = 0; i < server->n_calls; i++)
                        call_answer(&server->calls[i], fault.error, &fault);
                server_clear(server);
                return;
        }
        for (size_t i = 0; i < server->n_calls; i++)
                probe_ports(&server->calls[i]);
        if (is_joint(server) && run_changes(server, 0, server->n_calls, NULL) >= 0) {
                for (size_t i = 0; i < server->n_calls; i++)
                        if (server->calls[i].fd >= 0)
                                call_finish(server, &server->calls[i]);
        } else {
                for (size_t i = 0; i < server->n_calls; i++)
                        run_alone(server, i);
        }
        server_clear(server);
}

/* Returns as worker_receive() does. What makes no sense is answered at once. */
static int server_receive(Server *server, int flags)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;
        Call *call = &server->calls[server->n_calls];
        Fault fault = FAULT_INIT;
        int r;

        r = worker_receive(server->socket_fd, &packet, flags);
        if (r <= 0)
                return r;
        if (packet.n_fds != 1)
                return 1;
        *call = (Call){ .fd = take_fd(&packet.fds[0]) };
        r = packet.message.type == WORKER_FIREWALL
                    ? firewall_request_decode(packet.message.blob, packet.message.blob_size,
                                              &call->request)
                    : -EBADMSG;
        if (r < 0) {
                r = fault_set(&fault, FAULT_FAILED, r, "firewall: cannot read the request: %m");
                call_answer(call, r, &fault);
                return 1;
        }
        server->n_calls++;
        return 1;
}

int server_run(int socket_fd, Fault *fault)
{
        Server server = { .socket_fd = socket_fd };
        int r;

        /* What fails is told to whoever asks for something. */
        (void)server_open(&server, NULL);
        for (;;) {
                r = server_receive(&server, 0);
                while (r > 0 && server.n_calls < BATCH_MAX)
                        r = server_receive(&server, MSG_DONTWAIT);
                server_work(&server);
                if (r <= 0 && r != -EAGAIN && r != -EBADMSG)
                        break;
        }
        transaction_free(server.transaction);
        if (server.netfilter)
                netfilter_close(server.netfilter);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot receive: %m") : 0;
}
