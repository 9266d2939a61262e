/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "basic/interface.h"
#include "basic/log.h"
#include "basic/message-id.h"
#include "daemon/container-bandwidth.h"
#include "daemon/container-interfaces.h"
#include "daemon/container-network.h"
#include "daemon/manager.h"
#include "daemon/network-pool.h"
#include "daemon/process.h"
#include "daemon/resolver.h"
#include "daemon/segment-pool.h"
#include "model/resolv-conf.h"

#define LOST_USEC (1 * USEC_PER_SEC) /* longer than a process needs to end */

static int lease_slot(Container *c, Fault *fault)
{
        const ContainerSpec *spec = c->spec;
        char owner_id[NETWORK_INTERFACE_MAX] = "";
        const Container *owner;
        NetworkAddresses slot;
        int r;

        if (network_pools_are_empty(c->manager->networks) && !spec->network_pool && !spec->address)
                return 0;
        r = network_pools_acquire(c->manager->networks, c->id, spec->network_pool, spec->address,
                                  &slot, owner_id, fault);
        if (r == -EADDRINUSE) {
                owner = map_get(c->manager->by_id, owner_id);
                return fault_set(fault, FAULT_LIMIT, r, "Address: %.64s is taken by container '%s'",
                                 spec->address, owner ? container_name(owner) : owner_id);
        }
        if (r == -EBUSY)
                return fault_set(fault, FAULT_LIMIT, r,
                                 "Address: %.64s was that of container %s, whose interface still "
                                 "exists; try again",
                                 spec->address, owner_id);
        if (r < 0)
                return r;
        c->network = slot;
        c->has_network = 1;
        return 0;
}

static int lease_segment(Container *c, Fault *fault)
{
        if (!c->spec->segment)
                return 0;
        if (!c->has_network)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "Segment: the container has no address; is there a NetworkPool= "
                                 "in wardend.conf?");
        return segment_pool_acquire(c->manager->segments, c->spec->segment, &c->segment, fault);
}

static int check_mtu(const Container *c, Fault *fault)
{
        if (!c->has_network || !c->network.prefix6 || c->spec->mtu == 0 ||
            c->spec->mtu >= NETWORK_MTU_MIN6)
                return 0;
        return fault_set(fault, FAULT_INVALID, -EINVAL,
                         "MTU: %u is less than the %d that the IPv6 of pool '%s' needs",
                         c->spec->mtu, NETWORK_MTU_MIN6, c->network.pool);
}

static const Container *joined_container(const Container *c)
{
        return manager_get(c->manager, c->spec->network_target);
}

static int check_joined(const Container *c, const Container **ret, Fault *fault)
{
        const Container *other = joined_container(c);

        if (!other)
                return fault_set(fault, FAULT_NO_SUCH_CONTAINER, -ENOENT,
                                 "Network: there is no container '%s'", c->spec->network_target);
        if (other->leader_pid == 0 || other->is_leader_gone)
                return fault_set(fault, FAULT_BAD_STATE, -ESRCH,
                                 "Network: container '%s' is %s; start it first",
                                 c->spec->network_target, container_state_to_string(other->state));
        *ret = other;
        return 0;
}

int container_network_lease(Container *c, Fault *fault)
{
        const Container *other;
        int r = container_interfaces_check(c, fault);

        if (r < 0)
                return r;
        switch (c->spec->network) {
        case NETWORK_PRIVATE:
                r = lease_slot(c, fault);
                if (r >= 0)
                        r = check_mtu(c, fault);
                if (r >= 0)
                        r = container_check_bandwidth(c, &c->spec->limits.bandwidth, fault);
                if (r >= 0)
                        r = lease_segment(c, fault);
                if (r < 0)
                        container_network_release(c);
                return r;
        case NETWORK_CONTAINER:
                return check_joined(c, &other, fault);
        case NETWORK_HOST:
        case NETWORK_NONE:
        case NETWORK_NETNS:
        case _NETWORK_MODE_MAX:
        case _NETWORK_MODE_INVALID:
                break;
        }
        return 0;
}

int container_network_restore(Container *c, const NetworkAddresses *addresses)
{
        int r;

        r = network_pools_reserve(c->manager->networks, addresses);
        if (r < 0)
                return r;
        c->network = *addresses;
        c->has_network = 1;
        return lease_segment(c, NULL);
}

void container_network_release(Container *c)
{
        if (!c->has_network)
                return;
        if (c->segment > 0)
                segment_pool_release(c->manager->segments, c->spec->segment);
        c->segment = 0;
        network_pools_release(c->manager->networks, &c->network);
        c->has_network = 0;
}

/* resolv.conf and hosts. Without a network there is nobody to ask. */
static int plan_names(const Container *c, Plan *plan)
{
        char host[NETWORK_ADDRESS_MAX], own[NETWORK_ADDRESS_MAX], own6[NETWORK_ADDRESS_MAX];
        int has_six = c->has_network && c->network.prefix6;
        int r;

        if (c->spec->network == NETWORK_NONE ||
            (c->spec->network == NETWORK_PRIVATE && !c->has_network))
                return 0;
        if (c->has_network) {
                network_format4(c->network.host4, host);
                network_format4(c->network.container4, own);
        }
        if (has_six)
                network_format6(c->network.container6, own6);
        r = resolver_format(c->spec, c->has_network ? host : NULL, &plan->resolv_conf);
        if (r < 0)
                return r;
        return hosts_format(plan->hostname, c->has_network ? own : NULL, has_six ? own6 : NULL,
                            &plan->hosts);
}

static int plan_target(const Container *c, Plan *plan, Fault *fault)
{
        const Container *other;
        int r;

        if (c->spec->network == NETWORK_NETNS) {
                plan->network_target = strdup(c->spec->network_target);
                return plan->network_target ? 0 : -ENOMEM;
        }
        if (c->spec->network != NETWORK_CONTAINER)
                return 0;
        r = check_joined(c, &other, fault);
        if (r < 0)
                return r;
        if (asprintf(&plan->network_target, "/proc/%u/ns/net", other->leader_pid) < 0) {
                plan->network_target = NULL;
                return -ENOMEM;
        }
        return 0;
}

int container_network_plan(const Container *c, Plan *plan, Fault *fault)
{
        int r;

        plan->has_addresses = c->has_network;
        if (c->has_network) {
                plan->addresses = c->network;
                plan->mtu = c->spec->mtu ?: c->manager->conf.network_mtu;
        }
        r = plan_target(c, plan, fault);
        return r < 0 ? r : plan_names(c, plan);
}

int container_network_is_joined(const Container *c)
{
        const Container *other;

        if (c->spec->network != NETWORK_CONTAINER)
                return 1;
        other = joined_container(c);
        return other && other->leader_pid > 0 && !process_is_gone(other->leader_pidfd);
}

static int has_lost_interface(const Container *c)
{
        return c->has_network && (c->state == CONTAINER_ACTIVE || c->state == CONTAINER_FROZEN) &&
               !process_is_gone(c->leader_pidfd) && interface_index(c->network.interface) < 0;
}

static int on_interface_lost(sd_event_source *s, uint64_t usec, void *userdata)
{
        Container *c = userdata;
        char text[128];

        c->interface_source = sd_event_source_disable_unref(c->interface_source);
        if (!has_lost_interface(c))
                return 0;
        (void)snprintf(text, sizeof(text),
                       "Its interface %s was removed from the host; it has no network until it is "
                       "stopped and started",
                       c->network.interface);
        (void)container_log(c, LOG_WARNING, 0, MESSAGE_INTERFACE_LOST, text);
        return 0;
}

/* A process that ends lets go of its network before anybody hears of its end. */
void container_network_link_gone(Container *c)
{
        if (c->interface_source || !has_lost_interface(c))
                return;
        (void)sd_event_add_time_relative(c->manager->event, &c->interface_source, CLOCK_MONOTONIC,
                                         LOST_USEC, 0, on_interface_lost, c);
}
