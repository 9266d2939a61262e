/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>

#include "daemon/manager.h"
#include "daemon/network-change.h"
#include "daemon/store.h"

int network_change_check(const Container *c, Fault *fault)
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

int network_change_new(Container *c, FirewallAction action, void *userdata, NetworkChange **ret,
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

int network_change_save(Container *c, unsigned what, Fault *fault)
{
        int r = store_save_container(c);

        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot save the state: %m");
        container_changed(c, what);
        return 0;
}

NetworkChange *network_change_free(NetworkChange *change)
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

/* The one who asked may do anything, so everything of ours is in order before; but the call, which
 * has what was counted. */
void network_change_finish(NetworkChange *change, int error, const Fault *fault)
{
        const NetworkChange done = *change;

        change->call = NULL;
        network_change_free(change);
        if (done.forward_func)
                done.forward_func(done.userdata, error < 0 ? NULL : &done.forward, error, fault);
        else if (done.count_func && error < 0)
                done.count_func(done.userdata, NULL, NULL, error, fault);
        else if (done.count_func)
                done.count_func(done.userdata, done.container, firewall_call_counters(done.call), 0,
                                NULL);
        else if (done.func)
                done.func(done.userdata, error, fault);
        firewall_call_free(done.call);
}

int network_change_step(NetworkChange *change, int error, const Fault *fault,
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

void network_change_finish_cut(NetworkChange *change, int error, const Fault *fault)
{
        Fault cut_fault = change->cut_fault;

        if (error < 0)
                network_change_finish(change, error, fault);
        else
                network_change_finish(change, cut_fault.error < 0 ? cut_fault.error : 0,
                                      &cut_fault);
}

void network_changes_cancel(Container *c)
{
        Fault fault = FAULT_INIT;
        int r = fault_set(&fault, FAULT_BAD_STATE, -ECANCELED,
                          "The container was destroyed meanwhile");

        while (c->network_changes)
                network_change_finish(c->network_changes, r, &fault);
}
