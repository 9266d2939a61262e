/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-dict.h"

/* Forwards and rules of egress on the bus. Both are a{sv}, the same in methods, in the keys of
 * CreateContainer and in properties. */

/* DictSetters whose target is a ContainerSpec. */
int bus_network_set_forwards(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_network_set_egress(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

/* Of the Container's vtable. */
int bus_network_get_forwards(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error);
int bus_network_get_egress(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error);
int bus_network_method_forward(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_network_method_unforward(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_network_method_allow_egress(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_network_method_deny_egress(sd_bus_message *m, void *userdata, sd_bus_error *error);
