/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "daemon/container-forward.h"
#include "daemon/firewall.h"
#include "daemon/manager.h"
#include "daemon/network-change.h"
#include "daemon/port-table.h"

/* A process of the host may have a port of the pool, but not all of them. */
#define PICKS_MAX 64

/* -- leases -- */

int container_forwards_lease(Container *c, Fault *fault)
{
        PortTable *ports = c->manager->ports;
        PortForward *forwards = c->spec->forwards;

        if (!c->has_network && c->spec->n_forwards > 0)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "ForwardPorts: the container has no address; is there a "
                                 "NetworkPool= in wardend.conf?");
        for (size_t i = 0; i < c->spec->n_forwards; i++) {
                int r = forwards[i].host_port > 0 ? port_table_claim(ports, c, &forwards[i], fault)
                                                  : port_table_pick(ports, c, &forwards[i], fault);

                if (r >= 0)
                        continue;
                while (i-- > 0)
                        port_table_release(ports, c, &forwards[i]);
                return r;
        }
        c->has_ports = 1;
        return 0;
}

void container_forwards_release(Container *c)
{
        for (NetworkChange *change = c->network_changes; change; change = change->next)
                if (change->action == FIREWALL_FORWARD)
                        port_table_release(c->manager->ports, c, &change->forward);
        network_changes_cancel(c);
        for (size_t i = 0; i < c->spec->n_forwards && c->has_ports; i++)
                port_table_release(c->manager->ports, c, &c->spec->forwards[i]);
        c->has_ports = 0;
}

/* -- forwards -- */

static void on_forwarded(void *userdata, int error, const Fault *fault);

static int change_begin(NetworkChange *change, Fault *fault)
{
        Container *c = change->container;

        return firewall_call(c->manager->firewall, change->action, c, &change->forward, 1,
                             on_forwarded, change, &change->call, fault);
}

static int pick_again(NetworkChange *change)
{
        Container *c = change->container;
        PortForward old = change->forward;
        Fault fault = FAULT_INIT;
        int r;

        /* The old one is given back after the new one was chosen, so that it is not the same. */
        r = port_table_pick(c->manager->ports, c, &change->forward, &fault);
        port_table_release(c->manager->ports, c, &old);
        if (r < 0)
                return r;
        r = change_begin(change, &fault);
        if (r < 0)
                port_table_release(c->manager->ports, c, &change->forward);
        return r;
}

static int forward_keep(NetworkChange *change, Fault *fault)
{
        Container *c = change->container;
        ContainerSpec *spec = c->spec;
        FirewallCall *undo;
        int r;

        r = port_forwards_append(&spec->forwards, &spec->n_forwards, &change->forward, fault);
        if (r < 0)
                return r;
        r = network_change_save(c, CONTAINER_CHANGED_FORWARDS, fault);
        if (r >= 0)
                return 0;
        spec->n_forwards--;
        if (firewall_call(c->manager->firewall, FIREWALL_UNFORWARD, c, &change->forward, 1, NULL,
                          NULL, &undo, NULL) >= 0)
                firewall_call_free(undo);
        return r;
}

static void on_forwarded(void *userdata, int error, const Fault *fault)
{
        NetworkChange *change = userdata;
        Container *c = change->container;
        Fault late = FAULT_INIT;
        int r = error;

        change->call = firewall_call_free(change->call);
        if (error == -EADDRINUSE && change->is_picked && ++change->n_picks < PICKS_MAX) {
                if (pick_again(change) >= 0)
                        return;
        } else if (error >= 0) {
                r = forward_keep(change, &late);
                if (r < 0)
                        port_table_release(c->manager->ports, c, &change->forward);
        } else {
                port_table_release(c->manager->ports, c, &change->forward);
        }
        network_change_finish(change, r, error < 0 ? fault : &late);
}

int container_forward(Container *c, const PortForward *forward, ForwardFunc func, void *userdata,
                      Fault *fault)
{
        NetworkChange *change;
        int r;

        r = network_change_check(c, fault);
        if (r < 0)
                return r;
        if (forward->host_address.family == AF_INET6 && c->network.prefix6 == 0)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "HostAddress: the container has no IPv6");
        if (c->spec->n_forwards >= FORWARDS_MAX)
                return fault_set(fault, FAULT_LIMIT, -E2BIG,
                                 "There are %u forwards, the most that a container may have",
                                 FORWARDS_MAX);
        r = network_change_new(c, FIREWALL_FORWARD, userdata, &change, fault);
        if (r < 0)
                return r;
        change->forward = *forward;
        change->forward_func = func;
        change->is_picked = forward->host_port == 0;
        r = change->is_picked ? port_table_pick(c->manager->ports, c, &change->forward, fault)
                              : port_table_claim(c->manager->ports, c, forward, fault);
        if (r >= 0) {
                r = change_begin(change, fault);
                if (r < 0)
                        port_table_release(c->manager->ports, c, &change->forward);
        }
        if (r < 0)
                network_change_free(change);
        return r;
}

static int is_meant(const PortForward *have, const PortForward *want)
{
        return have->protocol == want->protocol && have->host_port == want->host_port &&
               ip_range_equal(&have->host_address, &want->host_address) &&
               (want->container_port == 0 || have->container_port == want->container_port) &&
               (want->count == 0 || have->count == want->count);
}

static void on_unforwarded(void *userdata, int error, const Fault *fault)
{
        NetworkChange *change = userdata;
        Container *c = change->container;
        ContainerSpec *spec = c->spec;
        Fault late = FAULT_INIT;
        int r = network_change_step(change, error, fault, &change->forward, NULL, on_unforwarded);

        if (r > 0)
                return;
        if (r < 0) {
                network_change_finish(change, r, fault);
                return;
        }
        for (size_t i = 0; i < spec->n_forwards; i++) {
                if (!port_forward_equal(&spec->forwards[i], &change->forward))
                        continue;
                port_table_release(c->manager->ports, c, &change->forward);
                port_forwards_remove(spec->forwards, &spec->n_forwards, i);
                r = network_change_save(c, CONTAINER_CHANGED_FORWARDS, &late);
                break;
        }
        network_change_finish_cut(change, r, &late);
}

int container_unforward(Container *c, const PortForward *forward, int is_cutting, ReplyFunc func,
                        void *userdata, Fault *fault)
{
        const ContainerSpec *spec = c->spec;
        NetworkChange *change;
        char text[PORT_FORWARD_TEXT_MAX];
        size_t i = 0;
        int r;

        r = network_change_check(c, fault);
        if (r < 0)
                return r;
        while (i < spec->n_forwards && !is_meant(&spec->forwards[i], forward))
                i++;
        if (i == spec->n_forwards) {
                port_forward_format(forward, text);
                return fault_set(fault, FAULT_NOT_FOUND, -ENOENT,
                                 "HostPort: no forward of this container is %s", text);
        }
        r = network_change_new(c, FIREWALL_UNFORWARD, userdata, &change, fault);
        if (r < 0)
                return r;
        change->forward = spec->forwards[i];
        change->is_cutting = is_cutting;
        change->func = func;
        r = firewall_call(c->manager->firewall, FIREWALL_UNFORWARD, c, &change->forward, 1,
                          on_unforwarded, change, &change->call, fault);
        if (r < 0)
                network_change_free(change);
        return r;
}
