/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/strv.h"
#include "model/environment.h"

/* The text of a fault names the key only: values may be secrets. */
static int entry_validate(const char *entry, Fault *fault)
{
        size_t key = strcspn(entry, "=");

        if (entry[key] == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Environment: an entry has no '=': every one is KEY=VALUE");
        if (key == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Environment: an entry has nothing before its '='");
        for (size_t i = 0; i < key; i++)
                if ((unsigned char)entry[i] < 0x20 || entry[i] == 0x7f)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Environment: key '%.*s' contains control characters",
                                         (int)MIN2(key, (size_t)64), entry);
        if (strlen(entry) > STRING_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG,
                                 "Environment: '%.*s' is longer than %d bytes",
                                 (int)MIN2(key, (size_t)64), entry, STRING_MAX);
        return 0;
}

int environment_validate(char *const *environment, size_t max_bytes, size_t *total_bytes,
                         Fault *fault)
{
        size_t total = total_bytes ? *total_bytes : 0;
        size_t n = strv_length(environment);
        int r;

        if (n > ENVIRONMENT_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG,
                                 "Environment: %zu entries are more than %d", n, ENVIRONMENT_MAX);
        for (size_t i = 0; i < n; i++) {
                r = entry_validate(environment[i], fault);
                if (r < 0)
                        return r;
                total += STRING_COST(strlen(environment[i]));
                if (total > max_bytes)
                        return fault_set(fault, FAULT_INVALID, -E2BIG,
                                         "Environment: together larger than %zu bytes", max_bytes);
        }
        if (total_bytes)
                *total_bytes = total;
        return 0;
}

typedef struct Variable {
        const char *entry;
        size_t key_length;
        size_t index;
} Variable;

static int variable_compare_key(const Variable *a, const Variable *b)
{
        if (a->key_length != b->key_length)
                return a->key_length < b->key_length ? -1 : 1;
        return memcmp(a->entry, b->entry, a->key_length);
}

/* By key, then by age: neighbours of one key stand in the order in which they were given. */
static int variable_compare(const void *x, const void *y)
{
        const Variable *a = x, *b = y;
        int r = variable_compare_key(a, b);

        return r ? r : (a->index > b->index) - (a->index < b->index);
}

int environment_merge(char *const *under, char *const *over, const char ***ret)
{
        size_t n_under = strv_length(under);
        size_t n = n_under + strv_length(over), kept = 0;
        _drop_(drop_free) Variable *variables = calloc(n + 1, sizeof(*variables));
        _drop_(drop_free) const char **merged = calloc(n + 1, sizeof(*merged));

        if (!variables || !merged)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *entry = i < n_under ? under[i] : over[i - n_under];

                variables[i] = (Variable){ entry, strcspn(entry, "="), i };
        }
        qsort(variables, n, sizeof(*variables), variable_compare);

        /* The last of a key's entries takes the place of its first. */
        for (size_t i = 0; i < n;) {
                size_t first = i;

                while (i + 1 < n && variable_compare_key(&variables[i], &variables[i + 1]) == 0)
                        i++;
                merged[variables[first].index] = variables[i++].entry;
        }
        for (size_t i = 0; i < n; i++)
                if (merged[i])
                        merged[kept++] = merged[i];
        merged[kept] = NULL;

        *ret = take_ptr(merged);
        return 0;
}
