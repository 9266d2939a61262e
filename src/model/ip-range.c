/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/parse.h"
#include "model/ip-range.h"

static size_t family_bytes(int family)
{
        return family == AF_INET ? 4 : 16;
}

static int address_parse(const char *text, size_t n, int *ret_family, uint8_t ret[16])
{
        char copy[INET6_ADDRSTRLEN];

        if (n >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, n);
        copy[n] = 0;
        memset(ret, 0, 16);
        *ret_family = strchr(copy, ':') ? AF_INET6 : AF_INET;
        return inet_pton(*ret_family, copy, ret) == 1 ? 0 : -EINVAL;
}

/* Bit i of an address, from the left, is 1 in the host part. */
static int prefix_apply(IpRange *range, uint32_t prefix)
{
        size_t n = family_bytes(range->family);

        if (prefix > n * 8)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                uint32_t bits = prefix > i * 8 ? MIN2(prefix - (uint32_t)i * 8, 8U) : 0;
                uint8_t host = (uint8_t)(0xff >> bits);

                if (range->first[i] & host)
                        return -EINVAL;
                range->last[i] = range->first[i] | host;
        }
        return 0;
}

static int range_parse(const char *text, IpRange *range)
{
        size_t n = strcspn(text, "/-");
        uint32_t prefix;
        int family, r;

        r = address_parse(text, n, &range->family, range->first);
        if (r < 0)
                return r;
        memcpy(range->last, range->first, sizeof(range->last));
        if (text[n] == 0)
                return 0;
        if (text[n] == '/') {
                r = parse_u32(text + n + 1, &prefix);
                return r < 0 ? r : prefix_apply(range, prefix);
        }
        r = address_parse(text + n + 1, strlen(text + n + 1), &family, range->last);
        if (r < 0)
                return r;
        return family == range->family && memcmp(range->first, range->last, 16) <= 0 ? 0 : -EINVAL;
}

int ip_range_parse(const char *what, const char *text, IpRange *ret, Fault *fault)
{
        IpRange range = { .family = AF_UNSPEC };

        if (range_parse(text, &range) < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.64s' is not an address, ADDRESS/PREFIX or FIRST-LAST in "
                                 "numbers",
                                 what, text);
        *ret = range;
        return 0;
}

/* The length of the prefix that the range is; -1: it is none. */
static int range_prefix(const IpRange *range)
{
        int bits = (int)family_bytes(range->family) * 8, prefix = 0;

        while (prefix < bits &&
               !((range->first[prefix / 8] ^ range->last[prefix / 8]) >> (7 - prefix % 8) & 1))
                prefix++;
        for (int i = prefix; i < bits; i++)
                if (range->first[i / 8] >> (7 - i % 8) & 1 ||
                    !(range->last[i / 8] >> (7 - i % 8) & 1))
                        return -1;
        return prefix;
}

void ip_range_format(const IpRange *range, char ret[IP_RANGE_MAX])
{
        char first[INET6_ADDRSTRLEN] = "", last[INET6_ADDRSTRLEN] = "";
        int prefix;

        ret[0] = 0;
        if (range->family == AF_UNSPEC)
                return;
        (void)inet_ntop(range->family, range->first, first, sizeof(first));
        (void)inet_ntop(range->family, range->last, last, sizeof(last));
        prefix = range_prefix(range);
        if (ip_range_is_single(range))
                (void)snprintf(ret, IP_RANGE_MAX, "%s", first);
        else if (prefix >= 0)
                (void)snprintf(ret, IP_RANGE_MAX, "%s/%d", first, prefix);
        else
                (void)snprintf(ret, IP_RANGE_MAX, "%s-%s", first, last);
}

void ip_range_set(IpRange *range, int family, const void *address)
{
        *range = (IpRange){ .family = family };
        memcpy(range->first, address, family_bytes(family));
        memcpy(range->last, address, family_bytes(family));
}

int ip_range_is_single(const IpRange *range)
{
        return memcmp(range->first, range->last, sizeof(range->first)) == 0;
}

int ip_range_equal(const IpRange *a, const IpRange *b)
{
        return a->family == b->family && memcmp(a->first, b->first, sizeof(a->first)) == 0 &&
               memcmp(a->last, b->last, sizeof(a->last)) == 0;
}

int ip_range_is_valid(const IpRange *range)
{
        if (range->family != AF_INET && range->family != AF_INET6)
                return 0;
        for (size_t i = family_bytes(range->family); i < sizeof(range->first); i++)
                if (range->first[i] || range->last[i])
                        return 0;
        return memcmp(range->first, range->last, sizeof(range->first)) <= 0;
}
