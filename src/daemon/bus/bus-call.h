/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-server.h"

/* A method call that is answered later. It holds the message, and with it what the caller sent, so
 * the number for each caller is bounded. A caller that went away is answered as well: the bus drops
 * the answer. */

#define BUS_CALLS_MAX 4096 /* that wait, for each caller */

/* @m         of the method that is being called
 * @ret       belongs to whoever answers it, by one of the functions below
 * Returns    0; negative errno with @error filled */
int bus_call_new(sd_bus_message *m, BusCall **ret, sd_bus_error *error);
BusCall *bus_call_free(BusCall *call);
DEFINE_DROP(BusCall, bus_call, bus_call_free);

/* The verb refused at once: frees the call. Returns a negative errno with @error filled, to be the
 * method's own. */
int bus_call_refuse(BusCall *call, int r, const Fault *fault, sd_bus_error *error);

/* Answers and frees. bus_call_reply_done() is a ReplyFunc: no values, or an error. */
void bus_call_reply_done(void *userdata, int error, const Fault *fault);
void bus_call_reply_path(BusCall *call, const char *path);
void bus_call_reply_ports(BusCall *call, uint16_t host_port, uint16_t container_port);
void bus_call_reply_fds(BusCall *call, const int fds[3]);
void bus_call_reply_message(BusCall *call, sd_bus_message *reply);
void bus_call_reply_error(BusCall *call, int error, const Fault *fault);

/* An empty answer, to be filled for bus_call_reply_message(). Returns 0; sd-bus's errors. */
int bus_call_new_reply(BusCall *call, sd_bus_message **ret);

/* For the end of the server: answers all that wait. */
void bus_calls_cancel(BusServer *server);
