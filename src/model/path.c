/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "model/path.h"

int string_is_printable(const char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        return 0;
        return 1;
}

/* Says what is wrong with a path; NULL: nothing. Only one spelling of each path is accepted, so
 * that two mounts on one place can be found by comparing strings. */
static const char *path_complaint(const char *path)
{
        const char *p = path;

        if (path[0] != '/')
                return "is not an absolute path";
        if (strlen(path) >= PATH_MAX)
                return "is longer than a path may be";
        if (!string_is_printable(path))
                return "contains control characters";
        if (path[1] == 0)
                return NULL;
        while (*p) {
                const char *component = ++p;
                size_t n = strcspn(component, "/");

                p += n;
                if (n == 0)
                        return "has a doubled or trailing slash";
                if (n == 1 && component[0] == '.')
                        return "has a '.' component";
                if (n == 2 && component[0] == '.' && component[1] == '.')
                        return "has a '..' component";
        }
        return NULL;
}

int path_is_normal(const char *path)
{
        return !path_complaint(path);
}

int path_check(const char *path, const char *field, const char *what, Fault *fault)
{
        const char *complaint = path_complaint(path);

        if (!complaint)
                return 0;
        return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: %s%s'%.200s' %s", field,
                         what ? what : "", what ? " " : "", path, complaint);
}
