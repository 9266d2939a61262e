/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/name.h"
#include "model/network-spec.h"

static const char *const network_mode_table[_NETWORK_MODE_MAX] = {
        [NETWORK_PRIVATE] = "private",     [NETWORK_HOST] = "host",   [NETWORK_NONE] = "none",
        [NETWORK_CONTAINER] = "container", [NETWORK_NETNS] = "netns",
};

const char *network_mode_to_string(NetworkMode mode)
{
        return (int)mode >= 0 && mode < _NETWORK_MODE_MAX ? network_mode_table[mode] : NULL;
}

NetworkMode network_mode_from_string(const char *s)
{
        for (int i = 0; i < _NETWORK_MODE_MAX; i++)
                if (strcmp(network_mode_table[i], s) == 0)
                        return (NetworkMode)i;
        return _NETWORK_MODE_INVALID;
}

int container_spec_set_network(ContainerSpec *spec, const char *text, Fault *fault)
{
        _drop_(drop_free) char *target = NULL;
        const char *colon = strchr(text, ':');
        NetworkMode mode;
        char word[16];

        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, ":"), text);
        mode = network_mode_from_string(word);
        if ((int)mode < 0 || !!colon != (mode == NETWORK_CONTAINER || mode == NETWORK_NETNS))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Network: '%.64s' is not 'private', 'host', 'none', "
                                 "'container:NAME' or 'netns:PATH'",
                                 text);
        if (colon) {
                target = strdup(colon + 1);
                if (!target)
                        return -ENOMEM;
        }
        free(spec->network_target);
        spec->network_target = take_ptr(target);
        spec->network = mode;
        return 0;
}

char *container_spec_format_network(const ContainerSpec *spec)
{
        const char *mode = network_mode_to_string(spec->network) ?: "";
        char *text;

        if (!spec->network_target)
                return strdup(mode);
        return asprintf(&text, "%s:%s", mode, spec->network_target) < 0 ? NULL : text;
}

int container_spec_settle_segment(ContainerSpec *spec, Fault *fault)
{
        if (spec->isolation > 0 && spec->segment)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Isolated: contradicts Segment '%.64s'", spec->segment);
        if (spec->isolation >= 0 || spec->segment)
                return 0;
        spec->segment = strdup(SEGMENT_DEFAULT);
        return spec->segment ? 0 : -ENOMEM;
}

static int validate_mode(const ContainerSpec *spec, Fault *fault)
{
        const char *target = spec->network_target;

        switch (spec->network) {
        case NETWORK_PRIVATE:
        case NETWORK_HOST:
        case NETWORK_NONE:
                if (!target)
                        return 0;
                break;
        case NETWORK_CONTAINER:
                if (target && name_is_valid(target) &&
                    (!spec->name || strcmp(spec->name, target) != 0))
                        return 0;
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Network: '%.100s' is not the name of another container",
                                 target ?: "");
        case NETWORK_NETNS:
                return path_check(target ?: "", "Network", NULL, fault);
        case _NETWORK_MODE_MAX:
        case _NETWORK_MODE_INVALID:
                break;
        }
        return fault_set(fault, FAULT_INVALID, -EINVAL,
                         "Network: is not 'private', 'host', 'none', 'container:NAME' or "
                         "'netns:PATH'");
}

/* Each of them is an address or a place of the container's own interface. */
static int validate_own(const ContainerSpec *spec, Fault *fault)
{
        const char *field = spec->network_pool     ? "NetworkPool"
                            : spec->address        ? "Address"
                            : spec->interface_name ? "InterfaceName"
                                                   : "MTU";

        if (spec->network != NETWORK_PRIVATE &&
            (spec->network_pool || spec->address || spec->interface_name || spec->mtu > 0))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: is only for Network=private",
                                 field);
        if (spec->network_pool && !network_pool_name_is_valid(spec->network_pool))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "NetworkPool: '%.64s' is not a name", spec->network_pool);
        if (spec->address && !network_address_is_valid(spec->address))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Address: '%.64s' is not an IPv4 or IPv6 address", spec->address);
        if (spec->interface_name && !network_interface_name_is_valid(spec->interface_name))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "InterfaceName: '%.64s' is not at most %d letters, digits and "
                                 "signs but '/', ':' and '%%', or is reserved",
                                 spec->interface_name, NETWORK_INTERFACE_MAX - 1);
        if (spec->mtu > 0 && (spec->mtu < NETWORK_MTU_MIN || spec->mtu > NETWORK_MTU_MAX))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "MTU: %u is not from %d to %d",
                                 spec->mtu, NETWORK_MTU_MIN, NETWORK_MTU_MAX);
        return 0;
}

int segment_name_check(const char *name, Fault *fault)
{
        if (name_is_valid(name))
                return 0;
        return fault_set(fault, FAULT_INVALID, -EINVAL,
                         "Segment: '%.64s' is not 1 to %d letters, digits and _ . -, the first a "
                         "letter or digit",
                         name, CONTAINER_NAME_MAX);
}

static int validate_segment(const ContainerSpec *spec, Fault *fault)
{
        if (!spec->segment)
                return 0;
        if (spec->network != NETWORK_PRIVATE)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Segment: is only for Network=private");
        return segment_name_check(spec->segment, fault);
}

static int validate_interface(const ContainerSpec *spec, char *const *p, Fault *fault)
{
        const char *own = spec->interface_name ?: NETWORK_INTERFACE_INSIDE;

        if (!network_interface_name_is_valid(*p))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Interfaces: '%.64s' is not an interface that can be moved", *p);
        if (strncmp(*p, "w-", 2) == 0 || strncmp(*p, "i-", 2) == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Interfaces: '%s' is, by its name, the host's side of a container",
                                 *p);
        if (spec->network == NETWORK_PRIVATE && strcmp(*p, own) == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Interfaces: '%s' is what the container's own is called; give "
                                 "that another InterfaceName",
                                 *p);
        for (char **other = spec->interfaces; other != p; other++)
                if (strcmp(*other, *p) == 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Interfaces: '%s' is given twice", *p);
        return 0;
}

static int validate_interfaces(const ContainerSpec *spec, Fault *fault)
{
        if (!spec->interfaces || !*spec->interfaces)
                return 0;
        if (spec->network != NETWORK_PRIVATE && spec->network != NETWORK_NONE)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Interfaces: is only for Network=private and Network=none");
        if (strv_length(spec->interfaces) > INTERFACES_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "Interfaces: more than %d",
                                 INTERFACES_MAX);
        for (char **p = spec->interfaces; *p; p++) {
                int r = validate_interface(spec, p, fault);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int validate_bandwidth(const ContainerSpec *spec, Fault *fault)
{
        if (spec->network != NETWORK_PRIVATE && spec->limits.bandwidth.set)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: is only for Network=private",
                                 bandwidth_limits_name(&spec->limits.bandwidth));
        return 0;
}

static int validate_dns(const ContainerSpec *spec, Fault *fault)
{
        if (spec->network == NETWORK_NONE && (spec->dns || spec->dns_search))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: is not for Network=none",
                                 spec->dns ? "DNS" : "DNSSearch");
        if (strv_length(spec->dns) > DNS_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "DNS: more than %d", DNS_MAX);
        if (strv_length(spec->dns_search) > DNS_SEARCH_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "DNSSearch: more than %d",
                                 DNS_SEARCH_MAX);
        for (char **p = spec->dns; p && *p; p++)
                if (!network_address_is_valid(*p))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "DNS: '%.64s' is not an IPv4 or IPv6 address", *p);
        for (char **p = spec->dns_search; p && *p; p++)
                if (!domain_is_valid(*p))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "DNSSearch: '%.100s' is not a domain", *p);
        return 0;
}

int container_spec_validate_network(const ContainerSpec *spec, Fault *fault)
{
        int r;

        r = validate_mode(spec, fault);
        if (r >= 0)
                r = validate_own(spec, fault);
        if (r >= 0)
                r = validate_segment(spec, fault);
        if (r >= 0)
                r = validate_bandwidth(spec, fault);
        if (r >= 0)
                r = validate_interfaces(spec, fault);
        return r < 0 ? r : validate_dns(spec, fault);
}
