/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "model/forward.h"

static const char *const protocol_names[_NETWORK_PROTOCOL_MAX] = {
        [NETWORK_PROTOCOL_ANY] = "",      [NETWORK_PROTOCOL_TCP] = "tcp",
        [NETWORK_PROTOCOL_UDP] = "udp",   [NETWORK_PROTOCOL_SCTP] = "sctp",
        [NETWORK_PROTOCOL_ICMP] = "icmp", [NETWORK_PROTOCOL_ICMPV6] = "icmpv6",
};

const char *network_protocol_to_string(NetworkProtocol protocol)
{
        return protocol_names[protocol];
}

NetworkProtocol network_protocol_from_string(const char *s)
{
        for (int i = 0; i < _NETWORK_PROTOCOL_MAX; i++)
                if (strcmp(protocol_names[i], s) == 0)
                        return (NetworkProtocol)i;
        return _NETWORK_PROTOCOL_INVALID;
}

int network_protocol_has_ports(NetworkProtocol protocol)
{
        return protocol == NETWORK_PROTOCOL_TCP || protocol == NETWORK_PROTOCOL_UDP ||
               protocol == NETWORK_PROTOCOL_SCTP;
}

static int port_check(uint32_t port, uint32_t count, const char *what, const char *field,
                      Fault *fault)
{
        if (port >= 1 && port <= UINT16_MAX && port + count - 1 <= UINT16_MAX)
                return 0;
        if (count > 1)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s%s: %u ports from %u are not all from 1 to 65535", what, field,
                                 count, port);
        return fault_set(fault, FAULT_INVALID, -EINVAL, "%s%s: %u is not from 1 to 65535", what,
                         field, port);
}

int port_forward_validate(const PortForward *f, const char *what, Fault *fault)
{
        int r;

        if (!network_protocol_has_ports(f->protocol))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%sProtocol: is 'tcp', 'udp' or 'sctp'", what);
        if (f->count < 1 || f->count > FORWARD_COUNT_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%sCount: %u is not from 1 to %u",
                                 what, f->count, FORWARD_COUNT_MAX);
        r = port_check(f->container_port, f->count, what, "ContainerPort", fault);
        if (r >= 0 && f->host_port > 0)
                r = port_check(f->host_port, f->count, what, "HostPort", fault);
        if (r < 0)
                return r;
        if (f->host_address.family != AF_UNSPEC &&
            (!ip_range_is_valid(&f->host_address) || !ip_range_is_single(&f->host_address)))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%sHostAddress: is one address",
                                 what);
        return 0;
}

int host_address_is_any(const IpRange *address)
{
        static const uint8_t zero[sizeof(address->first)];

        return address->family == AF_UNSPEC || memcmp(address->first, zero, sizeof(zero)) == 0;
}

int host_addresses_overlap(const IpRange *a, const IpRange *b)
{
        if (a->family == AF_UNSPEC || b->family == AF_UNSPEC)
                return 1;
        return a->family == b->family &&
               (host_address_is_any(a) || host_address_is_any(b) || ip_range_equal(a, b));
}

int port_forward_overlaps(const PortForward *a, const PortForward *b)
{
        if (a->protocol != b->protocol || a->host_port >= b->host_port + b->count ||
            b->host_port >= a->host_port + a->count)
                return 0;
        return host_addresses_overlap(&a->host_address, &b->host_address);
}

int port_forward_equal(const PortForward *a, const PortForward *b)
{
        return a->protocol == b->protocol && a->host_port == b->host_port &&
               a->container_port == b->container_port && a->count == b->count &&
               ip_range_equal(&a->host_address, &b->host_address);
}

static void ports_format(uint32_t port, uint32_t count, char ret[16])
{
        if (count > 1)
                (void)snprintf(ret, 16, "%u-%u", port & UINT16_MAX,
                               (port + count - 1) & UINT16_MAX);
        else
                (void)snprintf(ret, 16, "%u", port & UINT16_MAX);
}

void port_forward_format(const PortForward *f, char ret[PORT_FORWARD_TEXT_MAX])
{
        char address[IP_RANGE_MAX], host[16], container[16];
        int is_v6 = f->host_address.family == AF_INET6;

        ip_range_format(&f->host_address, address);
        ports_format(f->host_port, f->count, host);
        ports_format(f->container_port, f->count, container);
        (void)snprintf(ret, PORT_FORWARD_TEXT_MAX, "%s%s%s%s%s:%s/%s", is_v6 ? "[" : "", address,
                       is_v6 ? "]" : "", *address ? ":" : "", host, container,
                       network_protocol_to_string(f->protocol));
}

/* "80" or "80-89". */
static int ports_parse(char *text, uint32_t *ret_first, uint32_t *ret_count)
{
        char *dash = strchr(text, '-');
        uint32_t first, last;
        int r;

        if (dash)
                *dash = 0;
        r = parse_u32(text, &first);
        if (r < 0)
                return r;
        last = first;
        if (dash)
                r = parse_u32(dash + 1, &last);
        if (r < 0 || last < first || last > UINT16_MAX)
                return -EINVAL;
        *ret_first = first;
        *ret_count = last - first + 1;
        return 0;
}

static int address_parse(char *text, PortForward *f, Fault *fault)
{
        size_t n = strlen(text);

        if (n == 0 || strcmp(text, "*") == 0)
                return 0;
        if (text[0] == '[' && text[n - 1] == ']') {
                text[n - 1] = 0;
                text++;
        } else if (strchr(text, ':')) {
                return -EINVAL;
        }
        return ip_range_parse("HostAddress", text, &f->host_address, fault);
}

static int forward_parse(char *text, PortForward *f, Fault *fault)
{
        char *slash = strrchr(text, '/'), *colon;
        uint32_t host_count = 0;
        int r;

        if (slash) {
                *slash = 0;
                f->protocol = network_protocol_from_string(slash + 1);
        }
        colon = strrchr(text, ':');
        r = ports_parse(colon ? colon + 1 : text, &f->container_port, &f->count);
        if (r < 0 || !colon)
                return r;
        *colon = 0;
        colon = strrchr(text, ':');
        if (colon && strchr(colon, ']'))
                return -EINVAL;
        if (colon)
                *colon = 0;
        if (*(colon ? colon + 1 : text) != 0) {
                r = ports_parse(colon ? colon + 1 : text, &f->host_port, &host_count);
                if (r < 0 || (f->host_port > 0 && host_count != f->count))
                        return -EINVAL;
        }
        return colon ? address_parse(text, f, fault) : 0;
}

int port_forward_parse(const char *text, PortForward *ret, Fault *fault)
{
        PortForward forward = PORT_FORWARD_INIT;
        char copy[PORT_FORWARD_TEXT_MAX];
        int r = -EINVAL;

        if (strlen(text) < sizeof(copy)) {
                (void)snprintf(copy, sizeof(copy), "%s", text);
                r = forward_parse(copy, &forward, fault);
        }
        if (r >= 0 && (int)forward.protocol >= 0)
                r = port_forward_validate(&forward, "", fault);
        if (r < 0 || (int)forward.protocol < 0)
                return fault_set(
                        fault, FAULT_INVALID, -EINVAL,
                        "'%.64s' is not [ADDRESS:][HOST-PORT:]CONTAINER-PORT[/PROTOCOL], as "
                        "in 8080:80, 127.0.0.1:5353:53/udp or 9000-9009:9000-9009",
                        text);
        *ret = forward;
        return 0;
}

int port_forwards_append(PortForward **array, size_t *n, const PortForward *forward, Fault *fault)
{
        PortForward *p;

        if (*n >= FORWARDS_MAX)
                return fault_set(fault, FAULT_LIMIT, -E2BIG,
                                 "there are %u forwards, the most that a container may have",
                                 FORWARDS_MAX);
        p = realloc(*array, (*n + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        *array = p;
        p[(*n)++] = *forward;
        return 0;
}

void port_forwards_remove(PortForward *array, size_t *n, size_t index)
{
        memmove(array + index, array + index + 1, (*n - index - 1) * sizeof(*array));
        (*n)--;
}
