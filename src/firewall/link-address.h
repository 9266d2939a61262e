/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <string.h>

/* The link-local IPv6 address that the kernel makes of a MAC address. */
static inline void link_address_of_mac(const uint8_t mac[6], uint8_t ret[16])
{
        const uint8_t address[16] = {
                0xfe,       0x80,   0,      0,    0,    0,      0,      0,
                mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5],
        };

        memcpy(ret, address, sizeof(address));
}
