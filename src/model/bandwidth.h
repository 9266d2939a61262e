/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"

/* How fast a container may receive and send by its own interface, each for itself. */

typedef enum BandwidthDirection {
        BANDWIDTH_RECEIVE,
        BANDWIDTH_TRANSMIT,
        _BANDWIDTH_DIRECTION_MAX,
        _BANDWIDTH_DIRECTION_INVALID = -22,
} BandwidthDirection;

typedef struct Bandwidth {
        uint64_t rate;  /* bytes a second, with their headers; UINT64_MAX: no limit */
        uint64_t burst; /* bytes that may go at once after a pause; 0: bandwidth_burst() */
} Bandwidth;

#define BANDWIDTH_NAME_BOTH "BandwidthMax" /* both directions the same */
#define BANDWIDTH_NONE ((Bandwidth){ .rate = UINT64_MAX })

/* "BandwidthReceiveMax", "BandwidthTransmitMax". */
const char *bandwidth_direction_to_string(BandwidthDirection direction);
BandwidthDirection bandwidth_direction_from_string(const char *s);

/* All zero: nothing was given. */
typedef struct BandwidthLimits {
        Bandwidth of[_BANDWIDTH_DIRECTION_MAX];
        uint32_t set; /* bit of a BandwidthDirection: it was given */
} BandwidthLimits;

static inline int bandwidth_limits_has(const BandwidthLimits *limits, BandwidthDirection direction)
{
        return (limits->set >> direction) & 1;
}

/* Checks and sets what was not given yet.
 * @name   of a direction, or BANDWIDTH_NAME_BOTH
 * Returns 0; -EINVAL given twice, -ERANGE, with a fault that names limit and bounds. */
int bandwidth_limits_set(BandwidthLimits *limits, const char *name, const Bandwidth *bandwidth,
                         Fault *fault);

/* What was given in @changes replaces what @limits has of it. */
void bandwidth_limits_change(BandwidthLimits *limits, const BandwidthLimits *changes);
int bandwidth_limits_are_equal(const BandwidthLimits *a, const BandwidthLimits *b);

/* Checks all again. Returns 0; -ERANGE with a fault. */
int bandwidth_limits_validate(const BandwidthLimits *limits, Fault *fault);

/* The name of one that was given, for a fault about all; NULL: none was. */
const char *bandwidth_limits_name(const BandwidthLimits *limits);

/* The largest packet that a link of this MTU carries: the least burst that lets all through. */
uint32_t bandwidth_packet(uint32_t mtu);

/* What is in force for this MTU: the burst that was given, or what passes in 20 ms, but room for
 * two packets, and 4 MiB at most. Bytes. */
uint64_t bandwidth_burst(const Bandwidth *bandwidth, uint32_t mtu);

/* How many bytes may wait behind the burst before packets are dropped: what passes in 50 ms, but
 * room for ten packets, and 16 MiB at most. */
uint64_t bandwidth_queue(const Bandwidth *bandwidth, uint32_t mtu);
