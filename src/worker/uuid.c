/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "worker/uuid.h"

static uint64_t rotate(uint64_t x, unsigned n)
{
        return (x << n) | (x >> (64 - n));
}

static void sip_rounds(uint64_t v[4], unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                v[0] += v[1];
                v[2] += v[3];
                v[1] = rotate(v[1], 13) ^ v[0];
                v[3] = rotate(v[3], 16) ^ v[2];
                v[0] = rotate(v[0], 32);
                v[2] += v[1];
                v[0] += v[3];
                v[1] = rotate(v[1], 17) ^ v[2];
                v[3] = rotate(v[3], 21) ^ v[0];
                v[2] = rotate(v[2], 32);
        }
}

static uint64_t load_word(const uint8_t *p, size_t n)
{
        uint64_t word = 0;

        for (size_t i = 0; i < n; i++)
                word |= (uint64_t)p[i] << (8 * i);
        return word;
}

static void sip_word(uint64_t v[4], uint64_t word)
{
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
}

uint64_t uuid_hash(const UuidKey *key, const void *data, size_t size)
{
        const uint8_t *p = data;
        size_t tail = size % 8;
        uint64_t v[4] = {
                key->words[0] ^ UINT64_C(0x736f6d6570736575),
                key->words[1] ^ UINT64_C(0x646f72616e646f6d),
                key->words[0] ^ UINT64_C(0x6c7967656e657261),
                key->words[1] ^ UINT64_C(0x7465646279746573),
        };

        for (; p < (const uint8_t *)data + (size - tail); p += 8)
                sip_word(v, load_word(p, 8));
        sip_word(v, load_word(p, tail) | (uint64_t)size << 56);
        v[2] ^= 0xff;
        sip_rounds(v, 4);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static int machine_id_parse(const char *text, UuidKey *ret)
{
        char word[17] = "";

        if (strspn(text, "0123456789abcdef") != 32 || (text[32] != '\n' && text[32] != 0))
                return 0;
        memcpy(word, text, 16);
        ret->words[0] = strtoull(word, NULL, 16);
        memcpy(word, text + 16, 16);
        ret->words[1] = strtoull(word, NULL, 16);
        return 1;
}

void uuid_key_load(UuidKey *ret)
{
        _drop_(drop_free) char *text = NULL;

        if (io_read_file(AT_FDCWD, "/etc/machine-id", 64, &text, NULL) >= 0 &&
            machine_id_parse(text, ret))
                return;
        /* Fails only before the kernel has random numbers, when no daemon runs yet. */
        if (getrandom(ret, sizeof(*ret), 0) != sizeof(*ret))
                memset(ret, 0, sizeof(*ret));
}

void uuid_format(const UuidKey *key, const char *id, char ret[UUID_TEXT_MAX])
{
        UuidKey second = { { key->words[0], ~key->words[1] } };
        uint64_t high = uuid_hash(key, id, strlen(id));
        uint64_t low = uuid_hash(&second, id, strlen(id));

        high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x8000);
        low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
        (void)snprintf(ret, UUID_TEXT_MAX,
                       "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                       high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                       low & UINT64_C(0xffffffffffff));
}
