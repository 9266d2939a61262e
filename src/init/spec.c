/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "init/spec.h"
#include "wire/wshd-message.h"

static int spec_decode_rlimit(const WireField *field, Spec *spec)
{
        WireReader reader = WIRE_READER(field->data, field->size);
        uint64_t soft = UINT64_MAX, hard = UINT64_MAX;
        uint32_t resource = UINT32_MAX;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == JOB_TAG_RLIMIT_RESOURCE)
                        r = wire_get_u32(&f, &resource);
                else if (f.tag == JOB_TAG_RLIMIT_SOFT)
                        r = wire_get_u64(&f, &soft);
                else if (f.tag == JOB_TAG_RLIMIT_HARD)
                        r = wire_get_u64(&f, &hard);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (resource >= SPEC_RLIMITS || soft > hard)
                return -EBADMSG;
        spec->rlimits[resource] = (SpecRlimit){ soft, hard };
        spec->rlimits_set |= 1U << resource;
        return 0;
}

static int spec_decode_number(const WireField *field, uint32_t max, int offset, int *ret)
{
        uint32_t value;

        if (wire_get_u32(field, &value) < 0 || value > max)
                return -EBADMSG;
        *ret = (int)value - offset;
        return 0;
}

static int spec_decode_variable(const WireField *field)
{
        const char *s, *equals;

        if (wire_get_string(field, &s) < 0)
                return -EBADMSG;
        equals = strchr(s, '=');
        return equals && equals != s ? 0 : -EBADMSG;
}

/* The fields of which there is at most one. */
static int spec_decode_single(const WireField *field, Spec *spec)
{
        int r;

        switch (field->tag) {
        case JOB_TAG_USER:
                return wire_get_string(field, &spec->user);
        case JOB_TAG_DIRECTORY:
                r = wire_get_string(field, &spec->directory);
                return r >= 0 && spec->directory[0] != '/' ? -EBADMSG : r;
        case JOB_TAG_UMASK:
                return spec_decode_number(field, 0777, 0, &spec->umask);
        case JOB_TAG_NICE:
                return spec_decode_number(field, 39, 20, &spec->nice);
        default:
                return 0; /* from a newer daemon */
        }
}

static int spec_decode_field(const WireField *field, Spec *spec, uint64_t *seen)
{
        const char *s;
        int r;

        switch (field->tag) {
        case JOB_TAG_ARGV:
                r = wire_get_string(field, &s);
                spec->n_argv += r >= 0;
                return r;
        case JOB_TAG_ENVIRONMENT:
                r = spec_decode_variable(field);
                spec->n_environment += r >= 0;
                return r;
        case JOB_TAG_RLIMIT:
                return spec_decode_rlimit(field, spec);
        default:
                if (field->tag == 0 || field->tag > JOB_TAG_RLIMIT_HARD)
                        return 0;
                r = wire_once(seen, field->tag);
                return r < 0 ? r : spec_decode_single(field, spec);
        }
}

int spec_decode(const void *data, size_t size, Spec *ret)
{
        Spec spec = { .data = data, .size = size, .umask = -1, .nice = SPEC_NO_NICE };
        WireReader reader = WIRE_READER(data, size);
        uint64_t seen = 0;
        WireField field;
        int r;

        if (size > WSHD_JOB_SPEC_MAX)
                return -E2BIG;
        while ((r = wire_next(&reader, &field)) > 0) {
                r = spec_decode_field(&field, &spec, &seen);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (spec.n_argv == 0)
                return -EBADMSG;
        *ret = spec;
        return 0;
}

void spec_get_strings(const Spec *spec, uint16_t tag, char **ret)
{
        WireReader reader = WIRE_READER(spec->data, spec->size);
        WireField field;

        while (wire_next(&reader, &field) > 0)
                if (field.tag == tag)
                        *ret++ = (char *)(uintptr_t)field.data;
}
