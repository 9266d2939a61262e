/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The spec has changed before the kernel is asked, as that is told all rules each time; a failure
 * takes the change back. */

#include <errno.h>
#include <string.h>

#include "daemon/container-egress.h"
#include "daemon/firewall.h"
#include "daemon/manager.h"
#include "daemon/network-change.h"

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
        int r = network_change_step(change, error, fault, NULL, &change->rule, on_rules_changed);

        if (r > 0)
                return;
        if (r < 0) {
                rule_undo(change);
                network_change_finish(change, r, fault);
                return;
        }
        r = network_change_save(change->container, CONTAINER_CHANGED_EGRESS, &late);
        network_change_finish_cut(change, r, &late);
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

        r = network_change_new(c, FIREWALL_RULES, userdata, &change, fault);
        if (r < 0)
                return r;
        change->func = func;
        change->is_rule_added = is_added;
        change->is_cutting = is_cutting;
        r = rule_copy(rule, &change->rule);
        if (r >= 0)
                r = firewall_change_rules(c->manager->firewall, c,
                                          is_added ? 0 : egress_number_bit(rule->number),
                                          on_rules_changed, change, &change->call, fault);
        if (r < 0)
                network_change_free(change);
        return r;
}

int container_allow_egress(Container *c, EgressRule *take_rule, ReplyFunc func, void *userdata,
                           Fault *fault)
{
        ContainerSpec *spec = c->spec;
        int r;

        r = network_change_check(c, fault);
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
        EgressRule gone;
        int i, r;

        r = network_change_check(c, fault);
        if (r < 0)
                return r;
        i = egress_rules_find(spec->egress, spec->n_egress, rule);
        if (i < 0)
                return fault_set(
                        fault, FAULT_NOT_FOUND, -ENOENT,
                        "The container was not allowed that; EgressRules says what it was");
        r = rule_copy(&spec->egress[i], &gone);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        egress_rules_remove(spec->egress, &spec->n_egress, (size_t)i);
        r = rules_send(c, &gone, 0, is_cutting, func, userdata, fault);
        if (r < 0)
                (void)egress_rules_append(&spec->egress, &spec->n_egress, &gone, NULL);
        egress_rule_done(&gone);
        return r;
}

/* -- counters -- */

static void on_counted(void *userdata, int error, const Fault *fault)
{
        network_change_finish(userdata, error, fault);
}

int container_count_egress(Container *c, EgressCountFunc func, void *userdata, Fault *fault)
{
        NetworkChange *change;
        int r;

        r = network_change_check(c, fault);
        if (r >= 0)
                r = network_change_new(c, FIREWALL_COUNT, userdata, &change, fault);
        if (r < 0)
                return r;
        change->count_func = func;
        r = firewall_call(c->manager->firewall, FIREWALL_COUNT, c, NULL, 0, on_counted, change,
                          &change->call, fault);
        if (r < 0)
                network_change_free(change);
        return r;
}
