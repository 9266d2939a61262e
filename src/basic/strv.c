/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/strv.h"

char **strv_free(char **v)
{
        for (char **p = v; p && *p; p++)
                free(*p);
        free(v);
        return NULL;
}

size_t strv_length(char *const *v)
{
        size_t n = 0;

        for (; v && v[n]; n++)
                ;
        return n;
}

int strv_copy(char *const *v, char ***ret)
{
        size_t n = strv_length(v);
        _drop_(drop_strv) char **copy = calloc(n + 1, sizeof(char *));

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                copy[i] = strdup(v[i]);
                if (!copy[i])
                        return -ENOMEM;
        }
        *ret = take_ptr(copy);
        return 0;
}

int strv_append(char ***v, const char *s)
{
        size_t n = strv_length(*v);
        char *copy = strdup(s);
        char **bigger;

        if (!copy)
                return -ENOMEM;
        bigger = realloc(*v, (n + 2) * sizeof(char *));
        if (!bigger) {
                free(copy);
                return -ENOMEM;
        }
        *v = bigger;
        (*v)[n] = copy;
        (*v)[n + 1] = NULL;
        return 0;
}

int strv_env_set(char ***v, const char *assignment)
{
        const char *eq = strchr(assignment, '=');
        size_t key;

        if (!eq || eq == assignment)
                return -EINVAL;
        key = (size_t)(eq - assignment) + 1;
        for (char **p = *v; p && *p; p++)
                if (strncmp(*p, assignment, key) == 0) {
                        char *copy = strdup(assignment);

                        if (!copy)
                                return -ENOMEM;
                        free(*p);
                        *p = copy;
                        return 0;
                }
        return strv_append(v, assignment);
}

int strv_equal(char *const *a, char *const *b)
{
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return 0;
        for (size_t i = 0; i < n; i++)
                if (strcmp(a[i], b[i]) != 0)
                        return 0;
        return 1;
}
