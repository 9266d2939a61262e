/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading and writing are each other's inverse, also for nested sequences. */

#include "basic/strv.h"
#include "fuzz.h"
#include "wire/codec.h"

#define DEPTH_MAX 4

static void check_values(const WireField *f)
{
        const char *s = NULL;
        uint64_t u64 = 0;
        uint32_t u32 = 0;
        int flag = 0;

        PROMISE((wire_get_u64(f, &u64) >= 0) == (f->size == 8));
        PROMISE((wire_get_u32(f, &u32) >= 0) == (f->size == 8 && u64 <= UINT32_MAX));
        PROMISE(u32 == 0 || u32 == u64);
        PROMISE((wire_get_flag(f, &flag) >= 0) == (f->size == 8 && u64 <= 1));
        if (wire_get_string(f, &s) >= 0)
                PROMISE(strlen(s) + 1 == f->size && (const uint8_t *)s == f->data);
}

/* Whether the whole is a sequence of fields. */
static int is_sequence(const uint8_t *data, size_t size)
{
        WireReader reader = WIRE_READER(data, size);
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                PROMISE(f.data >= data && f.size <= size);
                PROMISE((size_t)(f.data - data) <= size - f.size);
        }
        PROMISE(reader.offset <= size);
        return r == 0;
}

static void copy_fields(WireWriter *w, const uint8_t *data, size_t size, int depth)
{
        WireReader reader = WIRE_READER(data, size);
        WireField f;

        while (wire_next(&reader, &f) > 0) {
                check_values(&f);
                if (depth < DEPTH_MAX && f.size > 0 && is_sequence(f.data, f.size)) {
                        size_t mark = wire_begin(w, f.tag);

                        copy_fields(w, f.data, f.size, depth + 1);
                        wire_end(w, mark);
                } else
                        wire_put_bytes(w, f.tag, f.data, f.size);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        WireWriter w = WIRE_WRITER_INIT, fixed;
        _drop_(drop_free) uint8_t *buffer = malloc(size + 1);
        _drop_(drop_strv) char **v = NULL;

        PROMISE(buffer);
        copy_fields(&w, data, size, 0);
        PROMISE(w.error == 0 && w.size <= size);
        PROMISE(w.size == 0 || memcmp(w.data, data, w.size) == 0);
        PROMISE((w.size == size) == is_sequence(data, size));

        /* A buffer that does not grow gets the same or an error, and never a byte beyond. */
        buffer[size / 2] = 0xa5;
        fixed = WIRE_WRITER_FIXED(buffer, size / 2);
        copy_fields(&fixed, data, size, 0);
        PROMISE((fixed.error == 0) == (w.size <= size / 2));
        PROMISE(buffer[size / 2] == 0xa5);
        if (fixed.error == 0)
                PROMISE(fixed.size == w.size &&
                        memcmp(buffer, w.data ? w.data : data, w.size) == 0);

        if (wire_dup_strv(WIRE_READER(data, size), 1, &v) >= 0)
                PROMISE(is_sequence(data, size) && strv_length(v) * 7 <= size);
        wire_writer_done(&w);
        return 0;
}
