/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-dict.h"
#include "model/forward.h"

/* Forwards on the bus: each is an a{sv}, the same in methods, in the key of CreateContainer and in
 * the property. */

/* A DictSetter whose target is a ContainerSpec. */
int bus_network_set_forwards(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

/* Of the Container's vtable. */
int bus_network_get_forwards(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error);
int bus_network_method_forward(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_network_method_unforward(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* For setters: the name of a protocol.
 * @names   those that may be there, for the fault */
int bus_network_read_protocol(sd_bus_message *m, const DictKey *key, const char *names,
                              NetworkProtocol *ret, Fault *fault);
