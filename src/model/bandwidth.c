/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "model/bandwidth.h"

/* The kernel counts a burst in 32 bits. A rate below a packet in one and a half seconds is no
 * network; one above a terabyte is no limit. */
#define RATE_MIN UINT64_C(1000)
#define RATE_MAX UINT64_C(1000000000000)
#define BURST_MIN UINT64_C(590) /* a packet of the smallest MTU */
#define BURST_MAX (UINT64_C(1) << 30)

#define ETHERNET_HEADER 14U

/* A longer burst is a limit that is felt late; a shorter one wakes the kernel for each packet. */
#define BURST_PER_SEC 50 /* a second has as many */
#define BURST_PACKETS 2
#define BURST_DEFAULT_MAX (UINT64_C(4) << 20)

/* What waits longer is better lost, so that who sends learns of it; but TCP needs some packets on
 * their way to notice a loss at all. */
#define QUEUE_PER_SEC 20
#define QUEUE_PACKETS 10
#define QUEUE_MAX (UINT64_C(16) << 20)

static const char *const direction_table[_BANDWIDTH_DIRECTION_MAX] = {
        [BANDWIDTH_RECEIVE] = "BandwidthReceiveMax",
        [BANDWIDTH_TRANSMIT] = "BandwidthTransmitMax",
};

const char *bandwidth_direction_to_string(BandwidthDirection direction)
{
        return (int)direction >= 0 && direction < _BANDWIDTH_DIRECTION_MAX
                       ? direction_table[direction]
                       : NULL;
}

BandwidthDirection bandwidth_direction_from_string(const char *s)
{
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                if (strcmp(direction_table[i], s) == 0)
                        return (BandwidthDirection)i;
        return _BANDWIDTH_DIRECTION_INVALID;
}

static int bandwidth_check(const Bandwidth *bandwidth, const char *name, Fault *fault)
{
        if (bandwidth->rate != UINT64_MAX &&
            (bandwidth->rate < RATE_MIN || bandwidth->rate > RATE_MAX))
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "%s: a rate of %" PRIu64 " is not from %" PRIu64 " to %" PRIu64
                                 " bytes a second or infinity",
                                 name, bandwidth->rate, RATE_MIN, RATE_MAX);
        if (bandwidth->burst != 0 && (bandwidth->burst < BURST_MIN || bandwidth->burst > BURST_MAX))
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "%s: a burst of %" PRIu64 " is not from %" PRIu64 " to %" PRIu64
                                 " bytes, or 0 for a fitting one",
                                 name, bandwidth->burst, BURST_MIN, BURST_MAX);
        return 0;
}

static int is_of(const char *name, BandwidthDirection direction)
{
        return strcmp(name, BANDWIDTH_NAME_BOTH) == 0 ||
               strcmp(name, bandwidth_direction_to_string(direction)) == 0;
}

int bandwidth_limits_set(BandwidthLimits *limits, const char *name, const Bandwidth *bandwidth,
                         Fault *fault)
{
        int r = bandwidth_check(bandwidth, name, fault);

        if (r < 0)
                return r;
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                if (is_of(name, (BandwidthDirection)i) &&
                    bandwidth_limits_has(limits, (BandwidthDirection)i))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "%s: is given twice; " BANDWIDTH_NAME_BOTH
                                         " stands for both directions",
                                         direction_table[i]);
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++) {
                if (!is_of(name, (BandwidthDirection)i))
                        continue;
                limits->of[i] = *bandwidth;
                limits->set |= UINT32_C(1) << i;
        }
        return 0;
}

void bandwidth_limits_change(BandwidthLimits *limits, const BandwidthLimits *changes)
{
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                if (bandwidth_limits_has(changes, (BandwidthDirection)i))
                        limits->of[i] = changes->of[i];
        limits->set |= changes->set;
}

int bandwidth_limits_are_equal(const BandwidthLimits *a, const BandwidthLimits *b)
{
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                if (bandwidth_limits_has(a, (BandwidthDirection)i) &&
                    (a->of[i].rate != b->of[i].rate || a->of[i].burst != b->of[i].burst))
                        return 0;
        return a->set == b->set;
}

int bandwidth_limits_validate(const BandwidthLimits *limits, Fault *fault)
{
        int r = 0;

        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX && r >= 0; i++)
                if (bandwidth_limits_has(limits, (BandwidthDirection)i))
                        r = bandwidth_check(&limits->of[i], direction_table[i], fault);
        return r;
}

const char *bandwidth_limits_name(const BandwidthLimits *limits)
{
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                if (bandwidth_limits_has(limits, (BandwidthDirection)i))
                        return direction_table[i];
        return NULL;
}

uint32_t bandwidth_packet(uint32_t mtu)
{
        return mtu + ETHERNET_HEADER;
}

static uint64_t between(uint64_t low, uint64_t value, uint64_t high)
{
        return value < low ? low : value > high ? high : value;
}

uint64_t bandwidth_burst(const Bandwidth *bandwidth, uint32_t mtu)
{
        if (bandwidth->burst > 0)
                return bandwidth->burst;
        return between(BURST_PACKETS * (uint64_t)bandwidth_packet(mtu),
                       bandwidth->rate / BURST_PER_SEC, BURST_DEFAULT_MAX);
}

uint64_t bandwidth_queue(const Bandwidth *bandwidth, uint32_t mtu)
{
        return between(QUEUE_PACKETS * (uint64_t)bandwidth_packet(mtu),
                       bandwidth->rate / QUEUE_PER_SEC, QUEUE_MAX);
}
