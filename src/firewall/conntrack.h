/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "firewall/netfilter.h"
#include "wire/firewall-message.h"

/* Connections that the kernel keeps track of. Whether one may begin is decided by its first packet;
 * those that live on are let through because they are known. So one is cut by forgetting it: what
 * follows is no beginning, and is refused (text.c). */

typedef struct Connection {
        int family;         /* AF_INET, AF_INET6 */
        uint8_t protocol;   /* IPPROTO_* */
        uint8_t source[16]; /* as the one who began it sees them; 4 bytes of AF_INET */
        uint8_t target[16];
        uint8_t answerer[16]; /* who really answers: another one when a forward leads there */
        uint16_t target_port;
        uint8_t icmp_type, icmp_code;
} Connection;

/* Reads an answer of the kernel's. Returns 0; -EBADMSG. */
int connection_parse(struct nlmsghdr *answer, Connection *ret);

/* Does it come through this forward into that container? */
int connection_has_forward(const Connection *connection, const PortForward *forward,
                           const NetworkAddresses *addresses);

/* Was it begun by that container, to where this rule allows it? But for its is_host, since only the
 * kernel knows the addresses of the host. */
int connection_has_rule(const Connection *connection, const EgressRule *rule,
                        const NetworkAddresses *addresses);

/* Was it begun by that container, or does it end there? */
int connection_has_container(const Connection *connection, const NetworkAddresses *addresses);

/* Is it between these two containers, whoever began it, and by no forward? */
int connection_is_between(const Connection *connection, const NetworkAddresses *a,
                          const NetworkAddresses *b);

/* Cuts those that come by the forwards of the first container, those that its rules allow, and
 * those between it and one of the others.
 * @n        at least 1
 * @ret_n    how many
 * Returns 0; -EOPNOTSUPP (FAULT_NOT_SUPPORTED) the kernel cannot; negative errno with a fault. */
int conntrack_cut(Netfilter *netfilter, const FirewallContainer *containers, size_t n,
                  size_t *ret_n, Fault *fault);

/* Cuts all that containers which are gone have had, so that nothing that was meant for one gets to
 * the next with its address, and a client of a forwarded port is led to where it leads now. What
 * cannot be cut ends by itself when nothing more is heard of it.
 * Returns 0; -EOPNOTSUPP the kernel cannot; negative errno. */
int conntrack_forget(Netfilter *netfilter, const FirewallContainer *const *containers,
                     size_t n_containers);
