/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-network.h"
#include "daemon/container-forward.h"

/* -- reading forwards -- */

int bus_network_read_protocol(sd_bus_message *m, const DictKey *key, const char *names,
                              NetworkProtocol *ret, Fault *fault)
{
        NetworkProtocol protocol;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        protocol = network_protocol_from_string(text);
        if ((int)protocol < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: '%.32s' is not %s", key->name,
                                 text, names);
        *ret = protocol;
        return 0;
}

static int set_forward_protocol(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        PortForward *forward = target;

        return bus_network_read_protocol(m, key, "'tcp', 'udp' or 'sctp'", &forward->protocol,
                                         fault);
}

static int set_forward_number(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        uint16_t value;
        int r = sd_bus_message_read(m, "q", &value);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        *(uint32_t *)(void *)((char *)target + key->offset) = value;
        return 0;
}

static int set_forward_address(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        PortForward *forward = target;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        return *text ? ip_range_parse(key->name, text, &forward->host_address, fault) : 0;
}

/* With what goes with taking one back; the forward is first, so that its keys find it alone too. */
typedef struct ForwardRemoval {
        PortForward forward;
        int is_cutting;
} ForwardRemoval;

static const DictKey forward_keys[] = {
        { "HostPort", "q", set_forward_number, offsetof(PortForward, host_port) },
        { "ContainerPort", "q", set_forward_number, offsetof(PortForward, container_port) },
        { "Count", "q", set_forward_number, offsetof(PortForward, count) },
        { "Protocol", "s", set_forward_protocol },
        { "HostAddress", "s", set_forward_address },
        /* Only of a removal. */
        { "CutConnections", "b", bus_dict_set_boolean, offsetof(ForwardRemoval, is_cutting) },
};

static int read_forward(sd_bus_message *m, PortForward *ret, Fault *fault)
{
        int r;

        *ret = PORT_FORWARD_INIT;
        r = bus_dict_read(m, forward_keys, ELEMENTSOF(forward_keys) - 1, ret, fault);
        return r < 0 ? r : port_forward_validate(ret, "", fault);
}

/* To name one fewer words do. */
static int read_forward_removal(sd_bus_message *m, ForwardRemoval *ret, Fault *fault)
{
        PortForward whole;
        int r;

        *ret = (ForwardRemoval){ .forward = PORT_FORWARD_INIT };
        ret->forward.count = 0;
        r = bus_dict_read(m, forward_keys, ELEMENTSOF(forward_keys), ret, fault);
        if (r < 0)
                return r;
        if (ret->forward.host_port == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "HostPort: is required");
        whole = ret->forward;
        whole.count = MAX2(whole.count, 1U);
        whole.container_port = MAX2(whole.container_port, 1U);
        return port_forward_validate(&whole, "", fault);
}

static int add_forward(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        ContainerSpec *spec = target;
        PortForward forward;
        int r;

        r = read_forward(m, &forward, fault);
        if (r >= 0)
                r = port_forwards_append(&spec->forwards, &spec->n_forwards, &forward, fault);
        return r < 0 && r != -ENOMEM ? fault_prefix(fault, key->name) : r;
}

int bus_network_set_forwards(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return bus_dict_read_each(m, key, "a{sv}", add_forward, target, fault);
}

/* -- properties -- */

static int append_forward(sd_bus_message *reply, const PortForward *forward)
{
        char address[IP_RANGE_MAX];

        ip_range_format(&forward->host_address, address);
        return sd_bus_message_append(
                reply, "a{sv}", 5, "HostPort", "q", (uint16_t)forward->host_port, "ContainerPort",
                "q", (uint16_t)forward->container_port, "Count", "q", (uint16_t)forward->count,
                "Protocol", "s", network_protocol_to_string(forward->protocol), "HostAddress", "s",
                address);
}

int bus_network_get_forwards(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
        const Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; i < c->spec->n_forwards && r >= 0; i++)
                r = append_forward(reply, &c->spec->forwards[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* -- methods -- */

static void on_forwarded(void *userdata, const PortForward *forward, int error, const Fault *fault)
{
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_ports(userdata, (uint16_t)forward->host_port,
                                     (uint16_t)forward->container_port);
}

int bus_network_method_forward(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        PortForward forward;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = read_forward(m, &forward, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_forward(userdata, &forward, on_forwarded, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_network_method_unforward(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        ForwardRemoval removal;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = read_forward_removal(m, &removal, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_unforward(userdata, &removal.forward, removal.is_cutting, bus_call_reply_done,
                                call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}
