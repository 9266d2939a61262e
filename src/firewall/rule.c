/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "basic/macro.h"
#include "firewall/counter.h"
#include "firewall/rule.h"

int rule_part(const EgressRule *rule, size_t index, RulePart *ret)
{
        size_t n_actions = rule->is_logged ? 2 : 1;
        size_t n_ports = MAX2(rule->n_ports, (size_t)1);
        size_t n_networks = MAX2(rule->n_networks, (size_t)1);
        size_t network = index / n_actions / n_ports, port = index / n_actions % n_ports;

        if (network >= n_networks)
                return 0;
        *ret = (RulePart){
                .rule = rule,
                .network = rule->n_networks > 0 ? &rule->networks[network] : NULL,
                .ports = rule->n_ports > 0 ? &rule->ports[port] : NULL,
                .is_log = rule->is_logged && index % n_actions == 0,
        };
        return 1;
}

int ip_range_prefix(const IpRange *range)
{
        int bits = range->family == AF_INET ? 32 : 128, prefix = 0;

        while (prefix < bits &&
               !((range->first[prefix / 8] ^ range->last[prefix / 8]) & 0x80U >> prefix % 8))
                prefix++;
        for (int i = prefix; i < bits; i++)
                if (range->first[i / 8] & 0x80U >> i % 8 || !(range->last[i / 8] & 0x80U >> i % 8))
                        return -1;
        return prefix;
}

/* -- expressions: each leaves its value in one register -- */

#define REGISTER NFT_REG_1

/* Opens one; the inner mark is closed first. */
typedef struct Expression {
        size_t outer, inner;
} Expression;

static Expression begin(Batch *b, const char *name)
{
        Expression e = { .outer = batch_nest(b, NFTA_LIST_ELEM) };

        batch_put_string(b, NFTA_EXPR_NAME, name);
        e.inner = batch_nest(b, NFTA_EXPR_DATA);
        return e;
}

static void end(Batch *b, Expression e)
{
        batch_nest_end(b, e.inner);
        batch_nest_end(b, e.outer);
}

static void put_value(Batch *b, int type, const void *value, size_t size)
{
        size_t mark = batch_nest(b, type);

        batch_put(b, NFTA_DATA_VALUE, value, size);
        batch_nest_end(b, mark);
}

static void compare(Batch *b, uint32_t operation, const void *value, size_t size)
{
        Expression e = begin(b, "cmp");

        batch_put_u32(b, NFTA_CMP_SREG, REGISTER);
        batch_put_u32(b, NFTA_CMP_OP, operation);
        put_value(b, NFTA_CMP_DATA, value, size);
        end(b, e);
}

/* What the container asked for, whatever a forward has made of it. */
static void load_original(Batch *b, uint32_t key)
{
        const uint8_t direction = IP_CT_DIR_ORIGINAL;
        Expression e = begin(b, "ct");

        batch_put_u32(b, NFTA_CT_KEY, key);
        batch_put_u32(b, NFTA_CT_DREG, REGISTER);
        batch_put(b, NFTA_CT_DIRECTION, &direction, sizeof(direction));
        end(b, e);
}

static void mask(Batch *b, int prefix, size_t size)
{
        uint8_t bits[16] = { 0 }, zero[16] = { 0 };
        Expression e = begin(b, "bitwise");

        for (int i = 0; i < prefix; i++)
                bits[i / 8] |= (uint8_t)(0x80U >> i % 8);
        batch_put_u32(b, NFTA_BITWISE_SREG, REGISTER);
        batch_put_u32(b, NFTA_BITWISE_DREG, REGISTER);
        batch_put_u32(b, NFTA_BITWISE_LEN, (uint32_t)size);
        put_value(b, NFTA_BITWISE_MASK, bits, size);
        put_value(b, NFTA_BITWISE_XOR, zero, size);
        end(b, e);
}

/* -- what a rule asks for -- */

static void write_network(Batch *b, const IpRange *network)
{
        size_t size = network->family == AF_INET ? 4 : 16;
        int prefix = ip_range_prefix(network);

        load_original(b, network->family == AF_INET ? NFT_CT_DST_IP : NFT_CT_DST_IP6);
        if (prefix < 0) {
                compare(b, NFT_CMP_GTE, network->first, size);
                compare(b, NFT_CMP_LTE, network->last, size);
        } else if (prefix > 0 && prefix % 8 == 0) {
                compare(b, NFT_CMP_EQ, network->first, (size_t)prefix / 8);
        } else {
                mask(b, prefix, size);
                compare(b, NFT_CMP_EQ, network->first, size);
        }
}

static void write_ports(Batch *b, const PortRange *ports)
{
        uint16_t first = htons(ports->first), last = htons(ports->last);

        load_original(b, NFT_CT_PROTO_DST);
        if (first == last) {
                compare(b, NFT_CMP_EQ, &first, sizeof(first));
                return;
        }
        compare(b, NFT_CMP_GTE, &first, sizeof(first));
        compare(b, NFT_CMP_LTE, &last, sizeof(last));
}

/* Type and code are the first two bytes of both versions of ICMP. */
static void write_icmp(Batch *b, const EgressRule *rule)
{
        const uint8_t wanted[2] = { (uint8_t)rule->icmp_type, (uint8_t)rule->icmp_code };
        size_t size = rule->icmp_code >= 0 ? 2 : 1;
        Expression e = begin(b, "payload");

        batch_put_u32(b, NFTA_PAYLOAD_DREG, REGISTER);
        batch_put_u32(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
        batch_put_u32(b, NFTA_PAYLOAD_OFFSET, 0);
        batch_put_u32(b, NFTA_PAYLOAD_LEN, (uint32_t)size);
        end(b, e);
        compare(b, NFT_CMP_EQ, wanted, size);
}

static void write_protocol(Batch *b, const EgressRule *rule)
{
        static const uint8_t numbers[_NETWORK_PROTOCOL_MAX] = {
                [NETWORK_PROTOCOL_TCP] = IPPROTO_TCP,       [NETWORK_PROTOCOL_UDP] = IPPROTO_UDP,
                [NETWORK_PROTOCOL_SCTP] = IPPROTO_SCTP,     [NETWORK_PROTOCOL_ICMP] = IPPROTO_ICMP,
                [NETWORK_PROTOCOL_ICMPV6] = IPPROTO_ICMPV6,
        };
        Expression e;

        if (rule->protocol == NETWORK_PROTOCOL_ANY)
                return;
        e = begin(b, "meta");
        batch_put_u32(b, NFTA_META_KEY, NFT_META_L4PROTO);
        batch_put_u32(b, NFTA_META_DREG, REGISTER);
        end(b, e);
        compare(b, NFT_CMP_EQ, &numbers[rule->protocol], 1);
        if (rule->icmp_type >= 0)
                write_icmp(b, rule);
}

/* -- what is done then -- */

static void write_log(Batch *b, const char *id)
{
        char prefix[64];
        Expression e = begin(b, "limit");

        batch_put_u64(b, NFTA_LIMIT_RATE, RULE_LOG_RATE);
        batch_put_u64(b, NFTA_LIMIT_UNIT, 1);
        batch_put_u32(b, NFTA_LIMIT_BURST, RULE_LOG_BURST);
        batch_put_u32(b, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
        batch_put_u32(b, NFTA_LIMIT_FLAGS, 0);
        end(b, e);
        e = begin(b, "log");
        (void)snprintf(prefix, sizeof(prefix), RULE_LOG_PREFIX, id);
        batch_put_string(b, NFTA_LOG_PREFIX, prefix);
        end(b, e);
}

static void write_accept(Batch *b, const char *counter)
{
        size_t data, verdict;
        Expression e = begin(b, "objref");

        batch_put_u32(b, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
        batch_put_string(b, NFTA_OBJREF_IMM_NAME, counter);
        end(b, e);
        e = begin(b, "immediate");
        batch_put_u32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        data = batch_nest(b, NFTA_IMMEDIATE_DATA);
        verdict = batch_nest(b, NFTA_DATA_VERDICT);
        batch_put_u32(b, NFTA_VERDICT_CODE, NF_ACCEPT);
        batch_nest_end(b, verdict);
        batch_nest_end(b, data);
        end(b, e);
}

void rule_part_write(Batch *b, const char *chain, const char *id, const RulePart *part)
{
        size_t mark = batch_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFPROTO_INET);
        char counter[COUNTER_NAME_MAX];
        size_t list;

        batch_put_string(b, NFTA_RULE_TABLE, "warden");
        batch_put_string(b, NFTA_RULE_CHAIN, chain);
        list = batch_nest(b, NFTA_RULE_EXPRESSIONS);
        if (part->network)
                write_network(b, part->network);
        write_protocol(b, part->rule);
        if (part->ports)
                write_ports(b, part->ports);
        counter_name(id, part->rule->number, counter);
        if (part->is_log)
                write_log(b, id);
        else
                write_accept(b, counter);
        batch_nest_end(b, list);
        batch_end(b, mark);
}
