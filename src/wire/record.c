/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "model/path.h"
#include "wire/record.h"

#define TAG_RECORD 0x4457 /* "WD", little-endian */

void record_begin(WireWriter *w, uint32_t kind, uint32_t version)
{
        wire_put_u64(w, TAG_RECORD, (uint64_t)kind << 32 | version);
}

int record_open(const void *data, size_t size, uint32_t kind, uint32_t version, WireReader *ret)
{
        WireReader reader = WIRE_READER(data, size);
        uint64_t value;
        WireField f;
        int r;

        r = wire_next(&reader, &f);
        if (r < 0)
                return r;
        if (r == 0 || f.tag != TAG_RECORD || wire_get_u64(&f, &value) < 0)
                return -EBADMSG;
        if (value >> 32 != kind)
                return -EBADMSG;
        if ((uint32_t)value != version)
                return -EPROTONOSUPPORT;

        *ret = reader;
        return 0;
}

int record_text_is_valid(const char *s, size_t max)
{
        size_t n = strlen(s);

        return n > 0 && n <= max && string_is_printable(s);
}
