/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* Messages that never travel: made, sealed, and read from the start. */

/* A connection to nobody, which sd-bus needs for a message to be of. */
sd_bus *bus_nowhere(void);

/* A sealed call with these arguments, standing at the first. */
sd_bus_message *message_new(sd_bus *bus, const char *types, ...);
