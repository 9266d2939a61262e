/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* What a container with a network of its own has on the host: a veth pair and its addresses. Plain
 * data, leased by the daemon from a pool, carried in the plan and kept in the container's record.
 */

#define NETWORK_INTERFACE_MAX 16 /* IFNAMSIZ, with the NUL */
#define NETWORK_INTERFACE_INSIDE "eth0"
#define NETWORK_POOL_NAME_MAX 32 /* with the NUL */
#define NETWORK_ADDRESS_MAX 46   /* INET6_ADDRSTRLEN */
#define NETWORK_PREFIX_MAX (NETWORK_ADDRESS_MAX + 4)
#define NETWORK_SLOT_PREFIX4 30
#define NETWORK_SLOT_PREFIX6 126
#define NETWORK_MTU_MIN 576 /* what every IPv4 host takes; IPv6 wants 1280 */
#define NETWORK_MTU_MIN6 1280
#define NETWORK_MTU_MAX 65535

typedef struct NetworkAddresses {
        char interface[NETWORK_INTERFACE_MAX]; /* the host's side: "w-" and the id */
        uint8_t mac[6];                        /* the container's side */
        uint32_t host4, container4;            /* network byte order, as all of it */
        uint8_t prefix4;
        uint8_t host6[16], container6[16];
        uint8_t prefix6; /* 0: no IPv6 */
        char pool[NETWORK_POOL_NAME_MAX];
} NetworkAddresses;

/* The name of the host's side and the container's MAC address, both from the id alone, so that they
 * are the same after every stop and start. */
void network_addresses_name(NetworkAddresses *addresses, const char *id);

/* What of a record or a plan somebody could have made up: a name of ours, addresses in one slot.
 * Returns 1 or 0. */
int network_addresses_are_valid(const NetworkAddresses *addresses);

/* The host's side has the container's MAC address but for one bit: udev changes what is random. */
void network_host_mac(const NetworkAddresses *addresses, uint8_t ret[6]);

/* Addresses to slots are cut from: "NAME 10.254.0.0/16 [fd00:…/64]". */
typedef struct NetworkPoolSpec {
        char name[NETWORK_POOL_NAME_MAX];
        uint32_t base4; /* host byte order */
        uint8_t prefix4;
        uint8_t base6[16];
        uint8_t prefix6; /* 0: no IPv6 */
} NetworkPoolSpec;

#define NETWORK_POOL_SLOTS_MAX 65536U

/* Parses NAME, then an IPv4 network from /8 to /30 with at most NETWORK_POOL_SLOTS_MAX slots, then
 * perhaps an IPv6 network of /64 to /110, not shorter of slots than the IPv4 one; without bits
 * behind the prefix. Returns 0; -EINVAL with a fault that says what is wrong. */
int network_pool_spec_parse(const char *text, NetworkPoolSpec *ret, Fault *fault);

/* Returns 1 when an address can be in both. */
int network_pool_specs_overlap(const NetworkPoolSpec *a, const NetworkPoolSpec *b);

/* How many containers fit. */
uint32_t network_pool_spec_slots(const NetworkPoolSpec *spec);

/* The addresses of slot @index: of four the second is the host's, the third the container's.
 * Interface and MAC stay as they are. */
void network_pool_spec_slot(const NetworkPoolSpec *spec, uint32_t index, NetworkAddresses *ret);

/* The slot whose container address @text is. Returns 0; -EINVAL with a fault: no address, or a
 * place in a slot that is not the container's; -ERANGE (no fault): of another pool. */
int network_pool_spec_find(const NetworkPoolSpec *spec, const char *text, uint32_t *ret_index,
                           Fault *fault);

int network_pool_name_is_valid(const char *name);

/* "10.254.0.2", "fd00::2"; with a prefix "10.254.0.2/30". */
void network_format4(uint32_t address, char ret[NETWORK_ADDRESS_MAX]);
void network_format6(const uint8_t address[16], char ret[NETWORK_ADDRESS_MAX]);

/* A name that the kernel takes for an interface and that is nothing else: at most 15 visible ASCII
 * characters without '/', ':' and '%', none of '.', '..', 'lo', and not 'all' or 'default', which
 * are folders beside those of interfaces in /proc/sys/net. */
int network_interface_name_is_valid(const char *name);

/* Whether it is an IPv4 or IPv6 address in numbers. */
int network_address_is_valid(const char *text);
