/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/fault.h"

/* a{sv}, read by a table: which keys there are, of which type, and where each goes. A key that the
 * table does not have, or that comes twice, or with another type, is refused by name; nothing is
 * allocated for a value before its bounds are known. */

typedef struct DictKey DictKey;

/* Reads the one value that @m stands on into @target. Returns 0; negative errno, with a fault that
 * names the key for all but -ENOMEM. */
typedef int (*DictSetter)(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

struct DictKey {
        const char *name;
        const char *signature;
        DictSetter set; /* NULL: a name that is taken for later; answered as not supported */
        size_t offset;  /* of the member in the target, for the setters below */
};

#define DICT_KEYS_MAX 64

/* Reads a whole a{sv}. @n_keys is at most DICT_KEYS_MAX.
 * Returns 0; -EINVAL, -EOPNOTSUPP, -E2BIG with a fault; -ENOMEM. */
int bus_dict_read(sd_bus_message *m, const DictKey *keys, size_t n_keys, void *target,
                  Fault *fault);

/* Setters for members of these types at key->offset: char *, char **, int, uint64_t, int32_t. */
int bus_dict_set_string(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_dict_set_strv(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_dict_set_boolean(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_dict_set_u64(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);
int bus_dict_set_i32(sd_bus_message *m, const DictKey *key, void *target, Fault *fault);

/* For setters of arrays: @item reads one element into @target, and is called for each.
 * @contents   the signature of an element
 * Returns     0; what @item returned, which ends it; as a DictSetter */
int bus_dict_read_each(sd_bus_message *m, const DictKey *key, const char *contents, DictSetter item,
                       void *target, Fault *fault);

/* An "as" of at most @max_items strings of @max_bytes together.
 * @ret   new vector, owned by the caller; NULL when it is empty */
int bus_dict_read_strv(sd_bus_message *m, const char *field, size_t max_items, size_t max_bytes,
                       char ***ret, Fault *fault);

/* For setters: a message that ends too early, or does not say what its signature promised. */
int bus_dict_fail_read(const DictKey *key, int error, Fault *fault);
