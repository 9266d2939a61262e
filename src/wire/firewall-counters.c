/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "wire/firewall-counters.h"

enum {
        TAG_REFUSED = 1,
        TAG_FORGED,
        TAG_RULE, /* the first: each has the tag of its number, up to EGRESS_RULES_MAX */
};

enum {
        TAG_COUNT_PACKETS = 1,
        TAG_COUNT_BYTES,
        _TAG_COUNT_MAX,
};

static void count_encode(const FirewallCount *count, uint16_t tag, WireWriter *w)
{
        size_t mark;

        if (count->packets == 0 && count->bytes == 0)
                return;
        mark = wire_begin(w, tag);
        wire_put_u64(w, TAG_COUNT_PACKETS, count->packets);
        wire_put_u64(w, TAG_COUNT_BYTES, count->bytes);
        wire_end(w, mark);
}

int firewall_counters_encode(const FirewallCounters *counters, WireWriter *w)
{
        count_encode(&counters->refused, TAG_REFUSED, w);
        count_encode(&counters->forged, TAG_FORGED, w);
        for (size_t i = 0; i < EGRESS_RULES_MAX; i++)
                count_encode(&counters->rules[i], (uint16_t)(TAG_RULE + i), w);
        return w->error;
}

static int count_decode(const WireField *nested, FirewallCount *ret)
{
        WireReader reader = WIRE_READER(nested->data, nested->size);
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == 0 || f.tag >= _TAG_COUNT_MAX)
                        continue;
                r = wire_once(&seen, f.tag);
                if (r >= 0)
                        r = wire_get_u64(&f,
                                         f.tag == TAG_COUNT_PACKETS ? &ret->packets : &ret->bytes);
                if (r < 0)
                        return r;
        }
        return r;
}

static FirewallCount *find_count(FirewallCounters *counters, uint16_t tag)
{
        if (tag == TAG_REFUSED)
                return &counters->refused;
        if (tag == TAG_FORGED)
                return &counters->forged;
        if (tag >= TAG_RULE && tag < TAG_RULE + EGRESS_RULES_MAX)
                return &counters->rules[tag - TAG_RULE];
        return NULL;
}

int firewall_counters_decode(const void *data, size_t size, FirewallCounters *ret)
{
        WireReader reader = WIRE_READER(data, size);
        FirewallCounters counters = { 0 };
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                FirewallCount *count = find_count(&counters, f.tag);

                /* None is written that is nothing, so one that is something is a second one. */
                if (!count)
                        continue;
                if (count->packets > 0 || count->bytes > 0)
                        return -EBADMSG;
                r = count_decode(&f, count);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = counters;
        return 0;
}
