/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/slice.h"

#define PREFIX "warden-"
#define SUFFIX ".slice"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)
#define SUFFIX_SIZE (sizeof(SUFFIX) - 1)

/* What systemd takes in a unit's name and needs no escaping; each dash between two parts. */
static int name_has_form(const char *name, size_t size)
{
        static const char characters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-";

        if (size == 0 || size > SLICE_NAME_MAX || name[0] == '.' || name[0] == '-' ||
            name[size - 1] == '-')
                return 0;
        for (size_t i = 0; i < size; i++)
                if (!name[i] || !strchr(characters, name[i]) ||
                    (name[i] == '-' && name[i + 1] == '-'))
                        return 0;
        return 1;
}

int slice_is_valid(const char *unit)
{
        size_t size = strlen(unit);

        return size > PREFIX_SIZE + SUFFIX_SIZE && strncmp(unit, PREFIX, PREFIX_SIZE) == 0 &&
               strcmp(unit + size - SUFFIX_SIZE, SUFFIX) == 0 &&
               name_has_form(unit + PREFIX_SIZE, size - PREFIX_SIZE - SUFFIX_SIZE);
}

int slice_parse(const char *text, char **ret, Fault *fault)
{
        size_t size = strlen(text);
        char *unit;

        if (slice_is_valid(text)) {
                unit = strdup(text);
        } else {
                /* "warden-web" would be warden-warden-web.slice: surely not meant. */
                if (!name_has_form(text, size) || strncmp(text, PREFIX, PREFIX_SIZE) == 0 ||
                    (size > SUFFIX_SIZE && strcmp(text + size - SUFFIX_SIZE, SUFFIX) == 0))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Slice: '%.128s' is neither a name such as 'web' nor "
                                         "'warden-web.slice'",
                                         text);
                if (asprintf(&unit, PREFIX "%s" SUFFIX, text) < 0)
                        unit = NULL;
        }
        if (!unit)
                return -ENOMEM;
        *ret = unit;
        return 0;
}
