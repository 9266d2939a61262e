/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container-egress.h"
#include "daemon/container-forward.h"
#include "daemon/firewall.h"

/* A question to the packet filter about one container, and what is done with the answer: what
 * forwards and rules of egress have in common. A change is made in the kernel first and saved then:
 * a daemon that dies in between makes the tables anew from what was saved, and the caller, who got
 * no answer, asks again. */

struct NetworkChange {
        Container *container;
        NetworkChange *next; /* of the container */
        FirewallAction action;
        FirewallCall *call;

        PortForward forward;
        int is_picked;
        unsigned n_picks;
        EgressRule rule; /* what to do with it when the change fails: take it out, or put it back */
        int is_rule_added;
        int is_cutting;  /* connections, too: when the rules are changed */
        int is_changed;  /* they are, and the connections are what is waited for */
        Fault cut_fault; /* they could not be cut */

        /* Who asked; one of them. */
        ReplyFunc func;
        ForwardFunc forward_func;
        EgressCountFunc count_func;
        void *userdata;
};

/* Can the network of @c be changed? 0; -EPROTO (FAULT_BAD_STATE), -EOPNOTSUPP with a fault. */
int network_change_check(const Container *c, Fault *fault);

/* Returns 0, one of the container's; -ENOMEM with a fault. */
int network_change_new(Container *c, FirewallAction action, void *userdata, NetworkChange **ret,
                       Fault *fault);
NetworkChange *network_change_free(NetworkChange *change); /* nobody is told */

/* The kernel has it; now it is the container's.
 * @what   CONTAINER_CHANGED_* */
int network_change_save(Container *c, unsigned what, Fault *fault);

/* Tells who asked, and frees.
 * @fault   NULL without an error */
void network_change_finish(NetworkChange *change, int error, const Fault *fault);

/* The program's answer to a change that may have to cut connections, and then to what is to be cut.
 * Nothing is saved until both are there: a caller who gets no answer because the daemon dies can
 * ask again. A change that is made stays made when connections could not be cut, and the caller is
 * told that.
 * @forward, @rule   what is to be cut; one is NULL
 * Returns           0 when the change is to be saved; 1 when @func will be told more; negative
 *                   errno */
int network_change_step(NetworkChange *change, int error, const Fault *fault,
                        const PortForward *forward, const EgressRule *rule, ReplyFunc func);

/* Finishes one that went by steps.
 * @error, @fault   of saving */
void network_change_finish_cut(NetworkChange *change, int error, const Fault *fault);

/* The container ends: finishes all of them with an error. */
void network_changes_cancel(Container *c);
