/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "model/ip-range.h"

/* A port of the host that leads into a container, or several in a row. */

typedef enum NetworkProtocol {
        NETWORK_PROTOCOL_ANY, /* not of a forward */
        NETWORK_PROTOCOL_TCP,
        NETWORK_PROTOCOL_UDP,
        NETWORK_PROTOCOL_SCTP,
        NETWORK_PROTOCOL_ICMP,
        NETWORK_PROTOCOL_ICMPV6,
        _NETWORK_PROTOCOL_MAX,
        _NETWORK_PROTOCOL_INVALID = -22,
} NetworkProtocol;

const char *network_protocol_to_string(NetworkProtocol protocol); /* "" for any */
NetworkProtocol network_protocol_from_string(const char *s);
int network_protocol_has_ports(NetworkProtocol protocol);

#define FORWARD_COUNT_MAX 1024 /* ports of one forward: each is an element of a set */
#define FORWARDS_MAX 256       /* of one container */

typedef struct PortForward {
        NetworkProtocol protocol;
        uint32_t host_port; /* the first; 0 while the pool has not been asked */
        uint32_t container_port;
        uint32_t count;
        IpRange host_address; /* one address; AF_UNSPEC: every address of the host; 0.0.0.0 or ::
                                 every one of a family */
} PortForward;

/* Protocol tcp, one port, every address. */
#define PORT_FORWARD_INIT ((PortForward){ .protocol = NETWORK_PROTOCOL_TCP, .count = 1 })

/* Ports from 1 to 65535 (the host's may be 0), a count that stays below, a protocol with ports, one
 * address. @what is put in front of the field's name. Returns 0; -EINVAL with a fault. */
int port_forward_validate(const PortForward *forward, const char *what, Fault *fault);

/* Does it stand for more than one address? */
int host_address_is_any(const IpRange *address);
int host_addresses_overlap(const IpRange *a, const IpRange *b);

/* Do both want one port of the host? */
int port_forward_overlaps(const PortForward *a, const PortForward *b);
int port_forward_equal(const PortForward *a, const PortForward *b);

/* "[ADDRESS:]HOST[-LAST]:CONTAINER[-LAST]/PROTOCOL" for messages. */
#define PORT_FORWARD_TEXT_MAX 160
void port_forward_format(const PortForward *forward, char ret[PORT_FORWARD_TEXT_MAX]);

/* What `docker run --publish` takes: [ADDRESS:][HOST[-LAST]:]CONTAINER[-LAST][/PROTOCOL], an IPv6
 * address in brackets. Returns 0; -EINVAL with a fault that shows a good one. */
int port_forward_parse(const char *text, PortForward *ret, Fault *fault);

/* Growing arrays of forwards. append returns 0; -ENOMEM; -E2BIG with a fault at FORWARDS_MAX. */
int port_forwards_append(PortForward **array, size_t *n, const PortForward *forward, Fault *fault);
void port_forwards_remove(PortForward *array, size_t *n, size_t index);
