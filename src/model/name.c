/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may be a name is decided by where it ends up: in D-Bus object paths, on command lines, in
 * file names and in unit descriptions. All of it is ASCII and compared by byte, so the locale must
 * not have a say: no isalnum() here. */

#include <string.h>

#include "model/name.h"

#define HOSTNAME_MAX 64
#define HOSTNAME_LABEL_MAX 63
#define DOMAIN_MAX 253

static int is_alphanumeric(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int name_is_valid(const char *name)
{
        size_t n;

        /* A leading dot would hide the file, a leading dash would be taken for an option. */
        if (!is_alphanumeric(name[0]))
                return 0;
        for (n = 1; name[n]; n++) {
                if (n >= CONTAINER_NAME_MAX)
                        return 0;
                if (!is_alphanumeric(name[n]) && !strchr("_.-", name[n]))
                        return 0;
        }
        return 1;
}

int id_is_valid(const char *id)
{
        size_t n;

        for (n = 0; id[n]; n++) {
                if (n >= CONTAINER_ID_LENGTH)
                        return 0;
                if (!(id[n] >= '0' && id[n] <= '9') && !(id[n] >= 'a' && id[n] <= 'v'))
                        return 0;
        }
        return n == CONTAINER_ID_LENGTH;
}

/* Returns 0; 1; 2 when it ends with a dot. */
static int labels_are_valid(const char *name, size_t max)
{
        size_t n, label = 0;

        for (n = 0; name[n]; n++) {
                if (n >= max)
                        return 0;
                if (name[n] == '.') {
                        if (label == 0 || name[n - 1] == '-')
                                return 0;
                        label = 0;
                        continue;
                }
                if (!is_alphanumeric(name[n]) && (name[n] != '-' || label == 0))
                        return 0;
                if (++label > HOSTNAME_LABEL_MAX)
                        return 0;
        }
        if (n == 0 || name[n - 1] == '-')
                return 0;
        return label > 0 ? 1 : 2;
}

int hostname_is_valid(const char *name)
{
        return labels_are_valid(name, HOSTNAME_MAX) == 1;
}

int domain_is_valid(const char *name)
{
        return labels_are_valid(name, DOMAIN_MAX) != 0;
}

void id_format(uint64_t number, char ret[CONTAINER_ID_LENGTH + 1])
{
        static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

        for (size_t i = CONTAINER_ID_LENGTH; i > 0; i--) {
                ret[i - 1] = digits[number & 31];
                number >>= 5;
        }
        ret[CONTAINER_ID_LENGTH] = 0;
}
