/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "basic/fault.h"

/* Addresses as rules name them: in numbers only. A host name in a rule would be another address
 * tomorrow, and looking it up would wait. */

typedef struct IpRange {
        int family;                  /* AF_INET, AF_INET6; AF_UNSPEC: none, which is "any" */
        uint8_t first[16], last[16]; /* network byte order; 4 bytes of it for AF_INET, the rest 0 */
} IpRange;

#define IP_RANGE_MAX 96 /* of its text, with the NUL */

/* "10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", and the same of IPv6. Bits behind a prefix must be
 * 0, so that a typing error is seen.
 * @what      names the field in the fault
 * Returns    0; -EINVAL, with a fault that quotes the text. */
int ip_range_parse(const char *what, const char *text, IpRange *ret, Fault *fault);

/* The shortest of the three forms. */
void ip_range_format(const IpRange *range, char ret[IP_RANGE_MAX]);

/* One address of a family, of 4 or 16 bytes. */
void ip_range_set(IpRange *range, int family, const void *address);

int ip_range_is_single(const IpRange *range);
int ip_range_equal(const IpRange *a, const IpRange *b);

/* What a decoder must check: a family that there is, first <= last, nothing behind 4 bytes. */
int ip_range_is_valid(const IpRange *range);
