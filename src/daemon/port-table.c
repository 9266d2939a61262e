/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A map from "PROTOCOL/PORT" to the claims of it, which are more than one only where they are of
 * different addresses. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/map.h"
#include "basic/parse.h"
#include "daemon/port-table.h"

#define KEY_MAX 16

typedef struct Claim Claim;
struct Claim {
        char key[KEY_MAX];
        const Container *owner;
        IpRange address;
        Claim *next; /* of the same port; the map has the first */
};

struct PortTable {
        Map *claims;
        uint32_t base, count;
        uint32_t cursor; /* where the next search in the pool begins, from 0 */
};

int port_table_new(uint32_t base, uint32_t count, PortTable **ret)
{
        _drop_(drop_port_table) PortTable *table = calloc(1, sizeof(*table));

        if (!table)
                return -ENOMEM;
        table->claims = map_new();
        if (!table->claims)
                return -ENOMEM;
        port_table_set_pool(table, base, count);
        *ret = take_ptr(table);
        return 0;
}

PortTable *port_table_free(PortTable *table)
{
        Claim *claim;

        if (!table)
                return NULL;
        if (table->claims)
                MAP_FOREACH(claim, table->claims)
                        while (claim) {
                                Claim *next = claim->next;

                                free(claim);
                                claim = next;
                        }
        map_free(table->claims);
        free(table);
        return NULL;
}

void port_table_set_pool(PortTable *table, uint32_t base, uint32_t count)
{
        table->base = base;
        table->count = count;
        table->cursor = 0;
}

static void key_format(const PortForward *forward, uint32_t i, char ret[KEY_MAX])
{
        (void)snprintf(ret, KEY_MAX, "%s/%u", network_protocol_to_string(forward->protocol),
                       (forward->host_port + i) & UINT16_MAX);
}

static const Claim *find_rival(const PortTable *table, const PortForward *forward, uint32_t i)
{
        char key[KEY_MAX];

        key_format(forward, i, key);
        for (const Claim *claim = map_get(table->claims, key); claim; claim = claim->next)
                if (host_addresses_overlap(&claim->address, &forward->host_address))
                        return claim;
        return NULL;
}

static int claim_add(PortTable *table, const Container *owner, const PortForward *forward,
                     uint32_t i)
{
        Claim *claim = calloc(1, sizeof(*claim)), *first;
        int r;

        if (!claim)
                return -ENOMEM;
        key_format(forward, i, claim->key);
        claim->owner = owner;
        claim->address = forward->host_address;
        first = map_get(table->claims, claim->key);
        if (first) {
                claim->next = first->next;
                first->next = claim;
                return 0;
        }
        r = map_put(table->claims, claim->key, claim);
        if (r < 0)
                free(claim);
        return r;
}

/* The key is in the first claim: when that goes the next one takes its place. */
static void claim_remove(PortTable *table, const Container *owner, const PortForward *forward,
                         uint32_t i)
{
        Claim *claim, *first, **p;
        char key[KEY_MAX];

        key_format(forward, i, key);
        first = map_get(table->claims, key);
        for (p = &first; *p; p = &(*p)->next)
                if ((*p)->owner == owner && ip_range_equal(&(*p)->address, &forward->host_address))
                        break;
        if (!*p)
                return;
        claim = *p;
        if (claim == first) {
                (void)map_remove(table->claims, key);
                /* There is room for it: one was just removed. */
                if (claim->next)
                        (void)map_put(table->claims, claim->next->key, claim->next);
        } else {
                *p = claim->next;
        }
        free(claim);
}

int port_table_claim(PortTable *table, const Container *owner, const PortForward *forward,
                     Fault *fault)
{
        for (uint32_t i = 0; i < forward->count; i++) {
                const Claim *rival = find_rival(table, forward, i);

                if (rival)
                        return fault_set(fault, FAULT_IN_USE, -EADDRINUSE,
                                         "HostPort: %u/%s leads to container '%s'",
                                         forward->host_port + i,
                                         network_protocol_to_string(forward->protocol),
                                         container_name(rival->owner));
        }
        for (uint32_t i = 0; i < forward->count; i++) {
                int r = claim_add(table, owner, forward, i);

                if (r >= 0)
                        continue;
                while (i-- > 0)
                        claim_remove(table, owner, forward, i);
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        }
        return 0;
}

void port_table_release(PortTable *table, const Container *owner, const PortForward *forward)
{
        for (uint32_t i = 0; i < forward->count; i++)
                claim_remove(table, owner, forward, i);
}

/* A port that several protocols have counts once, for the first of them. */
static int is_counted(const PortTable *table, const Claim *claim)
{
        const char *port = strchr(claim->key, '/') + 1;
        char key[KEY_MAX];
        uint32_t n;

        if (parse_u32(port, &n) < 0 || n < table->base || n - table->base >= table->count)
                return 0;
        for (int i = 0; i < _NETWORK_PROTOCOL_MAX; i++) {
                (void)snprintf(key, KEY_MAX, "%s/%s",
                               network_protocol_to_string((NetworkProtocol)i), port);
                if (strcmp(key, claim->key) == 0)
                        return 1;
                if (map_get(table->claims, key))
                        return 0;
        }
        return 0;
}

uint32_t port_table_count_free(const PortTable *table)
{
        const Claim *claim;
        uint32_t n = 0;

        MAP_FOREACH(claim, table->claims)
                n += (uint32_t)is_counted(table, claim);
        return table->count - n;
}

/* How many ports from forward->host_port on are free. */
static uint32_t count_free(const PortTable *table, const PortForward *forward)
{
        uint32_t n = 0;

        while (n < forward->count && !find_rival(table, forward, n))
                n++;
        return n;
}

int port_table_pick(PortTable *table, const Container *owner, PortForward *forward, Fault *fault)
{
        PortForward picked = *forward;
        uint32_t n_tried = 0;

        while (n_tried < table->count) {
                uint32_t n;

                if (table->cursor + forward->count > table->count) {
                        n_tried += table->count - table->cursor;
                        table->cursor = 0;
                        if (forward->count > table->count)
                                break;
                        continue;
                }
                picked.host_port = table->base + table->cursor;
                n = count_free(table, &picked);
                if (n == forward->count) {
                        int r = port_table_claim(table, owner, &picked, fault);

                        if (r < 0)
                                return r;
                        table->cursor += n;
                        forward->host_port = picked.host_port;
                        return 0;
                }
                table->cursor += n + 1;
                n_tried += n + 1;
        }
        return fault_set(fault, FAULT_LIMIT, -ENOSPC,
                         "HostPort: PortPool=%u:%u has no %u free ports of %s in a row",
                         table->base, table->count, forward->count,
                         network_protocol_to_string(forward->protocol));
}
