/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "wire/network-wire.h"

enum {
        TAG_INTERFACE = 1, /* string */
        TAG_MAC,           /* 6 bytes */
        TAG_HOST4,         /* 4 bytes, as on the network */
        TAG_CONTAINER4,
        TAG_HOST6, /* 16 bytes; both or none */
        TAG_CONTAINER6,
        TAG_POOL, /* string */
        _TAG_MAX,
};

enum {
        TAG_BANDWIDTH_NAME = 1, /* string */
        TAG_BANDWIDTH_RATE,
        TAG_BANDWIDTH_BURST,
        _TAG_BANDWIDTH_MAX,
};

#define HAS(seen, tag) (!!((seen)&UINT64_C(1) << (tag)))

void network_addresses_encode(WireWriter *w, uint16_t tag, const NetworkAddresses *addresses)
{
        size_t mark = wire_begin(w, tag);

        wire_put_string(w, TAG_INTERFACE, addresses->interface);
        wire_put_bytes(w, TAG_MAC, addresses->mac, sizeof(addresses->mac));
        wire_put_bytes(w, TAG_HOST4, &addresses->host4, sizeof(addresses->host4));
        wire_put_bytes(w, TAG_CONTAINER4, &addresses->container4, sizeof(addresses->container4));
        if (addresses->prefix6) {
                wire_put_bytes(w, TAG_HOST6, addresses->host6, sizeof(addresses->host6));
                wire_put_bytes(w, TAG_CONTAINER6, addresses->container6,
                               sizeof(addresses->container6));
        }
        wire_put_string(w, TAG_POOL, addresses->pool);
        wire_end(w, mark);
}

static int get_bytes(const WireField *f, void *ret, size_t size)
{
        if (f->size != size)
                return -EBADMSG;
        memcpy(ret, f->data, size);
        return 0;
}

static int get_text(const WireField *f, char *ret, size_t size)
{
        const char *s;
        int r = wire_get_string(f, &s);

        if (r < 0)
                return r;
        return (size_t)snprintf(ret, size, "%s", s) < size ? 0 : -EBADMSG;
}

static int decode_part(const WireField *f, NetworkAddresses *a)
{
        switch (f->tag) {
        case TAG_INTERFACE:
                return get_text(f, a->interface, sizeof(a->interface));
        case TAG_MAC:
                return get_bytes(f, a->mac, sizeof(a->mac));
        case TAG_HOST4:
                return get_bytes(f, &a->host4, sizeof(a->host4));
        case TAG_CONTAINER4:
                return get_bytes(f, &a->container4, sizeof(a->container4));
        case TAG_HOST6:
                return get_bytes(f, a->host6, sizeof(a->host6));
        case TAG_CONTAINER6:
                return get_bytes(f, a->container6, sizeof(a->container6));
        case TAG_POOL:
                return get_text(f, a->pool, sizeof(a->pool));
        }
        return 0;
}

int network_addresses_decode(const WireField *f, NetworkAddresses *ret)
{
        WireReader reader = WIRE_READER(f->data, f->size);
        NetworkAddresses a = { .prefix4 = NETWORK_SLOT_PREFIX4 };
        uint64_t seen = 0;
        WireField part;
        int r;

        while ((r = wire_next(&reader, &part)) > 0) {
                if (part.tag == 0 || part.tag >= _TAG_MAX)
                        continue;
                r = wire_once(&seen, part.tag);
                if (r >= 0)
                        r = decode_part(&part, &a);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (HAS(seen, TAG_HOST6) != HAS(seen, TAG_CONTAINER6))
                return -EBADMSG;
        if (HAS(seen, TAG_HOST6))
                a.prefix6 = NETWORK_SLOT_PREFIX6;
        /* What is missing is zero, which is valid nowhere. */
        if (!network_addresses_are_valid(&a))
                return -EBADMSG;
        *ret = a;
        return 0;
}

void bandwidth_limits_encode(WireWriter *w, uint16_t tag, const BandwidthLimits *limits)
{
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++) {
                BandwidthDirection direction = (BandwidthDirection)i;
                size_t mark;

                if (!bandwidth_limits_has(limits, direction))
                        continue;
                mark = wire_begin(w, tag);
                wire_put_string(w, TAG_BANDWIDTH_NAME, bandwidth_direction_to_string(direction));
                wire_put_u64(w, TAG_BANDWIDTH_RATE, limits->of[i].rate);
                wire_put_u64(w, TAG_BANDWIDTH_BURST, limits->of[i].burst);
                wire_end(w, mark);
        }
}

int bandwidth_limits_decode(const WireField *f, BandwidthLimits *limits)
{
        WireReader reader = WIRE_READER(f->data, f->size);
        Bandwidth bandwidth = { .rate = 0 };
        const char *name = NULL;
        uint64_t seen = 0;
        WireField part;
        int r;

        while ((r = wire_next(&reader, &part)) > 0) {
                if (part.tag == 0 || part.tag >= _TAG_BANDWIDTH_MAX)
                        continue;
                r = wire_once(&seen, part.tag);
                if (r >= 0)
                        r = part.tag == TAG_BANDWIDTH_NAME ? wire_get_string(&part, &name)
                            : part.tag == TAG_BANDWIDTH_RATE
                                    ? wire_get_u64(&part, &bandwidth.rate)
                                    : wire_get_u64(&part, &bandwidth.burst);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (!name || (int)bandwidth_direction_from_string(name) < 0 ||
            bandwidth_limits_set(limits, name, &bandwidth, NULL) < 0)
                return -EBADMSG;
        return 0;
}
