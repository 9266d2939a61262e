/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

/* The one encoding that our programs share, for datagrams, plans and state files: a sequence of
 * fields,
 *
 *     u16 tag | u32 size | size bytes          all integers little-endian
 *
 * A reader skips tags it does not know, so that an older program can read what a newer one wrote.
 * Integers are u64; strings are stored with their NUL, which must be the only one. Lists repeat
 * their tag; structures nest a sequence of fields. Nothing here depends on more than memcpy, so
 * that wshd's libc does as well. */

typedef struct WireWriter {
        uint8_t *data;
        size_t size;
        size_t room;
        int is_fixed; /* data belongs to the caller and does not grow */
        int error;    /* the first failure: -ENOMEM or -EMSGSIZE; later puts do nothing */
} WireWriter;

#define WIRE_WRITER_INIT ((WireWriter){ 0 })
#define WIRE_WRITER_FIXED(buffer, n) ((WireWriter){ .data = (buffer), .room = (n), .is_fixed = 1 })

/* Frees what a growing writer holds. */
void wire_writer_done(WireWriter *w);

void wire_put_u64(WireWriter *w, uint16_t tag, uint64_t value);
void wire_put_string(WireWriter *w, uint16_t tag, const char *s); /* NULL: nothing is written */
void wire_put_strv(WireWriter *w, uint16_t tag, char *const *v);  /* one field a string */
void wire_put_bytes(WireWriter *w, uint16_t tag, const void *data, size_t size);

/* Opens a nested sequence; its size is filled in by wire_end(). Returns a mark for wire_end(). */
size_t wire_begin(WireWriter *w, uint16_t tag);
void wire_end(WireWriter *w, size_t mark);

typedef struct WireField {
        uint16_t tag;
        const uint8_t *data; /* into the reader's buffer */
        size_t size;
} WireField;

typedef struct WireReader {
        const uint8_t *data;
        size_t size;
        size_t offset;
} WireReader;

#define WIRE_READER(buffer, n) ((WireReader){ .data = (buffer), .size = (n) })

/* Returns 1 with a field; 0 at the end; -EBADMSG when a field does not fit into what is left. */
int wire_next(WireReader *r, WireField *ret);

/* All return 0 or -EBADMSG (wrong size, no NUL or one too many, out of the type's range). The
 * string points into the buffer. */
int wire_get_u64(const WireField *f, uint64_t *ret);
int wire_get_u32(const WireField *f, uint32_t *ret);
int wire_get_flag(const WireField *f, int *ret); /* 0 or 1 */
int wire_get_string(const WireField *f, const char **ret);

/* Notes that a field of @tag (below 64) came by. Returns 0; -EBADMSG the second time: of what is
 * not a list, two are a contradiction, and the halves of a program must not read different ones. */
int wire_once(uint64_t *seen, uint16_t tag);

/* Copies the string, replacing what was there. Returns 0; -EBADMSG; -ENOMEM. */
int wire_dup_string(const WireField *f, char **ret);

/* All strings of @tag in what the reader still has, as a new vector for strv_free(), which is there
 * also when it is empty. In one pass to count and one to copy: the length comes from outside.
 * Returns 0; -EBADMSG; -ENOMEM. */
int wire_dup_strv(WireReader r, uint16_t tag, char ***ret);
