/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* The properties of a container that are about its network; the userdata is the Container. */

/* Network, HostAddress, ContainerAddress, NetworkPool, NetworkInterface, InterfaceName,
 * Segment. */
int bus_address_get_string(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error);

/* Addresses: the container's, each with its prefix. */
/* Isolated. */
int bus_address_get_isolated(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error);

int bus_address_get_addresses(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error);

/* Interfaces. */
int bus_address_get_interfaces(sd_bus *bus, const char *path, const char *interface,
                               const char *property, sd_bus_message *reply, void *userdata,
                               sd_bus_error *error);
