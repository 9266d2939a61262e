/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-server.h"

/* Who may call. The policy of the bus lets root in and nobody else; this is the second lock, for a
 * policy that somebody has widened. It takes the place of sd-bus's own, which asks the bus for the
 * caller on every call and waits for the answer: here a caller is asked for once. */

/* Before any object is added to the server's bus, which must be a trusted one in the sense of
 * sd_bus_set_trusted(). The slot is one of the server's.
 * Returns 0; -ENOMEM and sd-bus's errors. */
int bus_access_init(BusServer *server, sd_bus_slot **ret_slot);
void bus_access_done(BusServer *server);
