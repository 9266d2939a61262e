/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/bandwidth.h"
#include "model/network.h"
#include "wire/codec.h"

/* What is in plans, records and requests alike. NetworkAddresses are one sequence of fields. */

void network_addresses_encode(WireWriter *w, uint16_t tag, const NetworkAddresses *addresses);

/* Checked by network_addresses_are_valid(). Returns 0; -EBADMSG. */
int network_addresses_decode(const WireField *f, NetworkAddresses *ret);

/* Limits of the bandwidth are one such sequence for each direction that was given. */
void bandwidth_limits_encode(WireWriter *w, uint16_t tag, const BandwidthLimits *limits);

/* Adds the direction that @f is of, checked by bandwidth_limits_set(). Returns 0; -EBADMSG. */
int bandwidth_limits_decode(const WireField *f, BandwidthLimits *limits);
