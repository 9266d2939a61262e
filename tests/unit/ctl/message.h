/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* A bus without a peer, which is enough to make messages and to look at them. */
int message_begin(void **state);
int message_end(void **state);

sd_bus_message *message_new(void);

/* Ends the writing; reading begins at the start. */
void message_seal(sd_bus_message *m);

/* The next value must be this, as JSON without blanks. */
void message_expect(sd_bus_message *m, const char *expected);
