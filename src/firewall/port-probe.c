/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "firewall/port-probe.h"

/* Returns 0 also when the host does not know the family or the protocol: then nobody uses it. */
static int bind_once(const PortForward *forward, int family, uint16_t port)
{
        static const struct {
                int type, protocol;
        } kinds[_NETWORK_PROTOCOL_MAX] = {
                [NETWORK_PROTOCOL_TCP] = { SOCK_STREAM, IPPROTO_TCP },
                [NETWORK_PROTOCOL_UDP] = { SOCK_DGRAM, IPPROTO_UDP },
                [NETWORK_PROTOCOL_SCTP] = { SOCK_STREAM, IPPROTO_SCTP },
        };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        _drop_(drop_fd) int fd = -EBADF;
        int yes = 1, r;

        memcpy(&in.sin_addr, forward->host_address.first, sizeof(in.sin_addr));
        memcpy(&in6.sin6_addr, forward->host_address.first, sizeof(in6.sin6_addr));
        fd = socket(family, kinds[forward->protocol].type | SOCK_CLOEXEC,
                    kinds[forward->protocol].protocol);
        if (fd < 0)
                return 0;
        /* Connections that are over, but waiting, do not count; for UDP it would mean to share. */
        if (forward->protocol != NETWORK_PROTOCOL_UDP)
                (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        if (family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
        r = family == AF_INET ? bind(fd, (const struct sockaddr *)&in, sizeof(in))
                              : bind(fd, (const struct sockaddr *)&in6, sizeof(in6));
        return r < 0 ? -errno : 0;
}

static int port_probe_family(const PortForward *forward, int family, Fault *fault)
{
        char address[IP_RANGE_MAX];

        if (forward->host_address.family != AF_UNSPEC && forward->host_address.family != family)
                return 0;
        ip_range_format(&forward->host_address, address);
        for (uint32_t i = 0; i < forward->count; i++) {
                uint16_t port = (uint16_t)(forward->host_port + i);
                int r = bind_once(forward, family, port);

                if (r == -EADDRINUSE)
                        return fault_set(fault, FAULT_IN_USE, r,
                                         "HostPort: %u/%s is in use by a process of the host", port,
                                         network_protocol_to_string(forward->protocol));
                if (r == -EADDRNOTAVAIL && *address)
                        return fault_set(fault, FAULT_INVALID, r,
                                         "HostAddress: %s is no address of this host", address);
        }
        return 0;
}

int port_probe(const PortForward *forward, Fault *fault)
{
        int r = port_probe_family(forward, AF_INET, fault);

        return r < 0 ? r : port_probe_family(forward, AF_INET6, fault);
}
