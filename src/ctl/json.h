/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"

/* D-Bus values as JSON. Verbs read the daemon's answers in this form too, so that what --json
 * prints and what a table shows cannot differ. */

static inline void drop_json(struct json_object **object)
{
        if (*object)
                (void)json_object_put(*object);
}

/* The next complete value of a message: dictionaries become objects, arrays and structures arrays,
 * variants what they hold. Returns 0; -ENXIO when there is none; -EBADMSG; -ENOMEM. */
int json_from_message(sd_bus_message *m, struct json_object **ret);

/* Indented on a terminal, one line else; with a newline. */
void json_print(struct json_object *object);

/* A member, or the alternative when it is absent or of another type. Strings belong to the object,
 * which may also be NULL. */
const char *json_get_string(struct json_object *object, const char *key, const char *alternative);
uint64_t json_get_u64(struct json_object *object, const char *key, uint64_t alternative);
int64_t json_get_i64(struct json_object *object, const char *key, int64_t alternative);

/* The member when it is of this type, else NULL. Not a new reference. */
struct json_object *json_get_typed(struct json_object *object, const char *key, json_type type);
