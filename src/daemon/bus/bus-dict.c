/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "basic/strv.h"
#include "daemon/bus/bus-dict.h"
#include "model/container-spec.h"

#define NAME_MAX_SHOWN 64

/* Edits that turn @a into @b, upper and lower case being the same. Both are at most NAME_MAX_SHOWN
 * bytes long. */
static size_t name_distance(const char *a, const char *b)
{
        size_t row[NAME_MAX_SHOWN + 1], n = strlen(b);

        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 0; a[i]; i++) {
                size_t diagonal = row[0];

                row[0] = i + 1;
                for (size_t j = 1; j <= n; j++) {
                        int differs = tolower((unsigned char)a[i]) !=
                                      tolower((unsigned char)b[j - 1]);
                        size_t best = diagonal + (size_t)differs;

                        diagonal = row[j];
                        best = MIN2(best, row[j] + 1);
                        row[j] = MIN2(best, row[j - 1] + 1);
                }
        }
        return row[n];
}

/* The key that was probably meant; NULL when none is near: half of the word may be wrong. */
static const char *dict_nearest(const DictKey *keys, size_t n_keys, const char *name)
{
        size_t best = SIZE_MAX;
        const char *nearest = NULL;

        if (strlen(name) > NAME_MAX_SHOWN)
                return NULL;
        for (size_t i = 0; i < n_keys; i++) {
                size_t distance = name_distance(name, keys[i].name);

                if (distance < best && distance * 2 <= strlen(keys[i].name)) {
                        best = distance;
                        nearest = keys[i].name;
                }
        }
        return nearest;
}

static int dict_fail_unknown(const DictKey *keys, size_t n_keys, const char *name, Fault *fault)
{
        const char *nearest = dict_nearest(keys, n_keys, name);

        if (nearest)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%.64s: there is no such key; did you mean %s?", name, nearest);
        return fault_set(fault, FAULT_INVALID, -EINVAL, "%.64s: there is no such key", name);
}

int bus_dict_fail_read(const DictKey *key, int error, Fault *fault)
{
        if (error == -ENOMEM)
                return error;
        return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: the value cannot be read", key->name);
}

static int dict_read_value(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        const char *contents;
        char type;
        int r;

        if (!key->set)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: not supported by this version", key->name);

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (strcmp(contents, key->signature) != 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: expected a value of type %s, got %.64s", key->name,
                                 key->signature, contents);

        r = sd_bus_message_enter_container(m, 'v', key->signature);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        r = key->set(m, key, target, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? bus_dict_fail_read(key, r, fault) : 0;
}

static int dict_read_entry(sd_bus_message *m, const DictKey *keys, size_t n_keys, uint64_t *seen,
                           void *target, Fault *fault)
{
        const char *name;
        size_t i;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "A key cannot be read");
        for (i = 0; i < n_keys && strcmp(keys[i].name, name) != 0; i++)
                ;
        if (i == n_keys)
                return dict_fail_unknown(keys, n_keys, name, fault);
        if (*seen & UINT64_C(1) << i)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: given twice", name);
        *seen |= UINT64_C(1) << i;
        return dict_read_value(m, &keys[i], target, fault);
}

int bus_dict_read(sd_bus_message *m, const DictKey *keys, size_t n_keys, void *target, Fault *fault)
{
        uint64_t seen = 0;
        int r;

        assert(n_keys <= DICT_KEYS_MAX);

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "The keys cannot be read");
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = dict_read_entry(m, keys, n_keys, &seen, target, fault);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        break;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "The keys cannot be read");
        return 0;
}

int bus_dict_read_each(sd_bus_message *m, const DictKey *key, const char *contents, DictSetter item,
                       void *target, Fault *fault)
{
        int r = sd_bus_message_enter_container(m, 'a', contents);

        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        while ((r = sd_bus_message_at_end(m, 0)) == 0) {
                r = item(m, key, target, fault);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? bus_dict_fail_read(key, r, fault) : 0;
}

static void *dict_member(const DictKey *key, void *target)
{
        return (uint8_t *)target + key->offset;
}

int bus_dict_set_string(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        char **member = dict_member(key, target);
        const char *s;
        char *copy;
        int r;

        r = sd_bus_message_read(m, "s", &s);
        if (r < 0)
                return bus_dict_fail_read(key, r, fault);
        if (strlen(s) > STRING_MAX)
                return fault_set(fault, FAULT_INVALID, -E2BIG, "%s: longer than %d bytes",
                                 key->name, STRING_MAX);
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        free(*member);
        *member = copy;
        return 0;
}

int bus_dict_read_strv(sd_bus_message *m, const char *field, size_t max_items, size_t max_bytes,
                       char ***ret, Fault *fault)
{
        _drop_(drop_strv) char **v = NULL;
        size_t n = 0, n_room = 0, bytes = 0;
        const char *s;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: cannot be read", field);
        while ((r = sd_bus_message_read(m, "s", &s)) > 0) {
                bytes += strlen(s) + 1;
                if (n >= max_items || bytes > max_bytes || strlen(s) > STRING_MAX)
                        return fault_set(fault, FAULT_INVALID, -E2BIG,
                                         "%s: more than %zu strings, %zu bytes together, or %d "
                                         "bytes in one",
                                         field, max_items, max_bytes, STRING_MAX);
                if (n + 1 >= n_room) {
                        size_t room = n_room ? n_room * 2 : 8;
                        char **larger = reallocarray(v, room, sizeof(*v));

                        if (!larger)
                                return -ENOMEM;
                        v = larger;
                        n_room = room;
                }
                v[n] = strdup(s);
                if (!v[n])
                        return -ENOMEM;
                v[++n] = NULL;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: cannot be read", field);

        *ret = take_ptr(v);
        return 0;
}

int bus_dict_set_strv(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        char ***member = dict_member(key, target), **v;
        int r;

        r = bus_dict_read_strv(m, key->name, ENVIRONMENT_MAX, 1U << 20, &v, fault);
        if (r < 0)
                return r;
        strv_free(*member);
        *member = v;
        return 0;
}

/* sd-bus writes booleans as int, and u64 and i32 as they are. */
static int dict_set_basic(sd_bus_message *m, char type, const DictKey *key, void *target,
                          Fault *fault)
{
        int r = sd_bus_message_read_basic(m, type, dict_member(key, target));

        return r < 0 ? bus_dict_fail_read(key, r, fault) : 0;
}

int bus_dict_set_boolean(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return dict_set_basic(m, 'b', key, target, fault);
}

int bus_dict_set_u64(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return dict_set_basic(m, 't', key, target, fault);
}

int bus_dict_set_i32(sd_bus_message *m, const DictKey *key, void *target, Fault *fault)
{
        return dict_set_basic(m, 'i', key, target, fault);
}
