/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/macro.h"
#include "wire/firewall-message.h"

enum {
        TAG_ACTION = 1,
        TAG_ALLOW, /* repeated, as are the next */
        TAG_DENY,
        TAG_CONTAINER, /* nested: TAG_CONTAINER_* */
};

enum {
        TAG_CONTAINER_ID = 1,
        TAG_CONTAINER_INTERFACE,
        TAG_CONTAINER_MAC,
        TAG_CONTAINER_HOST4,
        TAG_CONTAINER_ADDRESS4,
        TAG_CONTAINER_HOST6,
        TAG_CONTAINER_ADDRESS6,
        TAG_CONTAINER_SEGMENT,
        TAG_CONTAINER_RETIRED,
        TAG_CONTAINER_SEGMENT_BEFORE,
        _TAG_CONTAINER_ONCE_MAX,
        TAG_CONTAINER_FORWARD = 32, /* repeated */
        TAG_CONTAINER_RULE,
};

enum {
        TAG_FORWARD_PROTOCOL = 1,
        TAG_FORWARD_HOST_PORT,
        TAG_FORWARD_CONTAINER_PORT,
        TAG_FORWARD_COUNT,
        TAG_FORWARD_ADDRESS, /* absent: every one */
        _TAG_FORWARD_MAX,
};

enum {
        TAG_RULE_PROTOCOL = 1,
        TAG_RULE_ICMP_TYPE,
        TAG_RULE_ICMP_CODE,
        TAG_RULE_IS_HOST,
        TAG_RULE_IS_LOGGED,
        TAG_RULE_NUMBER,
        _TAG_RULE_ONCE_MAX,
        TAG_RULE_NETWORK = 32, /* repeated */
        TAG_RULE_PORTS,
};

/* A range: first and last, of 4 or 16 bytes each. */

static void range_encode(const IpRange *range, uint16_t tag, WireWriter *w)
{
        size_t n = range->family == AF_INET ? 4 : 16;
        uint8_t bytes[32];

        memcpy(bytes, range->first, n);
        memcpy(bytes + n, range->last, n);
        wire_put_bytes(w, tag, bytes, 2 * n);
}

static int range_decode(const WireField *f, IpRange *ret)
{
        IpRange range = { .family = f->size == 8 ? AF_INET : AF_INET6 };

        if (f->size != 8 && f->size != 32)
                return -EBADMSG;
        memcpy(range.first, f->data, f->size / 2);
        memcpy(range.last, f->data + f->size / 2, f->size / 2);
        if (!ip_range_is_valid(&range))
                return -EBADMSG;
        *ret = range;
        return 0;
}

/* Lists of which a message may hold many are counted first, so that their size follows from what
 * is there. */
static int count_tag(WireReader r, uint16_t tag, size_t *ret)
{
        WireField f;
        size_t n = 0;
        int k;

        while ((k = wire_next(&r, &f)) > 0)
                n += f.tag == tag ? 1 : 0;
        if (k < 0)
                return k;
        *ret = n;
        return 0;
}

static int list_new(WireReader r, uint16_t tag, size_t max, size_t item, void *ret_array)
{
        size_t n;
        int k = count_tag(r, tag, &n);

        if (k < 0 || n == 0)
                return k;
        if (n > max)
                return -EBADMSG;
        *(void **)ret_array = calloc(n, item);
        return *(void **)ret_array ? 0 : -ENOMEM;
}

/* -- forwards -- */

void port_forward_encode(const PortForward *forward, uint16_t tag, WireWriter *w)
{
        size_t mark = wire_begin(w, tag);

        wire_put_string(w, TAG_FORWARD_PROTOCOL, network_protocol_to_string(forward->protocol));
        wire_put_u64(w, TAG_FORWARD_HOST_PORT, forward->host_port);
        wire_put_u64(w, TAG_FORWARD_CONTAINER_PORT, forward->container_port);
        wire_put_u64(w, TAG_FORWARD_COUNT, forward->count);
        if (forward->host_address.family != AF_UNSPEC)
                range_encode(&forward->host_address, TAG_FORWARD_ADDRESS, w);
        wire_end(w, mark);
}

static int protocol_decode(const WireField *f, NetworkProtocol *ret)
{
        const char *s;
        int r = wire_get_string(f, &s);

        if (r < 0)
                return r;
        *ret = network_protocol_from_string(s);
        return (int)*ret < 0 ? -EBADMSG : 0;
}

static int forward_decode_field(PortForward *forward, const WireField *f)
{
        switch (f->tag) {
        case TAG_FORWARD_PROTOCOL:
                return protocol_decode(f, &forward->protocol);
        case TAG_FORWARD_HOST_PORT:
                return wire_get_u32(f, &forward->host_port);
        case TAG_FORWARD_CONTAINER_PORT:
                return wire_get_u32(f, &forward->container_port);
        case TAG_FORWARD_COUNT:
                return wire_get_u32(f, &forward->count);
        case TAG_FORWARD_ADDRESS:
                return range_decode(f, &forward->host_address);
        }
        return 0;
}

int port_forward_decode(const WireField *nested, PortForward *ret)
{
        WireReader reader = WIRE_READER(nested->data, nested->size);
        PortForward forward = PORT_FORWARD_INIT;
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == 0 || f.tag >= _TAG_FORWARD_MAX)
                        continue;
                r = wire_once(&seen, f.tag);
                if (r >= 0)
                        r = forward_decode_field(&forward, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (port_forward_validate(&forward, "", NULL) < 0)
                return -EBADMSG;
        *ret = forward;
        return 0;
}

/* -- rules -- */

void egress_rule_encode(const EgressRule *rule, uint16_t tag, WireWriter *w)
{
        size_t mark = wire_begin(w, tag);

        wire_put_string(w, TAG_RULE_PROTOCOL, network_protocol_to_string(rule->protocol));
        if (rule->icmp_type >= 0)
                wire_put_u64(w, TAG_RULE_ICMP_TYPE, (uint64_t)rule->icmp_type);
        if (rule->icmp_code >= 0)
                wire_put_u64(w, TAG_RULE_ICMP_CODE, (uint64_t)rule->icmp_code);
        wire_put_u64(w, TAG_RULE_IS_HOST, rule->is_host ? 1 : 0);
        wire_put_u64(w, TAG_RULE_IS_LOGGED, rule->is_logged ? 1 : 0);
        if (rule->number > 0)
                wire_put_u64(w, TAG_RULE_NUMBER, rule->number);
        for (size_t i = 0; i < rule->n_networks; i++)
                range_encode(&rule->networks[i], TAG_RULE_NETWORK, w);
        for (size_t i = 0; i < rule->n_ports; i++)
                wire_put_u64(w, TAG_RULE_PORTS,
                             (uint64_t)rule->ports[i].first << 16 | rule->ports[i].last);
        wire_end(w, mark);
}

static int icmp_decode(const WireField *f, int *ret)
{
        uint32_t value;
        int r = wire_get_u32(f, &value);

        if (r < 0)
                return r;
        if (value > UINT8_MAX)
                return -EBADMSG;
        *ret = (int)value;
        return 0;
}

static int ports_decode(const WireField *f, PortRange *ret)
{
        uint32_t value;
        int r = wire_get_u32(f, &value);

        if (r < 0)
                return r;
        *ret = (PortRange){ .first = (uint16_t)(value >> 16), .last = (uint16_t)value };
        return ret->first > 0 && ret->first <= ret->last ? 0 : -EBADMSG;
}

static int number_decode(const WireField *f, unsigned *ret)
{
        uint32_t number;
        int r = wire_get_u32(f, &number);

        if (r < 0)
                return r;
        *ret = number;
        return number > 0 && number <= EGRESS_RULES_MAX ? 0 : -EBADMSG;
}

static int rule_decode_field(EgressRule *rule, const WireField *f)
{
        switch (f->tag) {
        case TAG_RULE_PROTOCOL:
                return protocol_decode(f, &rule->protocol);
        case TAG_RULE_ICMP_TYPE:
                return icmp_decode(f, &rule->icmp_type);
        case TAG_RULE_ICMP_CODE:
                return icmp_decode(f, &rule->icmp_code);
        case TAG_RULE_IS_HOST:
                return wire_get_flag(f, &rule->is_host);
        case TAG_RULE_IS_LOGGED:
                return wire_get_flag(f, &rule->is_logged);
        case TAG_RULE_NUMBER:
                return number_decode(f, &rule->number);
        case TAG_RULE_NETWORK:
                return range_decode(f, &rule->networks[rule->n_networks++]);
        case TAG_RULE_PORTS:
                return ports_decode(f, &rule->ports[rule->n_ports++]);
        }
        return 0;
}

int egress_rule_decode(const WireField *nested, EgressRule *ret)
{
        WireReader reader = WIRE_READER(nested->data, nested->size);
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        uint64_t seen = 0;
        WireField f;
        int r;

        r = list_new(reader, TAG_RULE_NETWORK, EGRESS_NETWORKS_MAX, sizeof(IpRange),
                     &rule.networks);
        if (r >= 0)
                r = list_new(reader, TAG_RULE_PORTS, EGRESS_PORTS_MAX, sizeof(PortRange),
                             &rule.ports);
        if (r < 0)
                return r;
        while ((r = wire_next(&reader, &f)) > 0) {
                r = f.tag < _TAG_RULE_ONCE_MAX ? wire_once(&seen, f.tag) : 0;
                if (r >= 0)
                        r = rule_decode_field(&rule, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (egress_rule_validate(&rule, NULL) < 0)
                return -EBADMSG;
        *ret = rule;
        rule = EGRESS_RULE_INIT;
        return 0;
}

/* -- containers -- */

static void container_encode(const FirewallContainer *c, WireWriter *w)
{
        size_t mark = wire_begin(w, TAG_CONTAINER);
        const NetworkAddresses *a = &c->addresses;

        wire_put_string(w, TAG_CONTAINER_ID, c->id);
        wire_put_string(w, TAG_CONTAINER_INTERFACE, a->interface);
        wire_put_bytes(w, TAG_CONTAINER_MAC, a->mac, sizeof(a->mac));
        wire_put_bytes(w, TAG_CONTAINER_HOST4, &a->host4, sizeof(a->host4));
        wire_put_bytes(w, TAG_CONTAINER_ADDRESS4, &a->container4, sizeof(a->container4));
        if (a->prefix6 > 0) {
                wire_put_bytes(w, TAG_CONTAINER_HOST6, a->host6, sizeof(a->host6));
                wire_put_bytes(w, TAG_CONTAINER_ADDRESS6, a->container6, sizeof(a->container6));
        }
        if (c->segment > 0)
                wire_put_u64(w, TAG_CONTAINER_SEGMENT, c->segment);
        if (c->retired_rules > 0)
                wire_put_u64(w, TAG_CONTAINER_RETIRED, c->retired_rules);
        if (c->segment_before > 0)
                wire_put_u64(w, TAG_CONTAINER_SEGMENT_BEFORE, c->segment_before);
        for (size_t i = 0; i < c->n_forwards; i++)
                port_forward_encode(&c->forwards[i], TAG_CONTAINER_FORWARD, w);
        for (size_t i = 0; i < c->n_rules; i++)
                egress_rule_encode(&c->rules[i], TAG_CONTAINER_RULE, w);
        wire_end(w, mark);
}

static int bytes_decode(const WireField *f, void *ret, size_t size)
{
        if (f->size != size)
                return -EBADMSG;
        memcpy(ret, f->data, size);
        return 0;
}

static int name_decode(const WireField *f, char *ret, size_t size)
{
        const char *s;
        int r = wire_get_string(f, &s);

        if (r < 0)
                return r;
        if (strlen(s) >= size)
                return -EBADMSG;
        (void)snprintf(ret, size, "%s", s);
        return 0;
}

static int container_decode_field(FirewallContainer *c, const WireField *f)
{
        NetworkAddresses *a = &c->addresses;

        switch (f->tag) {
        case TAG_CONTAINER_ID:
                return name_decode(f, c->id, sizeof(c->id));
        case TAG_CONTAINER_INTERFACE:
                return name_decode(f, a->interface, sizeof(a->interface));
        case TAG_CONTAINER_MAC:
                return bytes_decode(f, a->mac, sizeof(a->mac));
        case TAG_CONTAINER_HOST4:
                return bytes_decode(f, &a->host4, sizeof(a->host4));
        case TAG_CONTAINER_ADDRESS4:
                return bytes_decode(f, &a->container4, sizeof(a->container4));
        case TAG_CONTAINER_HOST6:
                return bytes_decode(f, a->host6, sizeof(a->host6));
        case TAG_CONTAINER_ADDRESS6:
                a->prefix6 = 128;
                return bytes_decode(f, a->container6, sizeof(a->container6));
        case TAG_CONTAINER_SEGMENT:
                return wire_get_u32(f, &c->segment);
        case TAG_CONTAINER_RETIRED:
                return wire_get_u64(f, &c->retired_rules);
        case TAG_CONTAINER_SEGMENT_BEFORE:
                return wire_get_u32(f, &c->segment_before);
        case TAG_CONTAINER_FORWARD:
                return port_forward_decode(f, &c->forwards[c->n_forwards++]);
        case TAG_CONTAINER_RULE:
                return egress_rule_decode(f, &c->rules[c->n_rules++]);
        }
        return 0;
}

/* They tell the kernel's counters apart. */
static int numbers_check(const FirewallContainer *c)
{
        uint64_t seen = 0;

        for (size_t i = 0; i < c->n_rules; i++) {
                uint64_t bit = egress_number_bit(c->rules[i].number);

                if (c->rules[i].number == 0 || seen & bit)
                        return -EBADMSG;
                seen |= bit;
        }
        return 0;
}

/* Both become words of a program's language. */
static int container_check(const FirewallContainer *c, uint64_t seen)
{
        static const char characters[] = "0123456789abcdefghijklmnopqrstuvwxyz-";
        const uint64_t required = UINT64_C(1) << TAG_CONTAINER_ID |
                                  UINT64_C(1) << TAG_CONTAINER_INTERFACE |
                                  UINT64_C(1) << TAG_CONTAINER_MAC |
                                  UINT64_C(1) << TAG_CONTAINER_HOST4 |
                                  UINT64_C(1) << TAG_CONTAINER_ADDRESS4;
        const char *interface = c->addresses.interface;

        if ((seen & required) != required || !id_is_valid(c->id))
                return -EBADMSG;
        return *interface && interface[strspn(interface, characters)] == 0 ? 0 : -EBADMSG;
}

static void container_done(FirewallContainer *c)
{
        free(c->forwards);
        egress_rules_free(c->rules, c->n_rules);
}

static int container_decode(const WireField *nested, FirewallContainer *c)
{
        WireReader reader = WIRE_READER(nested->data, nested->size);
        uint64_t seen = 0;
        WireField f;
        int r;

        r = list_new(reader, TAG_CONTAINER_FORWARD, FORWARDS_MAX, sizeof(PortForward),
                     &c->forwards);
        if (r >= 0)
                r = list_new(reader, TAG_CONTAINER_RULE, EGRESS_RULES_MAX, sizeof(EgressRule),
                             &c->rules);
        if (r < 0)
                return r;
        while ((r = wire_next(&reader, &f)) > 0) {
                r = f.tag < _TAG_CONTAINER_ONCE_MAX ? wire_once(&seen, f.tag) : 0;
                if (r >= 0)
                        r = container_decode_field(c, &f);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = container_check(c, seen);
        return r < 0 ? r : numbers_check(c);
}

/* -- requests -- */

int firewall_request_encode(const FirewallRequest *request, WireWriter *w)
{
        wire_put_u64(w, TAG_ACTION, request->action);
        for (size_t i = 0; i < request->n_allow; i++)
                range_encode(&request->allow[i], TAG_ALLOW, w);
        for (size_t i = 0; i < request->n_deny; i++)
                range_encode(&request->deny[i], TAG_DENY, w);
        for (size_t i = 0; i < request->n_containers; i++)
                container_encode(&request->containers[i], w);
        return w->error;
}

void firewall_request_done(FirewallRequest *request)
{
        for (size_t i = 0; i < request->n_containers; i++)
                container_done(&request->containers[i]);
        free(request->containers);
        free(request->allow);
        free(request->deny);
        *request = (FirewallRequest){ 0 };
}

static int request_decode_field(FirewallRequest *request, const WireField *f)
{
        uint32_t action;
        int r;

        switch (f->tag) {
        case TAG_ACTION:
                r = wire_get_u32(f, &action);
                if (r < 0 || request->action != 0)
                        return -EBADMSG;
                request->action = (FirewallAction)action;
                return action > 0 && action < _FIREWALL_ACTION_MAX ? 0 : -EBADMSG;
        case TAG_ALLOW:
                return range_decode(f, &request->allow[request->n_allow++]);
        case TAG_DENY:
                return range_decode(f, &request->deny[request->n_deny++]);
        case TAG_CONTAINER:
                return container_decode(f, &request->containers[request->n_containers++]);
        }
        return 0;
}

int firewall_request_decode(const void *data, size_t size, FirewallRequest *ret)
{
        _drop_(firewall_request_done) FirewallRequest request = { 0 };
        WireReader reader = WIRE_READER(data, size);
        WireField f;
        int r;

        r = list_new(reader, TAG_ALLOW, SIZE_MAX, sizeof(IpRange), &request.allow);
        if (r >= 0)
                r = list_new(reader, TAG_DENY, SIZE_MAX, sizeof(IpRange), &request.deny);
        if (r >= 0)
                r = list_new(reader, TAG_CONTAINER, SIZE_MAX, sizeof(FirewallContainer),
                             &request.containers);
        if (r < 0)
                return r;
        while ((r = wire_next(&reader, &f)) > 0) {
                r = request_decode_field(&request, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (request.action == 0 || (request.action > FIREWALL_REMOVE &&
                                    (request.n_containers == 0 ||
                                     (request.n_containers > 1 && request.action != FIREWALL_CUT))))
                return -EBADMSG;
        *ret = request;
        request = (FirewallRequest){ 0 };
        return 0;
}
