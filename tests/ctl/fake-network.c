/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ports and rules that fake-wardend has of a container: the same for all, and a change of them is
 * only told to the log. Ports over 60000 are somebody else's. */

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl/bus.h"
#include "ctl/json.h"
#include "fake-network.h"

int fake_network_method_forward(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(drop_json) struct json_object *forward = NULL;
        uint64_t host_port, container_port;

        fake_log_call(m);
        if (json_from_message(m, &forward) < 0)
                return -EBADMSG;
        host_port = json_get_u64(forward, "HostPort", 61001);
        container_port = json_get_u64(forward, "ContainerPort", 0);
        if (host_port > 62000)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("InUse"),
                                                  "HostPort: leads to container 'other'");
        return sd_bus_reply_method_return(m, "qq", (uint16_t)host_port, (uint16_t)container_port);
}

int fake_network_method_change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        fake_log_call(m);
        return sd_bus_reply_method_return(m, "");
}

static int append_forwards(sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "aa{sv}", 2, 5, "HostPort", "q", 8080, "ContainerPort",
                                     "q", 80, "Count", "q", 1, "Protocol", "s", "tcp",
                                     "HostAddress", "s", "", 5, "HostPort", "q", 5000,
                                     "ContainerPort", "q", 6000, "Count", "q", 10, "Protocol", "s",
                                     "udp", "HostAddress", "s", "2001:db8::1");
}

static int append_rules(sd_bus_message *reply)
{
        return sd_bus_message_append(
                reply, "aa{sv}", 3, 3, "Networks", "as", 2, "10.0.0.0/8", "fd00::/8", "Protocol",
                "s", "tcp", "Ports", "as", 1, "8000-8010", 3, "Host", "b", 1, "Protocol", "s",
                "icmp", "IcmpType", "y", 8, 2, "Networks", "as", 1, "192.0.2.1", "Log", "b", 1);
}

/* Of "web"; others have no network. */
int fake_network_method_count(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        if (!strstr(sd_bus_message_get_path(m), "/web"))
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("NotSupported"), "no network");
        return sd_bus_reply_method_return(
                m, "aa{sv}a{sv}", 3, 5, "Networks", "as", 2, "10.0.0.0/8", "fd00::/8", "Protocol",
                "s", "tcp", "Ports", "as", 1, "8000-8010", "Packets", "t", UINT64_C(12345), "Bytes",
                "t", UINT64_C(740700), 4, "Host", "b", 1, "Protocol", "s", "icmp", "IcmpType", "y",
                8, "Packets", "t", UINT64_C(0), 3, "Networks", "as", 1, "192.0.2.1", "Log", "b", 1,
                "Packets", "t", UINT64_C(2), 2, "RefusedPackets", "t", UINT64_C(7), "ForgedPackets",
                "t", UINT64_C(1));
}

int fake_network_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        if (strcmp(property, "ForwardedPorts") == 0)
                return append_forwards(reply);
        if (strcmp(property, "EgressRules") == 0)
                return append_rules(reply);
        if (strcmp(property, "Segment") == 0)
                return sd_bus_message_append(reply, "s", strstr(path, "alone") ? "" : "red");
        return sd_bus_message_append(reply, "s", "10.254.0.2");
}
