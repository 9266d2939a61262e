/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The arithmetic of pools. A slot is four consecutive addresses, as Warden's: IPv4 needs the first
 * and the last for the network and its broadcasts, and IPv6 takes the same shape, so that a slot
 * is one number for both. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/parse.h"
#include "model/name.h"
#include "model/network.h"

#define SLOT_SIZE 4U
#define SLOT_HOST 1U
#define SLOT_CONTAINER 2U
#define PREFIX4_MIN 8
#define PREFIX6_MIN 64
#define PREFIX6_MAX 110 /* as many slots as the largest IPv4 pool has */

/* FNV-1a: not for secrets, but so that ids which follow each other have nothing in common. */
static uint64_t hash_id(const char *id)
{
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (; *id; id++) {
                hash ^= (unsigned char)*id;
                hash *= UINT64_C(0x100000001b3);
        }
        return hash;
}

void network_addresses_name(NetworkAddresses *addresses, const char *id)
{
        uint64_t hash = hash_id(id);

        (void)snprintf(addresses->interface, sizeof(addresses->interface), "w-%.*s",
                       CONTAINER_ID_LENGTH, id);
        for (size_t i = 0; i < sizeof(addresses->mac); i++)
                addresses->mac[i] = (uint8_t)(hash >> (8 * i));
        /* Administered locally, of one station; this bit is what the host's side has set. */
        addresses->mac[0] = (uint8_t)((addresses->mac[0] & 0xf0) | 0x02);
}

void network_host_mac(const NetworkAddresses *addresses, uint8_t ret[6])
{
        memcpy(ret, addresses->mac, 6);
        ret[0] |= 0x08;
}

static int is_one_slot(const uint8_t *host, const uint8_t *container, size_t size)
{
        size_t last = size - 1;

        return memcmp(host, container, last) == 0 && (host[last] % SLOT_SIZE) == SLOT_HOST &&
               container[last] == host[last] + 1;
}

int network_addresses_are_valid(const NetworkAddresses *addresses)
{
        if (strnlen(addresses->interface, NETWORK_INTERFACE_MAX) == NETWORK_INTERFACE_MAX ||
            strncmp(addresses->interface, "w-", 2) != 0 || !id_is_valid(addresses->interface + 2))
                return 0;
        if ((addresses->mac[0] & 0x0b) != 0x02 || !network_pool_name_is_valid(addresses->pool))
                return 0;
        if (addresses->prefix4 != NETWORK_SLOT_PREFIX4 ||
            !is_one_slot((const uint8_t *)&addresses->host4,
                         (const uint8_t *)&addresses->container4, 4))
                return 0;
        if (addresses->prefix6 == 0)
                return 1;
        return addresses->prefix6 == NETWORK_SLOT_PREFIX6 &&
               is_one_slot(addresses->host6, addresses->container6, 16);
}

int network_pool_name_is_valid(const char *name)
{
        return strnlen(name, NETWORK_POOL_NAME_MAX) < NETWORK_POOL_NAME_MAX && name_is_valid(name);
}

void network_format4(uint32_t address, char ret[NETWORK_ADDRESS_MAX])
{
        (void)inet_ntop(AF_INET, &address, ret, NETWORK_ADDRESS_MAX);
}

void network_format6(const uint8_t address[16], char ret[NETWORK_ADDRESS_MAX])
{
        (void)inet_ntop(AF_INET6, address, ret, NETWORK_ADDRESS_MAX);
}

int network_interface_name_is_valid(const char *name)
{
        static const char *const reserved[] = { "", ".", "..", "lo", "all", "default" };

        if (strnlen(name, NETWORK_INTERFACE_MAX) == NETWORK_INTERFACE_MAX)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(reserved); i++)
                if (strcmp(name, reserved[i]) == 0)
                        return 0;
        for (const char *p = name; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("/:%", *p))
                        return 0;
        return 1;
}

int network_address_is_valid(const char *text)
{
        uint8_t address[16];

        return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* -- pools -- */

/* Cuts the word off that begins at *text; its length is bounded by @size. */
static int next_word(const char **text, char *ret, size_t size)
{
        size_t n;

        *text += strspn(*text, " \t");
        n = strcspn(*text, " \t");
        if (n >= size)
                return -EINVAL;
        memcpy(ret, *text, n);
        ret[n] = 0;
        *text += n;
        return n > 0;
}

/* ADDRESS/PREFIX of one family, the bits behind the prefix zero. */
static int parse_network(char *word, int family, uint8_t *address, size_t size, uint8_t *ret_prefix)
{
        char *slash = strchr(word, '/');
        uint32_t prefix;

        if (!slash)
                return -EINVAL;
        *slash = 0;
        if (inet_pton(family, word, address) != 1 || parse_u32(slash + 1, &prefix) < 0 ||
            prefix > size * 8)
                return -EINVAL;
        for (uint32_t bit = prefix; bit < size * 8; bit++)
                if (address[bit / 8] & (0x80 >> bit % 8))
                        return -ERANGE;
        *ret_prefix = (uint8_t)prefix;
        return 0;
}

static int network_fault(const NetworkPoolSpec *spec, const char *word, int error, const char *kind,
                         Fault *fault)
{
        if (error == -ERANGE)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': %s has bits set behind its prefix", spec->name, word);
        return fault_set(fault, FAULT_INVALID, -EINVAL,
                         "pool '%s': '%s' is not an %s network such as %s", spec->name, word, kind,
                         kind[3] == '4' ? "10.254.0.0/16" : "fd00:1:2:3::/64");
}

static int parse_network4(NetworkPoolSpec *spec, const char *word, Fault *fault)
{
        char copy[NETWORK_PREFIX_MAX];
        uint32_t address;
        int r;

        (void)snprintf(copy, sizeof(copy), "%s", word);
        r = parse_network(copy, AF_INET, (uint8_t *)&address, sizeof(address), &spec->prefix4);
        if (r < 0)
                return network_fault(spec, word, r, "IPv4", fault);
        spec->base4 = ntohl(address);
        if (spec->prefix4 < PREFIX4_MIN || spec->prefix4 > NETWORK_SLOT_PREFIX4)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': /%u of %s is not from /%d to /%d", spec->name,
                                 spec->prefix4, word, PREFIX4_MIN, NETWORK_SLOT_PREFIX4);
        if (network_pool_spec_slots(spec) > NETWORK_POOL_SLOTS_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': %s is for %u containers, the most is %u; use /14",
                                 spec->name, word, network_pool_spec_slots(spec),
                                 NETWORK_POOL_SLOTS_MAX);
        return 0;
}

static int parse_network6(NetworkPoolSpec *spec, const char *word, Fault *fault)
{
        char copy[NETWORK_PREFIX_MAX];
        int r;

        (void)snprintf(copy, sizeof(copy), "%s", word);
        r = parse_network(copy, AF_INET6, spec->base6, sizeof(spec->base6), &spec->prefix6);
        if (r < 0)
                return network_fault(spec, word, r, "IPv6", fault);
        if (spec->prefix6 < PREFIX6_MIN || spec->prefix6 > PREFIX6_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': /%u of %s is not from /%d to /%d", spec->name,
                                 spec->prefix6, word, PREFIX6_MIN, PREFIX6_MAX);
        return 0;
}

int network_pool_spec_parse(const char *text, NetworkPoolSpec *ret, Fault *fault)
{
        NetworkPoolSpec spec = { .prefix4 = 0 };
        char word[NETWORK_PREFIX_MAX];
        int r;

        r = next_word(&text, spec.name, sizeof(spec.name));
        if (r <= 0 || !network_pool_name_is_valid(spec.name))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "a pool is a NAME, an IPv4 network and perhaps an IPv6 network");
        r = next_word(&text, word, sizeof(word));
        if (r <= 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': an IPv4 network is missing", spec.name);
        r = parse_network4(&spec, word, fault);
        if (r < 0)
                return r;
        r = next_word(&text, word, sizeof(word));
        if (r > 0)
                r = parse_network6(&spec, word, fault);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': an IPv6 network is too long", spec.name);
        if (next_word(&text, word, sizeof(word)) != 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "pool '%s': there is something behind the networks", spec.name);
        *ret = spec;
        return 0;
}

static int do_overlap(const uint8_t *a, uint8_t prefix_a, const uint8_t *b, uint8_t prefix_b)
{
        uint8_t prefix = MIN2(prefix_a, prefix_b);

        for (uint8_t bit = 0; bit < prefix; bit++)
                if ((a[bit / 8] ^ b[bit / 8]) & (0x80 >> bit % 8))
                        return 0;
        return 1;
}

int network_pool_specs_overlap(const NetworkPoolSpec *a, const NetworkPoolSpec *b)
{
        uint32_t a4 = htonl(a->base4), b4 = htonl(b->base4);

        if (do_overlap((const uint8_t *)&a4, a->prefix4, (const uint8_t *)&b4, b->prefix4))
                return 1;
        return a->prefix6 && b->prefix6 && do_overlap(a->base6, a->prefix6, b->base6, b->prefix6);
}

uint32_t network_pool_spec_slots(const NetworkPoolSpec *spec)
{
        return UINT32_C(1) << (NETWORK_SLOT_PREFIX4 - spec->prefix4);
}

/* The lowest four bytes are enough: no pool is larger. */
static void address6(const NetworkPoolSpec *spec, uint32_t offset, uint8_t ret[16])
{
        memcpy(ret, spec->base6, 16);
        for (int i = 15; i >= 12; i--, offset >>= 8)
                ret[i] |= (uint8_t)offset;
}

void network_pool_spec_slot(const NetworkPoolSpec *spec, uint32_t index, NetworkAddresses *ret)
{
        uint32_t offset = index * SLOT_SIZE;

        ret->host4 = htonl(spec->base4 + offset + SLOT_HOST);
        ret->container4 = htonl(spec->base4 + offset + SLOT_CONTAINER);
        ret->prefix4 = NETWORK_SLOT_PREFIX4;
        ret->prefix6 = 0;
        if (spec->prefix6) {
                address6(spec, offset + SLOT_HOST, ret->host6);
                address6(spec, offset + SLOT_CONTAINER, ret->container6);
                ret->prefix6 = NETWORK_SLOT_PREFIX6;
        }
        (void)snprintf(ret->pool, sizeof(ret->pool), "%s", spec->name);
}

/* How far behind the pool's first address it is. */
static int find_offset(const NetworkPoolSpec *spec, const char *text, uint32_t *ret, Fault *fault)
{
        uint64_t n_addresses = (uint64_t)network_pool_spec_slots(spec) * SLOT_SIZE;
        uint8_t six[16];
        uint32_t four;

        if (inet_pton(AF_INET, text, &four) == 1) {
                four = ntohl(four);
                if (four < spec->base4 || four - spec->base4 >= n_addresses)
                        return -ERANGE;
                *ret = four - spec->base4;
                return 0;
        }
        if (inet_pton(AF_INET6, text, six) != 1)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Address: '%.64s' is not an IPv4 or IPv6 address", text);
        if (!spec->prefix6 || !do_overlap(six, 96, spec->base6, 96))
                return -ERANGE;
        memcpy(&four, six + 12, 4);
        *ret = ntohl(four);
        memcpy(&four, spec->base6 + 12, 4);
        *ret -= ntohl(four);
        return *ret >= n_addresses ? -ERANGE : 0;
}

int network_pool_spec_find(const NetworkPoolSpec *spec, const char *text, uint32_t *ret_index,
                           Fault *fault)
{
        char usable[NETWORK_ADDRESS_MAX];
        NetworkAddresses slot = { .prefix4 = 0 };
        uint32_t offset = 0;
        int r;

        r = find_offset(spec, text, &offset, fault);
        if (r < 0)
                return r;
        if (offset % SLOT_SIZE != SLOT_CONTAINER) {
                network_pool_spec_slot(spec, offset / SLOT_SIZE, &slot);
                if (strchr(text, ':'))
                        network_format6(slot.container6, usable);
                else
                        network_format4(slot.container4, usable);
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Address: %s is not a container's place in its slot of four; "
                                 "%s is the one",
                                 text, usable);
        }
        *ret_index = offset / SLOT_SIZE;
        return 0;
}
