/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/network.h"
#include "wire/codec.h"

/* NetworkAddresses as a nested sequence of fields, in plans, records and requests alike. */

void network_addresses_encode(WireWriter *w, uint16_t tag, const NetworkAddresses *addresses);

/* Checked by network_addresses_are_valid(). Returns 0; -EBADMSG. */
int network_addresses_decode(const WireField *f, NetworkAddresses *ret);
