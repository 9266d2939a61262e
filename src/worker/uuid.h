/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* container_uuid=: the same for a container whenever it is started, another on every machine, and
 * without a way back to the machine's own id, which is meant to be kept from containers. */

#define UUID_TEXT_MAX 37 /* "01234567-89ab-…" and its NUL */

typedef struct UuidKey {
        uint64_t words[2];
} UuidKey;

/* Of /etc/machine-id; of random bytes where there is none, so that uuids last as long as we do. */
void uuid_key_load(UuidKey *ret);

/* The key's keyed hash (SipHash-2-4, twice) of the container's id, as a version 8 UUID. */
void uuid_format(const UuidKey *key, const char *id, char ret[UUID_TEXT_MAX]);

/* SipHash-2-4 of bytes. */
uint64_t uuid_hash(const UuidKey *key, const void *data, size_t size);
