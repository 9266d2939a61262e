/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "basic/macro.h"
#include "firewall/link-address.h"
#include "firewall/rule.h"
#include "firewall/text.h"

#define INET "inet warden"
#define ARP "arp warden"

/* The way of a packet. Names of interfaces are what decides: a container has one, and nobody but
 * the host names it.
 *
 *   from a container   guard (before conntrack, so that a forged packet leaves no trace), forwards,
 *                      then egress, or input when it is for the host
 *   to a container     forwards, ingress
 *
 * `ct original` in rules of egress is what the container asked for, also where a forward has made
 * another address of it. */

static const char base_sets[] =
        "        set slots { type ifname; }\n"
        "        set leaving { type ifname; flags timeout; timeout 3m; }\n"
        "        set refused { type ifname; counter; }\n"
        "        set forged { type ifname; counter; }\n"
        "        set guard4 { type ifname . ether_addr . ipv4_addr; }\n"
        "        set guard6 { type ifname . ether_addr . ipv6_addr; }\n"
        "        set self4 { type ipv4_addr . ipv4_addr; }\n"
        "        set self6 { type ipv6_addr . ipv6_addr; }\n"
        "        set allow4 { type ipv4_addr; flags interval; auto-merge; }\n"
        "        set allow6 { type ipv6_addr; flags interval; auto-merge; }\n"
        "        set deny4 { type ipv4_addr; flags interval; auto-merge; }\n"
        "        set deny6 { type ipv6_addr; flags interval; auto-merge; }\n"
        "        map forwards4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
        "        map forwards6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
        "        map addressed4 {\n"
        "                type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service;\n"
        "        }\n"
        "        map addressed6 {\n"
        "                type inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service;\n"
        "        }\n"
        "        map segments { type ifname : mark; }\n"
        "        set members { type mark . ifname; }\n"
        "        map rules { type ifname : verdict; }\n"
        "        map host_rules { type ifname : verdict; }\n";

/* When the processes of a container are gone, its kernel goes on for minutes to end their
 * connections, and keeps the network as long, unless it is told that there is nobody: `leaving` has
 * the interfaces of those that were removed. They are answered here, as the host does not forward
 * without a container.
 *
 * What a container's kernel says to groups by itself, here before its interface has an address, is
 * nobody's forgery, and of no use to anybody; the same in `input`.
 *
 * 127.0.0.0/8 as a destination: forwards of the host's loopback need route_localnet on the
 * container's interface, which without this rule would open that network to the container. */
static const char base_guard[] =
        "        chain guard {\n"
        "                type filter hook prerouting priority raw; policy accept;\n"
        "                iifname != @slots goto others\n"
        "                ip daddr 127.0.0.0/8 goto forgery\n"
        "                iifname . ether saddr . ip saddr @guard4 goto services\n"
        "                iifname . ether saddr . ip6 saddr @guard6 goto services\n"
        "                ip6 saddr :: icmpv6 type nd-neighbor-solicit accept\n"
        "                ip6 saddr :: icmpv6 type mld2-listener-report drop\n"
        "                goto forgery\n"
        "        }\n"
        "        chain others {\n"
        "                iifname @leaving goto refuse\n"
        "        }\n"
        "        chain services {\n"
        "                icmpv6 type { nd-router-advert, nd-redirect } goto forgery\n"
        "                udp sport 67 udp dport 68 goto forgery\n"
        "                udp sport 547 udp dport 546 goto forgery\n"
        "        }\n"
        "        chain forgery {\n"
        "                iifname @forged\n"
        "                counter drop\n"
        "        }\n";

static const char base_nat[] =
        "        chain prerouting {\n"
        "                type nat hook prerouting priority dstnat; policy accept;\n"
        "                fib daddr type local jump forwards\n"
        "        }\n"
        "        chain output {\n"
        "                type nat hook output priority -100; policy accept;\n"
        "                fib daddr type local jump forwards\n"
        "        }\n"
        "        chain forwards {\n"
        "                dnat ip to meta l4proto . ip daddr . th dport map @addressed4\n"
        "                dnat ip6 to meta l4proto . ip6 daddr . th dport map @addressed6\n"
        "                dnat ip to meta l4proto . th dport map @forwards4\n"
        "                dnat ip6 to meta l4proto . th dport map @forwards6\n"
        "        }\n"
        "        chain postrouting {\n"
        "                type nat hook postrouting priority srcnat; policy accept;\n"
        "                oifname @slots goto inwards\n"
        "                iifname @slots masquerade\n"
        "        }\n"
        "        chain inwards {\n"
        "                ip saddr 127.0.0.0/8 masquerade\n"
        "                ip saddr . ip daddr @self4 masquerade\n"
        "                ip6 saddr . ip6 daddr @self6 masquerade\n"
        "        }\n";

/* What has no state and is not the first packet of a TCP connection: one that was cut, or that the
 * kernel has forgotten. It would be taken for a new one, and go on where the rules allow it. */
#define IS_STRAY "ct state new tcp flags & (fin | syn | rst | ack) != syn"

/* Two containers may talk when the number of the one's segment is that of the other's. Values of
 * two maps cannot be compared, so it is looked up whether the other is a member; the packet's mark
 * is the only place for the number meanwhile. It is a first packet, between two containers. */
static const char base_filter[] =
        "        chain forward {\n"
        "                type filter hook forward priority filter - 5; policy accept;\n"
        "                ct state established,related accept\n"
        "                iifname @slots goto egress\n"
        "                oifname @slots goto ingress\n"
        "        }\n"
        "        chain egress {\n"
        "                ct state invalid counter drop\n"
        "                " IS_STRAY " goto refuse\n"
        "                iifname vmap @rules\n"
        "                oifname @slots jump segment\n"
        "                ct original ip daddr @allow4 counter accept\n"
        "                ct original ip6 daddr @allow6 counter accept\n"
        "                ct original ip daddr @deny4 goto refuse\n"
        "                ct original ip6 daddr @deny6 goto refuse\n"
        "                ct status dnat counter accept\n"
        "                oifname @slots goto refuse\n"
        "                counter accept\n"
        "        }\n"
        "        chain segment {\n"
        "                meta mark set 0\n"
        "                meta mark set iifname map @segments\n"
        "                meta mark . oifname @members counter accept\n"
        "                meta mark set 0\n"
        "        }\n"
        "        chain ingress {\n"
        "                ct status dnat counter accept\n"
        "                counter drop\n"
        "        }\n"
        "        chain input {\n"
        "                type filter hook input priority filter - 5; policy accept;\n"
        "                iifname != @slots accept\n"
        "                ct state established,related accept\n"
        "                icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
        "                icmpv6 type { nd-router-solicit, mld2-listener-report } drop\n"
        "                " IS_STRAY " goto refuse\n"
        "                iifname vmap @host_rules\n"
        "                goto refuse\n"
        "        }\n"
        "        chain from_host {\n"
        "                type filter hook output priority filter - 5; policy accept;\n"
        "                oifname != @slots accept\n"
        "                " IS_STRAY " goto refuse\n"
        "        }\n"
        "        chain refuse {\n"
        "                iifname @refused\n"
        "                counter\n"
        "                meta l4proto tcp reject with tcp reset\n"
        "                reject with icmpx admin-prohibited\n"
        "        }\n";

static const char base_arp[] =
        "        set slots { type ifname; }\n"
        "        set guard { type ifname . ether_addr . ipv4_addr; }\n"
        "        chain input {\n"
        "                type filter hook input priority filter; policy accept;\n"
        "                iifname != @slots accept\n"
        "                iifname . arp saddr ether . arp saddr ip @guard accept\n"
        "                counter drop\n"
        "        }\n";

static void write_ranges(FILE *f, const char *set, const IpRange *ranges, size_t n, int family)
{
        const char *separator = "{ ";
        char text[IP_RANGE_MAX];
        int is_any = 0;

        for (size_t i = 0; i < n; i++) {
                if (ranges[i].family != family)
                        continue;
                if (!is_any)
                        (void)fprintf(f, "add element " INET " %s ", set);
                is_any = 1;
                ip_range_format(&ranges[i], text);
                (void)fprintf(f, "%s%s", separator, text);
                separator = ", ";
        }
        if (is_any)
                (void)fputs(" }\n", f);
}

static void write_base(FILE *f, const FirewallRequest *policy)
{
        /* To add before deleting makes it no error that there is none; all of it is one
         * transaction, so that at no time there is less than one of the two. */
        (void)fputs("add table " INET "\ndelete table " INET "\n"
                    "add table " ARP "\ndelete table " ARP "\n"
                    "table " INET " {\n",
                    f);
        (void)fputs(base_sets, f);
        (void)fputs(base_guard, f);
        (void)fputs(base_nat, f);
        (void)fputs(base_filter, f);
        (void)fputs("}\ntable " ARP " {\n", f);
        (void)fputs(base_arp, f);
        (void)fputs("}\n", f);
        write_ranges(f, "allow4", policy->allow, policy->n_allow, AF_INET);
        write_ranges(f, "allow6", policy->allow, policy->n_allow, AF_INET6);
        write_ranges(f, "deny4", policy->deny, policy->n_deny, AF_INET);
        write_ranges(f, "deny6", policy->deny, policy->n_deny, AF_INET6);
}

/* -- what every container has -- */

typedef struct ContainerText {
        const char *interface;
        char mac[18];
        char address4[INET_ADDRSTRLEN];
        char address6[INET6_ADDRSTRLEN]; /* "": none */
        char link6[INET6_ADDRSTRLEN];    /* the one that the kernel makes of the MAC */
} ContainerText;

static void container_text(const FirewallContainer *c, ContainerText *ret)
{
        const uint8_t *mac = c->addresses.mac;
        uint8_t link[16];

        *ret = (ContainerText){ .interface = c->addresses.interface };
        (void)snprintf(ret->mac, sizeof(ret->mac), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                       mac[2], mac[3], mac[4], mac[5]);
        (void)inet_ntop(AF_INET, &c->addresses.container4, ret->address4, sizeof(ret->address4));
        if (c->addresses.prefix6 == 0)
                return;
        (void)inet_ntop(AF_INET6, c->addresses.container6, ret->address6, sizeof(ret->address6));
        link_address_of_mac(mac, link);
        (void)inet_ntop(AF_INET6, link, ret->link6, sizeof(ret->link6));
}

static void write_segment(FILE *f, uint32_t segment, const ContainerText *t)
{
        if (segment == 0)
                return;
        (void)fprintf(f, "add element " INET " segments { \"%s\" : 0x%08x }\n", t->interface,
                      segment);
        (void)fprintf(f, "add element " INET " members { 0x%08x . \"%s\" }\n", segment,
                      t->interface);
}

static void write_counting_element(FILE *f, const char *set, const char *interface,
                                   const CounterList *counters)
{
        const FirewallCount *count = counter_list_find_element(counters, set, interface);

        (void)fprintf(f,
                      "add element " INET " %s { \"%s\" counter packets %" PRIu64 " bytes %" PRIu64
                      " }\n",
                      set, interface, count->packets, count->bytes);
}

static void write_guard(FILE *f, const ContainerText *t, const CounterList *counters)
{
        (void)fprintf(f, "add element " INET " slots { \"%s\" }\n", t->interface);
        write_counting_element(f, COUNTER_SET_REFUSED, t->interface, counters);
        write_counting_element(f, COUNTER_SET_FORGED, t->interface, counters);
        (void)fprintf(f, "add element " INET " guard4 { \"%s\" . %s . %s }\n", t->interface, t->mac,
                      t->address4);
        (void)fprintf(f, "add element " INET " self4 { %s . %s }\n", t->address4, t->address4);
        if (*t->address6) {
                (void)fprintf(
                        f, "add element " INET " guard6 { \"%s\" . %s . %s, \"%s\" . %s . %s }\n",
                        t->interface, t->mac, t->address6, t->interface, t->mac, t->link6);
                (void)fprintf(f, "add element " INET " self6 { %s . %s }\n", t->address6,
                              t->address6);
        }
        (void)fprintf(f, "add element " ARP " slots { \"%s\" }\n", t->interface);
        (void)fprintf(f, "add element " ARP " guard { \"%s\" . %s . %s }\n", t->interface, t->mac,
                      t->address4);
}

/* -- forwards -- */

static void write_forward_elements(FILE *f, const PortForward *forward, const char *host,
                                   const char *container)
{
        const char *protocol = network_protocol_to_string(forward->protocol);

        for (uint32_t i = 0; i < forward->count; i++)
                (void)fprintf(f, "%s%s%s%s . %u : %s . %u", i > 0 ? ", " : "", protocol,
                              *host ? " . " : "", host, forward->host_port + i, container,
                              forward->container_port + i);
}

static void write_forward(FILE *f, const PortForward *forward, const ContainerText *t)
{
        int family = forward->host_address.family;
        char host[IP_RANGE_MAX] = "";

        if (forward->host_port == 0)
                return;
        if (!host_address_is_any(&forward->host_address))
                ip_range_format(&forward->host_address, host);
        if (family != AF_INET6) {
                (void)fprintf(f, "add element " INET " %s { ", *host ? "addressed4" : "forwards4");
                write_forward_elements(f, forward, host, t->address4);
                (void)fputs(" }\n", f);
        }
        if (family != AF_INET && *t->address6) {
                (void)fprintf(f, "add element " INET " %s { ", *host ? "addressed6" : "forwards6");
                write_forward_elements(f, forward, host, t->address6);
                (void)fputs(" }\n", f);
        }
}

/* -- rules -- */

static void write_rule_network(FILE *f, const IpRange *network)
{
        char text[IP_RANGE_MAX];

        ip_range_format(network, text);
        (void)fprintf(f, " ct original %s daddr %s", network->family == AF_INET ? "ip" : "ip6",
                      text);
}

/* These names are words of the language. All others, such as ipv6-icmp, it looks up in a file that
 * a small host does not have. */
static void write_rule_protocol(FILE *f, const EgressRule *rule)
{
        const char *name = network_protocol_to_string(rule->protocol);

        if (rule->protocol == NETWORK_PROTOCOL_ANY)
                return;
        (void)fprintf(f, " meta l4proto %s", name);
        if (rule->icmp_type >= 0)
                (void)fprintf(f, " %s type %d", name, rule->icmp_type);
        if (rule->icmp_code >= 0)
                (void)fprintf(f, " %s code %d", name, rule->icmp_code);
}

static void write_rule_part(FILE *f, const FirewallContainer *c, const RulePart *part)
{
        const PortRange *ports = part->ports;
        char counter[COUNTER_NAME_MAX];

        counter_name(c->id, part->rule->number, counter);
        (void)fprintf(f, "add rule " INET " %s-%s", part->rule->is_host ? "host" : "rules", c->id);
        if (part->network)
                write_rule_network(f, part->network);
        write_rule_protocol(f, part->rule);
        if (ports)
                (void)fprintf(f, " ct original proto-dst %u", ports->first);
        if (ports && ports->last != ports->first)
                (void)fprintf(f, "-%u", ports->last);
        if (part->is_log)
                (void)fprintf(f,
                              " limit rate %d/second burst %d packets log prefix \"" RULE_LOG_PREFIX
                              "\"\n",
                              RULE_LOG_RATE, RULE_LOG_BURST, c->id);
        else
                (void)fprintf(f, " counter name \"%s\" accept\n", counter);
}

static void write_counter(FILE *f, const FirewallContainer *c, const EgressRule *rule,
                          const CounterList *counters)
{
        const FirewallCount *count = counter_list_find_rule(counters, c->id, rule->number);
        char name[COUNTER_NAME_MAX];

        counter_name(c->id, rule->number, name);
        (void)fprintf(f, "add counter " INET " %s { packets %" PRIu64 " bytes %" PRIu64 " }\n",
                      name, count->packets, count->bytes);
}

static void write_rules(FILE *f, const FirewallContainer *c, const CounterList *counters)
{
        static const struct {
                const char *chain, *map;
        } places[] = {
                { "rules", "rules" },
                { "host", "host_rules" },
        };
        int is_there[ELEMENTSOF(places)] = { 0 };
        RulePart part;

        for (size_t i = 0; i < c->n_rules; i++)
                is_there[!!c->rules[i].is_host] = 1;
        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (is_there[i])
                        (void)fprintf(f,
                                      "add chain " INET " %s-%s\n"
                                      "add element " INET " %s { \"%s\" : jump %s-%s }\n",
                                      places[i].chain, c->id, places[i].map, c->addresses.interface,
                                      places[i].chain, c->id);
        for (size_t i = 0; i < c->n_rules; i++) {
                write_counter(f, c, &c->rules[i], counters);
                for (size_t k = 0; rule_part(&c->rules[i], k, &part); k++)
                        write_rule_part(f, c, &part);
        }
}

void firewall_text_write(FILE *f, const FirewallRequest *request, const CounterList *counters)
{
        write_base(f, request);
        for (size_t i = 0; i < request->n_containers; i++) {
                const FirewallContainer *c = &request->containers[i];
                ContainerText t;

                container_text(c, &t);
                write_guard(f, &t, counters);
                write_segment(f, c->segment, &t);
                for (size_t k = 0; k < c->n_forwards; k++)
                        write_forward(f, &c->forwards[k], &t);
                write_rules(f, c, counters);
        }
}
