/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/log.h"
#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-fault.h"

/* How much of us one caller holds. Unique names are never given twice, so an entry that outlives
 * its caller, because its last call is not answered yet, is nobody else's. */
typedef struct BusSender {
        char *name;
        unsigned n_calls;
} BusSender;

struct BusCall {
        BusServer *server;
        BusSender *sender;
        sd_bus_message *message;
        BusCall *next, *previous;
};

static BusSender *sender_get(BusServer *server, const char *name)
{
        BusSender *sender = map_get(server->senders, name);

        if (sender)
                return sender;
        sender = calloc(1, sizeof(*sender));
        if (!sender)
                return NULL;
        sender->name = strdup(name);
        if (!sender->name || map_put(server->senders, sender->name, sender) < 0) {
                free(sender->name);
                free(sender);
                return NULL;
        }
        return sender;
}

static void sender_release(BusServer *server, BusSender *sender)
{
        if (--sender->n_calls > 0)
                return;
        (void)map_remove(server->senders, sender->name);
        free(sender->name);
        free(sender);
}

int bus_call_new(sd_bus_message *m, BusCall **ret, sd_bus_error *error)
{
        BusServer *server = bus_server_current(sd_bus_message_get_bus(m));
        const char *name = sd_bus_message_get_sender(m);
        Fault fault = FAULT_INIT;
        BusSender *sender;
        BusCall *call;

        call = calloc(1, sizeof(*call));
        if (!call)
                return bus_fault_to_error(NULL, -ENOMEM, error);
        sender = sender_get(server, name ? name : "");
        if (!sender) {
                free(call);
                return bus_fault_to_error(NULL, -ENOMEM, error);
        }
        if (sender->n_calls >= BUS_CALLS_MAX) {
                free(call);
                (void)fault_set(&fault, FAULT_LIMIT, -ENOBUFS,
                                "%d calls of this client wait for an answer already",
                                BUS_CALLS_MAX);
                return bus_fault_to_error(&fault, fault.error, error);
        }

        sender->n_calls++;
        call->sender = sender;
        call->server = server;
        call->message = sd_bus_message_ref(m);
        call->next = server->calls;
        if (call->next)
                call->next->previous = call;
        server->calls = call;
        *ret = call;
        return 0;
}

BusCall *bus_call_free(BusCall *call)
{
        if (!call)
                return NULL;
        if (call->previous)
                call->previous->next = call->next;
        else
                call->server->calls = call->next;
        if (call->next)
                call->next->previous = call->previous;
        sender_release(call->server, call->sender);
        sd_bus_message_unref(call->message);
        free(call);
        return NULL;
}

int bus_call_refuse(BusCall *call, int r, const Fault *fault, sd_bus_error *error)
{
        bus_call_free(call);
        return bus_fault_to_error(fault, r, error);
}

/* The connection is the only one who could be told of a failure here, and it is what failed. */
static void call_sent(BusCall *call, int r)
{
        if (r < 0)
                log_debug("Cannot answer %s: %s", sd_bus_message_get_member(call->message),
                          strerror(-r));
        bus_call_free(call);
}

void bus_call_reply_error(BusCall *call, int error, const Fault *fault)
{
        _drop_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

        (void)bus_fault_to_error(fault, error, &e);
        call_sent(call, sd_bus_reply_method_error(call->message, &e));
}

void bus_call_reply_done(void *userdata, int error, const Fault *fault)
{
        BusCall *call = userdata;

        if (error < 0)
                bus_call_reply_error(call, error, fault);
        else
                call_sent(call, sd_bus_reply_method_return(call->message, NULL));
}

void bus_call_reply_path(BusCall *call, const char *path)
{
        call_sent(call, sd_bus_reply_method_return(call->message, "o", path));
}

void bus_call_reply_ports(BusCall *call, uint16_t host_port, uint16_t container_port)
{
        call_sent(call, sd_bus_reply_method_return(call->message, "qq", host_port, container_port));
}

void bus_call_reply_fds(BusCall *call, const int fds[3])
{
        call_sent(call, sd_bus_reply_method_return(call->message, "hhh", fds[0], fds[1], fds[2]));
}

int bus_call_new_reply(BusCall *call, sd_bus_message **ret)
{
        return sd_bus_message_new_method_return(call->message, ret);
}

void bus_call_reply_message(BusCall *call, sd_bus_message *reply)
{
        call_sent(call, sd_bus_send(NULL, reply, NULL));
}

void bus_calls_cancel(BusServer *server)
{
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, FAULT_FAILED, -ECANCELED, "wardend ends; ask again in a moment");
        while (server->calls)
                bus_call_reply_error(server->calls, fault.error, &fault);
}
