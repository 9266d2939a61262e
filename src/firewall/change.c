/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel refuses to delete what is not there, and with it the whole transaction. So what is
 * deleted is added first, in the same one. */

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "basic/macro.h"
#include "firewall/change.h"
#include "firewall/counter.h"
#include "firewall/link-address.h"
#include "firewall/rule.h"

#define TABLE "warden"

/* -- elements -- */

/* Of a set, or a value of a map: fields one behind the other, each filled up to four bytes. */
typedef struct Key {
        uint8_t bytes[64];
        size_t n;
} Key;

static void key_add(Key *key, const void *data, size_t size)
{
        memcpy(key->bytes + key->n, data, size);
        key->n += NLA_ALIGN(size);
}

static void key_add_port(Key *key, uint32_t port)
{
        uint16_t value = htons((uint16_t)port);

        key_add(key, &value, sizeof(value));
}

static Key key_of_interface(const FirewallContainer *c)
{
        Key key = { .n = 0 };

        key_add(&key, c->addresses.interface, sizeof(c->addresses.interface));
        return key;
}

/* @type   NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM
 * @value, @jump   what a map has: one of them, the other is NULL */
static void write_element(Batch *b, int type, int family, const char *set, const Key *key,
                          const Key *value, const char *jump)
{
        int is_new = type == NFT_MSG_NEWSETELEM;
        size_t mark = batch_begin(b, type, is_new ? NLM_F_CREATE : 0, family);
        size_t list, element, inner, verdict;

        batch_put_string(b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
        batch_put_string(b, NFTA_SET_ELEM_LIST_SET, set);
        list = batch_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
        element = batch_nest(b, NFTA_LIST_ELEM);
        inner = batch_nest(b, NFTA_SET_ELEM_KEY);
        batch_put(b, NFTA_DATA_VALUE, key->bytes, key->n);
        batch_nest_end(b, inner);
        if (is_new && (value || jump)) {
                inner = batch_nest(b, NFTA_SET_ELEM_DATA);
                if (value) {
                        batch_put(b, NFTA_DATA_VALUE, value->bytes, value->n);
                } else {
                        verdict = batch_nest(b, NFTA_DATA_VERDICT);
                        batch_put_u32(b, NFTA_VERDICT_CODE, (uint32_t)NFT_JUMP);
                        batch_put_string(b, NFTA_VERDICT_CHAIN, jump);
                        batch_nest_end(b, verdict);
                }
                batch_nest_end(b, inner);
        }
        batch_nest_end(b, element);
        batch_nest_end(b, list);
        batch_end(b, mark);
}

/* -- what every container has -- */

static void write_guard4(Batch *b, int type, const FirewallContainer *c)
{
        const NetworkAddresses *a = &c->addresses;
        Key interface = key_of_interface(c), guard = interface, self = { .n = 0 };

        key_add(&guard, a->mac, sizeof(a->mac));
        key_add(&guard, &a->container4, sizeof(a->container4));
        key_add(&self, &a->container4, sizeof(a->container4));
        key_add(&self, &a->container4, sizeof(a->container4));
        write_element(b, type, NFPROTO_INET, "slots", &interface, NULL, NULL);
        write_element(b, type, NFPROTO_INET, COUNTER_SET_REFUSED, &interface, NULL, NULL);
        write_element(b, type, NFPROTO_INET, COUNTER_SET_FORGED, &interface, NULL, NULL);
        write_element(b, type, NFPROTO_INET, "guard4", &guard, NULL, NULL);
        write_element(b, type, NFPROTO_INET, "self4", &self, NULL, NULL);
        write_element(b, type, NFPROTO_ARP, "slots", &interface, NULL, NULL);
        write_element(b, type, NFPROTO_ARP, "guard", &guard, NULL, NULL);
}

static void write_guard6(Batch *b, int type, const FirewallContainer *c)
{
        const NetworkAddresses *a = &c->addresses;
        Key own = key_of_interface(c), link = own, self = { .n = 0 };
        uint8_t link_address[16];

        if (a->prefix6 == 0)
                return;
        link_address_of_mac(a->mac, link_address);
        key_add(&own, a->mac, sizeof(a->mac));
        key_add(&own, a->container6, sizeof(a->container6));
        key_add(&link, a->mac, sizeof(a->mac));
        key_add(&link, link_address, sizeof(link_address));
        key_add(&self, a->container6, sizeof(a->container6));
        key_add(&self, a->container6, sizeof(a->container6));
        write_element(b, type, NFPROTO_INET, "guard6", &own, NULL, NULL);
        write_element(b, type, NFPROTO_INET, "guard6", &link, NULL, NULL);
        write_element(b, type, NFPROTO_INET, "self6", &self, NULL, NULL);
}

/* A mark is in the byte order of the host. */
static void write_segment(Batch *b, int type, const FirewallContainer *c)
{
        Key interface = key_of_interface(c), number = { .n = 0 }, member = number;

        if (c->segment == 0)
                return;
        key_add(&number, &c->segment, sizeof(c->segment));
        key_add(&member, &c->segment, sizeof(c->segment));
        key_add(&member, c->addresses.interface, sizeof(c->addresses.interface));
        write_element(b, type, NFPROTO_INET, "segments", &interface, &number, NULL);
        write_element(b, type, NFPROTO_INET, "members", &member, NULL, NULL);
}

/* What an element leads to cannot be changed, only the element be replaced. */
static void write_moved(Batch *b, const FirewallContainer *c)
{
        FirewallContainer before = *c;

        before.segment = c->segment_before;
        write_segment(b, NFT_MSG_NEWSETELEM, &before);
        write_segment(b, NFT_MSG_DELSETELEM, &before);
        write_segment(b, NFT_MSG_NEWSETELEM, c);
}

static void write_guard(Batch *b, int type, const FirewallContainer *c)
{
        write_guard4(b, type, c);
        write_guard6(b, type, c);
        write_segment(b, type, c);
}

/* -- forwards -- */

static void write_forward_elements(Batch *b, int type, const char *map, const PortForward *forward,
                                   size_t host_size, const void *address, size_t size)
{
        static const uint8_t protocols[_NETWORK_PROTOCOL_MAX] = {
                [NETWORK_PROTOCOL_TCP] = IPPROTO_TCP,
                [NETWORK_PROTOCOL_UDP] = IPPROTO_UDP,
                [NETWORK_PROTOCOL_SCTP] = IPPROTO_SCTP,
        };

        for (uint32_t i = 0; i < forward->count; i++) {
                Key key = { .n = 0 }, value = { .n = 0 };

                key_add(&key, &protocols[forward->protocol], 1);
                if (host_size > 0)
                        key_add(&key, forward->host_address.first, host_size);
                key_add_port(&key, forward->host_port + i);
                key_add(&value, address, size);
                key_add_port(&value, forward->container_port + i);
                write_element(b, type, NFPROTO_INET, map, &key, &value, NULL);
        }
}

static void write_forward(Batch *b, int type, const PortForward *forward, const NetworkAddresses *a)
{
        int family = forward->host_address.family;
        int is_any = host_address_is_any(&forward->host_address);

        if (forward->host_port == 0)
                return;
        if (family != AF_INET6)
                write_forward_elements(b, type, is_any ? "forwards4" : "addressed4", forward,
                                       is_any ? 0 : 4, &a->container4, sizeof(a->container4));
        if (family != AF_INET && a->prefix6 > 0)
                write_forward_elements(b, type, is_any ? "forwards6" : "addressed6", forward,
                                       is_any ? 0 : 16, a->container6, sizeof(a->container6));
}

static void write_forwards(Batch *b, int type, const FirewallContainer *c)
{
        for (size_t i = 0; i < c->n_forwards; i++)
                write_forward(b, type, &c->forwards[i], &c->addresses);
}

/* -- rules -- */

static const struct {
        const char *chain, *map;
} places[] = {
        { "rules", "rules" },
        { "host", "host_rules" },
};

#define CHAIN_MAX 32

static void chain_name(const FirewallContainer *c, size_t place, char ret[CHAIN_MAX])
{
        (void)snprintf(ret, CHAIN_MAX, "%s-%s", places[place].chain, c->id);
}

static void write_chain(Batch *b, int type, const char *name)
{
        size_t mark = batch_begin(b, type, type == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0,
                                  NFPROTO_INET);

        /* What is deleted of rules by the name of their chain alone are all of them. */
        batch_put_string(b, type == NFT_MSG_DELRULE ? NFTA_RULE_TABLE : NFTA_CHAIN_TABLE, TABLE);
        batch_put_string(b, type == NFT_MSG_DELRULE ? NFTA_RULE_CHAIN : NFTA_CHAIN_NAME, name);
        batch_end(b, mark);
}

/* The chain is there afterwards, and empty. */
static void write_place(Batch *b, const FirewallContainer *c, size_t place)
{
        Key interface = key_of_interface(c);
        char chain[CHAIN_MAX];

        chain_name(c, place, chain);
        write_chain(b, NFT_MSG_NEWCHAIN, chain);
        write_chain(b, NFT_MSG_DELRULE, chain);
        write_element(b, NFT_MSG_NEWSETELEM, NFPROTO_INET, places[place].map, &interface, NULL,
                      chain);
}

static void write_place_removed(Batch *b, const FirewallContainer *c, size_t place)
{
        Key interface = key_of_interface(c);
        char chain[CHAIN_MAX];

        chain_name(c, place, chain);
        write_place(b, c, place);
        write_element(b, NFT_MSG_DELSETELEM, NFPROTO_INET, places[place].map, &interface, NULL,
                      NULL);
        write_chain(b, NFT_MSG_DELCHAIN, chain);
}

static size_t count_rules(const FirewallContainer *c, size_t place)
{
        size_t n = 0;

        for (size_t i = 0; i < c->n_rules; i++)
                n += (size_t) !!c->rules[i].is_host == place ? 1 : 0;
        return n;
}

static void write_counter(Batch *b, int type, const FirewallContainer *c, unsigned number)
{
        size_t mark = batch_begin(b, type, type == NFT_MSG_NEWOBJ ? NLM_F_CREATE : 0, NFPROTO_INET);
        char name[COUNTER_NAME_MAX];
        size_t data;

        counter_name(c->id, number, name);
        batch_put_string(b, NFTA_OBJ_TABLE, TABLE);
        batch_put_string(b, NFTA_OBJ_NAME, name);
        batch_put_u32(b, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
        if (type == NFT_MSG_NEWOBJ) {
                data = batch_nest(b, NFTA_OBJ_DATA);
                batch_put_u64(b, NFTA_COUNTER_BYTES, 0);
                batch_put_u64(b, NFTA_COUNTER_PACKETS, 0);
                batch_nest_end(b, data);
        }
        batch_end(b, mark);
}

/* Adding one that is there lets it go on counting. */
static void write_counters(Batch *b, int type, const FirewallContainer *c, uint64_t numbers)
{
        for (unsigned number = 1; number <= EGRESS_RULES_MAX; number++)
                if (numbers & egress_number_bit(number))
                        write_counter(b, type, c, number);
}

static uint64_t collect_numbers(const FirewallContainer *c)
{
        uint64_t numbers = 0;

        for (size_t i = 0; i < c->n_rules; i++)
                numbers |= egress_number_bit(c->rules[i].number);
        return numbers;
}

static void write_rules(Batch *b, const FirewallContainer *c, int is_replacing)
{
        char chain[CHAIN_MAX];
        RulePart part;

        write_counters(b, NFT_MSG_NEWOBJ, c, collect_numbers(c) | c->retired_rules);
        for (size_t place = 0; place < ELEMENTSOF(places); place++) {
                if (count_rules(c, place) > 0)
                        write_place(b, c, place);
                else if (is_replacing)
                        write_place_removed(b, c, place);
        }
        for (size_t i = 0; i < c->n_rules; i++) {
                chain_name(c, !!c->rules[i].is_host, chain);
                for (size_t k = 0; rule_part(&c->rules[i], k, &part); k++)
                        rule_part_write(b, chain, c->id, &part);
        }
        write_counters(b, NFT_MSG_DELOBJ, c, c->retired_rules & ~collect_numbers(c));
}

/* -- requests -- */

static void write_removed(Batch *b, const FirewallContainer *c)
{
        Key interface = key_of_interface(c);

        write_forwards(b, NFT_MSG_NEWSETELEM, c);
        write_forwards(b, NFT_MSG_DELSETELEM, c);
        for (size_t place = 0; place < ELEMENTSOF(places); place++)
                if (count_rules(c, place) > 0)
                        write_place_removed(b, c, place);
        write_counters(b, NFT_MSG_NEWOBJ, c, collect_numbers(c));
        write_counters(b, NFT_MSG_DELOBJ, c, collect_numbers(c));
        write_guard(b, NFT_MSG_NEWSETELEM, c);
        write_guard(b, NFT_MSG_DELSETELEM, c);
        write_element(b, NFT_MSG_NEWSETELEM, NFPROTO_INET, "leaving", &interface, NULL, NULL);
}

static void write_container(Batch *b, FirewallAction action, const FirewallContainer *c)
{
        switch (action) {
        case FIREWALL_ADD:
                write_guard(b, NFT_MSG_NEWSETELEM, c);
                write_forwards(b, NFT_MSG_NEWSETELEM, c);
                write_rules(b, c, 0);
                return;
        case FIREWALL_REMOVE:
                write_removed(b, c);
                return;
        case FIREWALL_FORWARD:
                write_forwards(b, NFT_MSG_NEWSETELEM, c);
                return;
        case FIREWALL_UNFORWARD:
                write_forwards(b, NFT_MSG_NEWSETELEM, c);
                write_forwards(b, NFT_MSG_DELSETELEM, c);
                return;
        case FIREWALL_RULES:
                write_rules(b, c, 1);
                return;
        case FIREWALL_SEGMENT:
                write_moved(b, c);
                return;
        case FIREWALL_REBUILD: /* text.h */
        case FIREWALL_CUT:     /* conntrack.h */
        case FIREWALL_COUNT:   /* counter.h */
        case _FIREWALL_ACTION_MAX:
                return;
        }
}

void firewall_change_write(Batch *batch, const FirewallRequest *request)
{
        for (size_t i = 0; i < request->n_containers; i++)
                write_container(batch, request->action, &request->containers[i]);
}
