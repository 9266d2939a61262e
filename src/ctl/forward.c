/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "ctl/forward.h"
#include "ctl/json.h"

static int append_port(sd_bus_message *m, const char *key, uint32_t port)
{
        return port == 0 ? 0 : sd_bus_message_append(m, "{sv}", key, "q", (uint16_t)port);
}

static int append_all(sd_bus_message *m, const PortForward *forward, int has_count, int is_cutting)
{
        char address[IP_RANGE_MAX];
        int r;

        ip_range_format(&forward->host_address, address);
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_port(m, "HostPort", forward->host_port);
        if (r >= 0)
                r = append_port(m, "ContainerPort", forward->container_port);
        if (r >= 0 && has_count)
                r = append_port(m, "Count", forward->count);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Protocol", "s",
                                          network_protocol_to_string(forward->protocol));
        if (r >= 0 && *address)
                r = sd_bus_message_append(m, "{sv}", "HostAddress", "s", address);
        if (r >= 0 && is_cutting)
                r = sd_bus_message_append(m, "{sv}", "CutConnections", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int forward_append(sd_bus_message *m, const PortForward *forward)
{
        return append_all(m, forward, forward->count > 1, 0);
}

int forward_append_removal(sd_bus_message *m, const PortForward *forward, int is_cutting)
{
        return append_all(m, forward, 1, is_cutting);
}

int forward_from_json(struct json_object *object, PortForward *ret)
{
        const char *address = json_get_string(object, "HostAddress", "");
        PortForward forward = PORT_FORWARD_INIT;

        forward.host_port = (uint32_t)json_get_u64(object, "HostPort", 0);
        forward.container_port = (uint32_t)json_get_u64(object, "ContainerPort", 0);
        forward.count = (uint32_t)json_get_u64(object, "Count", 1);
        forward.protocol = network_protocol_from_string(json_get_string(object, "Protocol", "tcp"));
        if (*address && ip_range_parse("", address, &forward.host_address, NULL) < 0)
                return -EINVAL;
        if ((int)forward.protocol < 0 || port_forward_validate(&forward, "", NULL) < 0)
                return -EINVAL;
        *ret = forward;
        return 0;
}
