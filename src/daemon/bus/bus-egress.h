/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-dict.h"

/* Rules of egress on the bus: each is an a{sv}, the same in methods, in the key of CreateContainer
 * and in the property. */

/* A DictSetter whose target is a ContainerSpec. */
int bus_egress_set(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

/* Of the Container's vtable. */
int bus_egress_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error);
int bus_egress_method_allow(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_egress_method_deny(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_egress_method_count(sd_bus_message *m, void *userdata, sd_bus_error *error);
