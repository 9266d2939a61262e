/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/little-endian.h"
#include "wire/codec.h"

#define FIELD_HEADER 6

void wire_writer_done(WireWriter *w)
{
        if (!w->is_fixed)
                free(w->data);
        *w = WIRE_WRITER_INIT;
}

/* Returns where n bytes may be put, or NULL with w->error set. */
static uint8_t *wire_reserve(WireWriter *w, size_t n)
{
        uint8_t *p;

        if (w->error < 0)
                return NULL;
        if (n > w->room - w->size) {
                size_t room = MAX2(w->room * 2, w->size + n + 256);

                if (w->is_fixed) {
                        w->error = -EMSGSIZE;
                        return NULL;
                }
                p = realloc(w->data, room);
                if (!p) {
                        w->error = -ENOMEM;
                        return NULL;
                }
                w->data = p;
                w->room = room;
        }
        p = w->data + w->size;
        w->size += n;
        return p;
}

void wire_put_bytes(WireWriter *w, uint16_t tag, const void *data, size_t size)
{
        uint8_t *p;

        if (size > UINT32_MAX) {
                if (w->error >= 0)
                        w->error = -EMSGSIZE;
                return;
        }
        p = wire_reserve(w, FIELD_HEADER + size);
        if (!p)
                return;
        le_store(p, tag, 2);
        le_store(p + 2, size, 4);
        if (size > 0)
                memcpy(p + FIELD_HEADER, data, size);
}

void wire_put_u64(WireWriter *w, uint16_t tag, uint64_t value)
{
        uint8_t bytes[8];

        le_store(bytes, value, sizeof(bytes));
        wire_put_bytes(w, tag, bytes, sizeof(bytes));
}

void wire_put_string(WireWriter *w, uint16_t tag, const char *s)
{
        if (s)
                wire_put_bytes(w, tag, s, strlen(s) + 1);
}

void wire_put_strv(WireWriter *w, uint16_t tag, char *const *v)
{
        for (; v && *v; v++)
                wire_put_string(w, tag, *v);
}

size_t wire_begin(WireWriter *w, uint16_t tag)
{
        wire_put_bytes(w, tag, NULL, 0);
        return w->size;
}

void wire_end(WireWriter *w, size_t mark)
{
        if (w->error < 0)
                return;
        if (w->size - mark > UINT32_MAX) {
                w->error = -EMSGSIZE;
                return;
        }
        le_store(w->data + mark - 4, w->size - mark, 4);
}

int wire_next(WireReader *r, WireField *ret)
{
        size_t left = r->size - r->offset;
        const uint8_t *p;
        size_t size;

        if (left == 0)
                return 0;
        if (left < FIELD_HEADER)
                return -EBADMSG;
        p = r->data + r->offset;
        size = (size_t)le_load(p + 2, 4);
        if (size > left - FIELD_HEADER)
                return -EBADMSG;
        *ret = (WireField){ .tag = (uint16_t)le_load(p, 2),
                            .data = p + FIELD_HEADER,
                            .size = size };
        r->offset += FIELD_HEADER + size;
        return 1;
}

int wire_get_u64(const WireField *f, uint64_t *ret)
{
        if (f->size != 8)
                return -EBADMSG;
        *ret = le_load(f->data, 8);
        return 0;
}

int wire_get_u32(const WireField *f, uint32_t *ret)
{
        uint64_t value;
        int r;

        r = wire_get_u64(f, &value);
        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -EBADMSG;
        *ret = (uint32_t)value;
        return 0;
}

int wire_get_flag(const WireField *f, int *ret)
{
        uint64_t value;
        int r;

        r = wire_get_u64(f, &value);
        if (r < 0)
                return r;
        if (value > 1)
                return -EBADMSG;
        *ret = (int)value;
        return 0;
}

int wire_get_string(const WireField *f, const char **ret)
{
        if (f->size == 0 || memchr(f->data, 0, f->size) != f->data + f->size - 1)
                return -EBADMSG;
        *ret = (const char *)f->data;
        return 0;
}

int wire_once(uint64_t *seen, uint16_t tag)
{
        uint64_t bit;

        if (tag >= 64)
                return -EBADMSG;
        bit = UINT64_C(1) << tag;
        if (*seen & bit)
                return -EBADMSG;
        *seen |= bit;
        return 0;
}

int wire_dup_string(const WireField *f, char **ret)
{
        const char *s;
        char *copy;
        int r;

        r = wire_get_string(f, &s);
        if (r < 0)
                return r;
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

int wire_dup_strv(WireReader r, uint16_t tag, char ***ret)
{
        size_t n = 0, done = 0;
        WireField f;
        char **v;
        int k;

        for (WireReader counting = r; (k = wire_next(&counting, &f)) > 0;)
                n += f.tag == tag;
        if (k < 0)
                return k;
        v = calloc(n + 1, sizeof(char *));
        if (!v)
                return -ENOMEM;
        while (k >= 0 && wire_next(&r, &f) > 0)
                if (f.tag == tag)
                        k = wire_dup_string(&f, &v[done++]);
        if (k < 0) {
                for (size_t i = 0; i < n; i++)
                        free(v[i]);
                free(v);
                return k;
        }

        *ret = v;
        return 0;
}
