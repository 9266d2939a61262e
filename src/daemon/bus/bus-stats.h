/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* GetStats of the Manager and of a Container. The answers have the same keys; see doc/dbus.md. */

int bus_manager_method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_container_method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error);
