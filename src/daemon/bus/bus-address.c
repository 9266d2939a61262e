/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/bus/bus-address.h"
#include "daemon/container.h"

static int append_network(sd_bus_message *reply, const Container *c)
{
        _drop_(drop_free) char *text = container_spec_format_network(c->spec);

        return text ? sd_bus_message_append(reply, "s", text) : -ENOMEM;
}

int bus_address_get_string(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error)
{
        const Container *c = userdata;
        char address[NETWORK_ADDRESS_MAX];
        const char *s = "";

        if (strcmp(property, "Network") == 0)
                return append_network(reply, c);
        if (strcmp(property, "Segment") == 0)
                return sd_bus_message_append(reply, "s", c->spec->segment ?: "");
        if (c->has_network) {
                if (strcmp(property, "NetworkPool") == 0) {
                        s = c->network.pool;
                } else if (strcmp(property, "NetworkInterface") == 0) {
                        s = c->network.interface;
                } else if (strcmp(property, "InterfaceName") == 0) {
                        s = c->spec->interface_name ?: NETWORK_INTERFACE_INSIDE;
                } else {
                        network_format4(strcmp(property, "HostAddress") == 0
                                                ? c->network.host4
                                                : c->network.container4,
                                        address);
                        s = address;
                }
        }
        return sd_bus_message_append(reply, "s", s);
}

int bus_address_get_isolated(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
        const Container *c = userdata;

        return sd_bus_message_append(reply, "b", c->has_network && !c->spec->segment);
}

int bus_address_get_addresses(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error)
{
        const Container *c = userdata;
        char four[NETWORK_PREFIX_MAX + 8], six[NETWORK_PREFIX_MAX + 8], text[NETWORK_ADDRESS_MAX];

        if (!c->has_network)
                return sd_bus_message_append(reply, "as", 0);
        network_format4(c->network.container4, text);
        (void)snprintf(four, sizeof(four), "%s/%u", text, c->network.prefix4);
        if (!c->network.prefix6)
                return sd_bus_message_append(reply, "as", 1, four);
        network_format6(c->network.container6, text);
        (void)snprintf(six, sizeof(six), "%s/%u", text, c->network.prefix6);
        return sd_bus_message_append(reply, "as", 2, four, six);
}

int bus_address_get_interfaces(sd_bus *bus, const char *path, const char *interface,
                               const char *property, sd_bus_message *reply, void *userdata,
                               sd_bus_error *error)
{
        const Container *c = userdata;

        return sd_bus_message_append_strv(reply, c->spec->interfaces);
}
