/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-server.h"

/* What the Manager's short cuts share with the Container's own methods: @m stands on the options.
 * Return what a method returns. */
int bus_container_stop(Container *c, sd_bus_message *m, sd_bus_error *error);
int bus_container_destroy(Container *c, sd_bus_message *m, sd_bus_error *error);
