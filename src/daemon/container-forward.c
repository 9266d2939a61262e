/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change is made in the kernel first and saved then: a daemon that dies in between makes the
 * tables anew from what was saved, and the caller, who got no answer, asks again. Rules of egress
 * are the other way around in memory, as the kernel is told all of them each time. */

#include <errno.h>
#include <string.h>

#include "daemon/container-forward.h"
#include "daemon/firewall.h"
#include "daemon/manager.h"
#include "daemon/port-table.h"
#include "daemon/store.h"

/* A process of the host may have a port of the pool, but not all of them. */
#define PICKS_MAX 64

struct NetworkChange {
        Container *container;
        NetworkChange *next;
        FirewallCall *call;
        FirewallAction action;
        PortForward forward;
        int is_picked;
        unsigned n_picks;
        EgressRule rule; /* what to do with it when the change fails: take it out, or put it back */
        int is_rule_added;
        int is_cutting;  /* connections, too: when the rules are changed */
        int is_changed;  /* they are, and the connections are what is waited for */
        Fault cut_fault; /* they could not be cut */
        ForwardFunc forward_func;
        ReplyFunc func;
        void *userdata;
};

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

static NetworkChange *change_free(NetworkChange *change)
{
        for (NetworkChange **p = &change->container->network_changes; *p; p = &(*p)->next)
                if (*p == change) {
                        *p = change->next;
                        break;
                }
        firewall_call_free(change->call);
        egress_rule_done(&change->rule);
        free(change);
        return NULL;
}

/* Answers and frees. */
static void change_finish(NetworkChange *change, int error, const Fault *fault)
{
        PortForward forward = change->forward;
        ForwardFunc forward_func = change->forward_func;
        ReplyFunc func = change->func;
        void *userdata = change->userdata;

        change_free(change);
        if (forward_func)
                forward_func(userdata, error < 0 ? NULL : &forward, error, fault);
        else if (func)
                func(userdata, error, fault);
}

void container_forwards_release(Container *c)
{
        Fault fault = FAULT_INIT;
        int r = fault_set(&fault, FAULT_BAD_STATE, -ECANCELED,
                          "The container was destroyed meanwhile");

        while (c->network_changes) {
                NetworkChange *change = c->network_changes;

                if (change->action == FIREWALL_FORWARD)
                        port_table_release(c->manager->ports, c, &change->forward);
                change_finish(change, r, &fault);
        }
        for (size_t i = 0; i < c->spec->n_forwards && c->has_ports; i++)
                port_table_release(c->manager->ports, c, &c->spec->forwards[i]);
        c->has_ports = 0;
}

/* -- what all changes share -- */

static int check_container(const Container *c, Fault *fault)
{
        switch (c->state) {
        case CONTAINER_ACTIVE:
        case CONTAINER_FROZEN:
        case CONTAINER_STOPPED:
                break;
        case CONTAINER_NEW:
        case CONTAINER_CREATING:
        case CONTAINER_STOPPING:
        case CONTAINER_DESTROYING:
        case CONTAINER_GONE:
        case CONTAINER_FAILED:
        case _CONTAINER_STATE_MAX:
        case _CONTAINER_STATE_INVALID:
                return fault_set(fault, FAULT_BAD_STATE, -EPROTO,
                                 "The network of a container that is %s cannot be changed",
                                 container_state_to_string(c->state));
        }
        if (!c->has_network)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "The container has no private network with an address");
        return 0;
}

static int change_new(Container *c, FirewallAction action, void *userdata, NetworkChange **ret,
                      Fault *fault)
{
        NetworkChange *change = calloc(1, sizeof(*change));

        if (!change)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        change->container = c;
        change->action = action;
        change->userdata = userdata;
        change->rule = EGRESS_RULE_INIT;
        change->cut_fault = FAULT_INIT;
        change->next = c->network_changes;
        c->network_changes = change;
        *ret = change;
        return 0;
}

/* The kernel has it; now it is the container's. */
static int save(Container *c, unsigned what, Fault *fault)
{
        int r = store_save_container(c);

        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot save the state: %m");
        container_changed(c, what);
        return 0;
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
        r = save(c, CONTAINER_CHANGED_FORWARDS, fault);
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
        change_finish(change, r, error < 0 ? fault : &late);
}

int container_forward(Container *c, const PortForward *forward, ForwardFunc func, void *userdata,
                      Fault *fault)
{
        NetworkChange *change;
        int r;

        r = check_container(c, fault);
        if (r < 0)
                return r;
        if (forward->host_address.family == AF_INET6 && c->network.prefix6 == 0)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "HostAddress: the container has no IPv6");
        if (c->spec->n_forwards >= FORWARDS_MAX)
                return fault_set(fault, FAULT_LIMIT, -E2BIG,
                                 "There are %u forwards, the most that a container may have",
                                 FORWARDS_MAX);
        r = change_new(c, FIREWALL_FORWARD, userdata, &change, fault);
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
                change_free(change);
        return r;
}

/* The program's answer to a change of rules, and then to what is to be cut. Nothing is saved until
 * both are there: a caller who gets no answer because the daemon dies can ask again. A change that
 * is made stays made when connections could not be cut, and the caller is told that.
 * Returns 0 when the change is to be saved; 1 when @func will be told more; negative errno. */
static int change_step(NetworkChange *change, int error, const Fault *fault,
                       const PortForward *forward, const EgressRule *rule, ReplyFunc func)
{
        Container *c = change->container;

        change->call = firewall_call_free(change->call);
        if (change->is_changed) {
                if (error < 0)
                        change->cut_fault = *fault;
                return 0;
        }
        if (error < 0 || !change->is_cutting)
                return error;
        change->is_changed = 1;
        return firewall_cut(c->manager->firewall, c, forward, rule, func, change, &change->call,
                            &change->cut_fault) >= 0;
}

/* @error, @fault   of saving */
static void change_finish_cut(NetworkChange *change, int error, const Fault *fault)
{
        Fault cut_fault = change->cut_fault;

        if (error < 0)
                change_finish(change, error, fault);
        else
                change_finish(change, cut_fault.error < 0 ? cut_fault.error : 0, &cut_fault);
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
        int r = change_step(change, error, fault, &change->forward, NULL, on_unforwarded);

        if (r > 0)
                return;
        if (r < 0) {
                change_finish(change, r, fault);
                return;
        }
        for (size_t i = 0; i < spec->n_forwards; i++) {
                if (!port_forward_equal(&spec->forwards[i], &change->forward))
                        continue;
                port_table_release(c->manager->ports, c, &change->forward);
                port_forwards_remove(spec->forwards, &spec->n_forwards, i);
                r = save(c, CONTAINER_CHANGED_FORWARDS, &late);
                break;
        }
        change_finish_cut(change, r, &late);
}

int container_unforward(Container *c, const PortForward *forward, int is_cutting, ReplyFunc func,
                        void *userdata, Fault *fault)
{
        const ContainerSpec *spec = c->spec;
        NetworkChange *change;
        char text[PORT_FORWARD_TEXT_MAX];
        size_t i = 0;
        int r;

        r = check_container(c, fault);
        if (r < 0)
                return r;
        while (i < spec->n_forwards && !is_meant(&spec->forwards[i], forward))
                i++;
        if (i == spec->n_forwards) {
                port_forward_format(forward, text);
                return fault_set(fault, FAULT_NOT_FOUND, -ENOENT,
                                 "HostPort: no forward of this container is %s", text);
        }
        r = change_new(c, FIREWALL_UNFORWARD, userdata, &change, fault);
        if (r < 0)
                return r;
        change->forward = spec->forwards[i];
        change->is_cutting = is_cutting;
        change->func = func;
        r = firewall_call(c->manager->firewall, FIREWALL_UNFORWARD, c, &change->forward, 1,
                          on_unforwarded, change, &change->call, fault);
        if (r < 0)
                change_free(change);
        return r;
}

/* -- egress -- */

static void rule_undo(NetworkChange *change)
{
        ContainerSpec *spec = change->container->spec;
        int i = egress_rules_find(spec->egress, spec->n_egress, &change->rule);

        if (change->is_rule_added && i >= 0)
                egress_rules_remove(spec->egress, &spec->n_egress, (size_t)i);
        else if (!change->is_rule_added && i < 0)
                (void)egress_rules_append(&spec->egress, &spec->n_egress, &change->rule, NULL);
}

static void on_rules_changed(void *userdata, int error, const Fault *fault)
{
        NetworkChange *change = userdata;
        Fault late = FAULT_INIT;
        int r = change_step(change, error, fault, NULL, &change->rule, on_rules_changed);

        if (r > 0)
                return;
        if (r < 0) {
                rule_undo(change);
                change_finish(change, r, fault);
                return;
        }
        r = save(change->container, CONTAINER_CHANGED_EGRESS, &late);
        change_finish_cut(change, r, &late);
}

static int rule_copy(const EgressRule *rule, EgressRule *ret)
{
        *ret = *rule;
        ret->networks = NULL;
        ret->ports = NULL;
        if (rule->n_networks > 0)
                ret->networks = calloc(rule->n_networks, sizeof(*rule->networks));
        if (rule->n_ports > 0)
                ret->ports = calloc(rule->n_ports, sizeof(*rule->ports));
        if ((rule->n_networks > 0 && !ret->networks) || (rule->n_ports > 0 && !ret->ports)) {
                egress_rule_done(ret);
                return -ENOMEM;
        }
        if (rule->n_networks > 0)
                memcpy(ret->networks, rule->networks, rule->n_networks * sizeof(*rule->networks));
        if (rule->n_ports > 0)
                memcpy(ret->ports, rule->ports, rule->n_ports * sizeof(*rule->ports));
        return 0;
}

/* The spec has changed already: what is sent are all rules. */
static int rules_send(Container *c, const EgressRule *rule, int is_added, int is_cutting,
                      ReplyFunc func, void *userdata, Fault *fault)
{
        NetworkChange *change;
        int r;

        r = change_new(c, FIREWALL_RULES, userdata, &change, fault);
        if (r < 0)
                return r;
        change->func = func;
        change->is_rule_added = is_added;
        change->is_cutting = is_cutting;
        r = rule_copy(rule, &change->rule);
        if (r >= 0)
                r = firewall_call(c->manager->firewall, FIREWALL_RULES, c, NULL, 0,
                                  on_rules_changed, change, &change->call, fault);
        if (r < 0)
                change_free(change);
        return r;
}

int container_allow_egress(Container *c, EgressRule *take_rule, ReplyFunc func, void *userdata,
                           Fault *fault)
{
        ContainerSpec *spec = c->spec;
        int r;

        r = check_container(c, fault);
        if (r < 0)
                return r;
        if (egress_rules_find(spec->egress, spec->n_egress, take_rule) < 0) {
                r = egress_rules_append(&spec->egress, &spec->n_egress, take_rule, fault);
                if (r < 0)
                        return r;
        } else {
                egress_rule_done(take_rule);
                func(userdata, 0, NULL);
                return 0;
        }
        r = rules_send(c, &spec->egress[spec->n_egress - 1], 1, 0, func, userdata, fault);
        if (r < 0)
                egress_rules_remove(spec->egress, &spec->n_egress, spec->n_egress - 1);
        return r;
}

int container_deny_egress(Container *c, const EgressRule *rule, int is_cutting, ReplyFunc func,
                          void *userdata, Fault *fault)
{
        ContainerSpec *spec = c->spec;
        int i, r;

        r = check_container(c, fault);
        if (r < 0)
                return r;
        i = egress_rules_find(spec->egress, spec->n_egress, rule);
        if (i < 0)
                return fault_set(
                        fault, FAULT_NOT_FOUND, -ENOENT,
                        "The container was not allowed that; EgressRules says what it was");
        egress_rules_remove(spec->egress, &spec->n_egress, (size_t)i);
        r = rules_send(c, rule, 0, is_cutting, func, userdata, fault);
        if (r < 0) {
                _drop_(egress_rule_done) EgressRule copy = EGRESS_RULE_INIT;

                if (rule_copy(rule, &copy) >= 0)
                        (void)egress_rules_append(&spec->egress, &spec->n_egress, &copy, NULL);
        }
        return r;
}
