/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "firewall/conntrack.h"

/* -- reading -- */

static size_t address_size(int family)
{
        return family == AF_INET ? 4 : 16;
}

static int read_address(struct nlattr *ip, int family, int v4, int v6, uint8_t ret[16])
{
        struct nlattr *a = nla_find(nla_data(ip), nla_len(ip), family == AF_INET ? v4 : v6);

        if (!a || (size_t)nla_len(a) != address_size(family))
                return -EBADMSG;
        memcpy(ret, nla_data(a), address_size(family));
        return 0;
}

static uint32_t read_number(struct nlattr *nested, int type)
{
        struct nlattr *a = nla_find(nla_data(nested), nla_len(nested), type);

        if (!a)
                return 0;
        return nla_len(a) == 1 ? nla_get_u8(a) : nla_len(a) == 2 ? ntohs(nla_get_u16(a)) : 0;
}

/* The nested attribute @type of @in, or NULL. */
static struct nlattr *find_nested(struct nlattr *in, int type)
{
        return in ? nla_find(nla_data(in), nla_len(in), type) : NULL;
}

int connection_parse(struct nlmsghdr *answer, Connection *ret)
{
        Connection c = { .family = AF_UNSPEC };
        const struct nfgenmsg *head = nlmsg_data(answer);
        struct nlattr *original, *reply, *ip, *reply_ip, *protocol;

        if (nlmsg_datalen(answer) < (int)sizeof(*head))
                return -EBADMSG;
        c.family = head->nfgen_family;
        original = nlmsg_find_attr(answer, sizeof(*head), CTA_TUPLE_ORIG);
        reply = nlmsg_find_attr(answer, sizeof(*head), CTA_TUPLE_REPLY);
        ip = find_nested(original, CTA_TUPLE_IP);
        protocol = find_nested(original, CTA_TUPLE_PROTO);
        reply_ip = find_nested(reply, CTA_TUPLE_IP);
        if ((c.family != AF_INET && c.family != AF_INET6) || !ip || !protocol || !reply_ip)
                return -EBADMSG;
        if (read_address(ip, c.family, CTA_IP_V4_SRC, CTA_IP_V6_SRC, c.source) < 0 ||
            read_address(ip, c.family, CTA_IP_V4_DST, CTA_IP_V6_DST, c.target) < 0 ||
            read_address(reply_ip, c.family, CTA_IP_V4_SRC, CTA_IP_V6_SRC, c.answerer) < 0)
                return -EBADMSG;
        c.protocol = (uint8_t)read_number(protocol, CTA_PROTO_NUM);
        c.target_port = (uint16_t)read_number(protocol, CTA_PROTO_DST_PORT);
        if (c.protocol == IPPROTO_ICMP) {
                c.icmp_type = (uint8_t)read_number(protocol, CTA_PROTO_ICMP_TYPE);
                c.icmp_code = (uint8_t)read_number(protocol, CTA_PROTO_ICMP_CODE);
        } else if (c.protocol == IPPROTO_ICMPV6) {
                c.icmp_type = (uint8_t)read_number(protocol, CTA_PROTO_ICMPV6_TYPE);
                c.icmp_code = (uint8_t)read_number(protocol, CTA_PROTO_ICMPV6_CODE);
        }
        *ret = c;
        return 0;
}

/* -- matching -- */

static int is_container(const Connection *c, const uint8_t address[16],
                        const NetworkAddresses *addresses)
{
        if (c->family == AF_INET)
                return memcmp(address, &addresses->container4, 4) == 0;
        return addresses->prefix6 > 0 && memcmp(address, addresses->container6, 16) == 0;
}

static int has_protocol(const Connection *c, NetworkProtocol protocol)
{
        static const uint8_t numbers[_NETWORK_PROTOCOL_MAX] = {
                [NETWORK_PROTOCOL_TCP] = IPPROTO_TCP,       [NETWORK_PROTOCOL_UDP] = IPPROTO_UDP,
                [NETWORK_PROTOCOL_SCTP] = IPPROTO_SCTP,     [NETWORK_PROTOCOL_ICMP] = IPPROTO_ICMP,
                [NETWORK_PROTOCOL_ICMPV6] = IPPROTO_ICMPV6,
        };

        return protocol == NETWORK_PROTOCOL_ANY || c->protocol == numbers[protocol];
}

static int has_target(const Connection *c, const IpRange *range)
{
        size_t n = address_size(c->family);

        return c->family == range->family && memcmp(c->target, range->first, n) >= 0 &&
               memcmp(c->target, range->last, n) <= 0;
}

int connection_has_container(const Connection *c, const NetworkAddresses *addresses)
{
        return is_container(c, c->source, addresses) || is_container(c, c->target, addresses) ||
               is_container(c, c->answerer, addresses);
}

int connection_has_forward(const Connection *c, const PortForward *forward,
                           const NetworkAddresses *addresses)
{
        const IpRange *host = &forward->host_address;

        if (!is_container(c, c->answerer, addresses) || is_container(c, c->target, addresses) ||
            !has_protocol(c, forward->protocol))
                return 0;
        if (c->target_port < forward->host_port ||
            c->target_port - forward->host_port >= forward->count)
                return 0;
        if (host->family == AF_UNSPEC)
                return 1;
        return host_address_is_any(host) ? host->family == c->family : has_target(c, host);
}

static int has_ports(const Connection *c, const EgressRule *rule)
{
        for (size_t i = 0; i < rule->n_ports; i++)
                if (c->target_port >= rule->ports[i].first && c->target_port <= rule->ports[i].last)
                        return 1;
        return rule->n_ports == 0;
}

static int has_networks(const Connection *c, const EgressRule *rule)
{
        for (size_t i = 0; i < rule->n_networks; i++)
                if (has_target(c, &rule->networks[i]))
                        return 1;
        return rule->n_networks == 0;
}

int connection_has_rule(const Connection *c, const EgressRule *rule,
                        const NetworkAddresses *addresses)
{
        return is_container(c, c->source, addresses) && has_protocol(c, rule->protocol) &&
               has_ports(c, rule) && has_networks(c, rule) &&
               (rule->icmp_type < 0 || c->icmp_type == rule->icmp_type) &&
               (rule->icmp_code < 0 || c->icmp_code == rule->icmp_code);
}

int connection_is_between(const Connection *c, const NetworkAddresses *a, const NetworkAddresses *b)
{
        return (is_container(c, c->source, a) && is_container(c, c->target, b)) ||
               (is_container(c, c->source, b) && is_container(c, c->target, a));
}

/* -- cutting -- */

typedef struct Cut {
        const FirewallContainer *const *containers;
        size_t n_containers;
        int (*is_meant)(const Connection *c, const FirewallContainer *container);
        const FirewallContainer *others; /* with the first container: what is between them, too */
        size_t n_others;
        struct nl_msg **messages; /* that forget one each */
        size_t n;
} Cut;

/* Nobody but the host itself can have a socket at its address. A forwarded port is at one of its
 * addresses, too, but is answered by somebody else. */
static int is_host(const Connection *c)
{
        _drop_(drop_fd) int fd = socket(c->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        struct sockaddr_in v4 = { .sin_family = AF_INET };

        if (memcmp(c->target, c->answerer, address_size(c->family)) != 0)
                return 0;
        memcpy(&v4.sin_addr, c->target, sizeof(v4.sin_addr));
        memcpy(&v6.sin6_addr, c->target, sizeof(v6.sin6_addr));
        return fd >= 0 &&
               (c->family == AF_INET ? bind(fd, (const struct sockaddr *)&v4, sizeof(v4))
                                     : bind(fd, (const struct sockaddr *)&v6, sizeof(v6))) == 0;
}

static int is_of_container(const Connection *c, const FirewallContainer *container)
{
        return connection_has_container(c, &container->addresses);
}

static int is_taken_back(const Connection *c, const FirewallContainer *container)
{
        for (size_t i = 0; i < container->n_forwards; i++)
                if (connection_has_forward(c, &container->forwards[i], &container->addresses))
                        return 1;
        for (size_t i = 0; i < container->n_rules; i++) {
                const EgressRule *rule = &container->rules[i];

                if (connection_has_rule(c, rule, &container->addresses) &&
                    is_host(c) == !!rule->is_host)
                        return 1;
        }
        return 0;
}

/* The same one, by the kernel's own words for it; the id keeps a later one with the same ports. */
static struct nl_msg *new_removal(struct nlmsghdr *answer, int family)
{
        _drop_(drop_nl_msg) struct nl_msg *m = NULL;
        static const int types[] = { CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE };

        m = netfilter_message_new(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST,
                                  family);
        for (size_t i = 0; m && i < ELEMENTSOF(types); i++) {
                struct nlattr *a = nlmsg_find_attr(answer, sizeof(struct nfgenmsg), types[i]);

                if (a && nla_put(m, a->nla_type, nla_len(a), nla_data(a)) < 0)
                        return NULL;
        }
        return take_ptr(m);
}

static int is_meant(const Cut *cut, const Connection *c)
{
        for (size_t i = 0; i < cut->n_containers; i++)
                if (cut->is_meant(c, cut->containers[i]))
                        return 1;
        for (size_t i = 0; i < cut->n_others; i++)
                if (connection_is_between(c, &cut->containers[0]->addresses,
                                          &cut->others[i].addresses))
                        return 1;
        return 0;
}

static int on_connection(void *userdata, struct nlmsghdr *answer)
{
        Cut *cut = userdata;
        struct nl_msg **messages;
        Connection c;

        if (connection_parse(answer, &c) < 0 || !is_meant(cut, &c))
                return 0;
        messages = reallocarray(cut->messages, cut->n + 1, sizeof(struct nl_msg *));
        if (!messages)
                return -ENOMEM;
        cut->messages = messages;
        messages[cut->n] = new_removal(answer, c.family);
        if (!messages[cut->n])
                return -ENOMEM;
        cut->n++;
        return 0;
}

/* All of a family's: the kernel can choose by addresses, but then those that are begun from one and
 * those that end there are two lists, and it walks the whole table for each of them anyway. */
static int list_family(Netfilter *netfilter, int family, Cut *cut)
{
        _drop_(drop_nl_msg) struct nl_msg *m = netfilter_message_new(
                NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP, family);

        return m ? netfilter_dump(netfilter, m, on_connection, cut) : -ENOMEM;
}

static int remove_listed(Netfilter *netfilter, const Cut *cut)
{
        for (size_t i = 0; i < cut->n; i++) {
                int r = netfilter_call(netfilter, cut->messages[i]);

                /* It has ended meanwhile. */
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

static void cut_done(Cut *cut)
{
        for (size_t i = 0; i < cut->n; i++)
                netfilter_message_free(cut->messages[i]);
        free(cut->messages);
        cut->messages = NULL;
        cut->n = 0;
}

/* @cut   says which; nothing is listed in it before and after */
static int cut_family(Netfilter *netfilter, int family, Cut *cut, size_t *n)
{
        int r = -EINTR;

        for (int i = 0; i < NETFILTER_ATTEMPTS_MAX && netfilter_is_transient(r); i++) {
                int removed;

                r = list_family(netfilter, family, cut);
                removed = r >= 0 || netfilter_is_transient(r) ? remove_listed(netfilter, cut) : 0;
                *n += cut->n;
                cut_done(cut);
                if (removed < 0)
                        return removed;
        }
        return r;
}

static int cut_all(Netfilter *netfilter, Cut *cut, size_t *n)
{
        int has_ipv6 = 0, r;

        for (size_t i = 0; i < cut->n_containers; i++)
                has_ipv6 |= cut->containers[i]->addresses.prefix6 > 0;
        r = cut_family(netfilter, AF_INET, cut, n);
        if (r >= 0 && has_ipv6)
                r = cut_family(netfilter, AF_INET6, cut, n);
        /* What the kernel says of a family of requests that it does not have. */
        return r == -EINVAL ? -EOPNOTSUPP : r;
}

int conntrack_cut(Netfilter *netfilter, const FirewallContainer *containers, size_t n_containers,
                  size_t *ret_n, Fault *fault)
{
        Cut cut = { .containers = &containers,
                    .n_containers = 1,
                    .is_meant = is_taken_back,
                    .others = containers + 1,
                    .n_others = n_containers - 1 };
        size_t n = 0;
        int r;

        r = cut_all(netfilter, &cut, &n);
        if (r == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 "CutConnections: this kernel is without 'nf_conntrack_netlink' "
                                 "(try 'modprobe nf_conntrack_netlink')");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot cut connections: %m");
        *ret_n = n;
        return 0;
}

/* To list what there is costs a millisecond for a table that is empty, too. */
static int is_table_empty(void)
{
        _drop_(drop_free) char *text = NULL;
        size_t size;

        return io_read_file(AT_FDCWD, "/proc/sys/net/netfilter/nf_conntrack_count", 32, &text,
                            &size) >= 0 &&
               strcmp(text, "0\n") == 0;
}

int conntrack_forget(Netfilter *netfilter, const FirewallContainer *const *containers,
                     size_t n_containers)
{
        Cut cut = { .containers = containers,
                    .n_containers = n_containers,
                    .is_meant = is_of_container };
        size_t n = 0;

        if (n_containers == 0 || is_table_empty())
                return 0;
        return cut_all(netfilter, &cut, &n);
}
