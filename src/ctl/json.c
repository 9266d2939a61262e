/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "ctl/json.h"

/* D-Bus itself allows 32 arrays in 32 structures; what the daemon says is flat. */
#define DEPTH_MAX 16

static int value_from_message(sd_bus_message *m, int depth, struct json_object **ret);

static int basic_from_message(sd_bus_message *m, char type, struct json_object **ret)
{
        union {
                const char *s;
                uint8_t y;
                int b;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                double d;
        } v;
        int r = sd_bus_message_read_basic(m, type, &v);

        if (r < 0)
                return r;
        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                *ret = json_object_new_string(v.s);
                break;
        case SD_BUS_TYPE_BOOLEAN:
                *ret = json_object_new_boolean(v.b);
                break;
        case SD_BUS_TYPE_BYTE:
                *ret = json_object_new_int(v.y);
                break;
        case SD_BUS_TYPE_INT16:
                *ret = json_object_new_int(v.n);
                break;
        case SD_BUS_TYPE_UINT16:
                *ret = json_object_new_int(v.q);
                break;
        case SD_BUS_TYPE_INT32:
        case SD_BUS_TYPE_UNIX_FD:
                *ret = json_object_new_int(v.i);
                break;
        case SD_BUS_TYPE_UINT32:
                *ret = json_object_new_int64(v.u);
                break;
        case SD_BUS_TYPE_INT64:
                *ret = json_object_new_int64(v.x);
                break;
        case SD_BUS_TYPE_UINT64:
                *ret = json_object_new_uint64(v.t);
                break;
        case SD_BUS_TYPE_DOUBLE:
                *ret = json_object_new_double(v.d);
                break;
        default:
                return -EBADMSG;
        }
        return *ret ? 0 : -ENOMEM;
}

/* JSON has only strings as keys; numbers are written as such. */
static int entry_from_message(sd_bus_message *m, int depth, struct json_object *object)
{
        _drop_(drop_json) struct json_object *key = NULL;
        struct json_object *value;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, contents);
        if (r < 0)
                return r;
        r = value_from_message(m, depth, &key);
        if (r < 0)
                return r;
        r = value_from_message(m, depth, &value);
        if (r < 0)
                return r;
        if (json_object_object_add(object, json_object_get_string(key), value) < 0) {
                (void)json_object_put(value);
                return -ENOMEM;
        }
        return sd_bus_message_exit_container(m);
}

static int array_from_message(sd_bus_message *m, int depth, struct json_object *array)
{
        for (;;) {
                struct json_object *value;
                int r = sd_bus_message_at_end(m, 0);

                if (r != 0)
                        return r < 0 ? r : 0;
                r = value_from_message(m, depth, &value);
                if (r < 0)
                        return r;
                if (json_object_array_add(array, value) < 0) {
                        (void)json_object_put(value);
                        return -ENOMEM;
                }
        }
}

static int object_from_message(sd_bus_message *m, int depth, struct json_object *object)
{
        for (;;) {
                int r = sd_bus_message_at_end(m, 0);

                if (r != 0)
                        return r < 0 ? r : 0;
                r = entry_from_message(m, depth, object);
                if (r < 0)
                        return r;
        }
}

static int container_from_message(sd_bus_message *m, char type, const char *contents, int depth,
                                  struct json_object **ret)
{
        _drop_(drop_json) struct json_object *value = NULL;
        int r;

        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;
        if (type == SD_BUS_TYPE_VARIANT) {
                r = value_from_message(m, depth, &value);
        } else if (type == SD_BUS_TYPE_ARRAY && contents[0] == SD_BUS_TYPE_DICT_ENTRY_BEGIN) {
                value = json_object_new_object();
                r = value ? object_from_message(m, depth, value) : -ENOMEM;
        } else {
                value = json_object_new_array();
                r = value ? array_from_message(m, depth, value) : -ENOMEM;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = take_ptr(value);
        return 0;
}

static int value_from_message(sd_bus_message *m, int depth, struct json_object **ret)
{
        const char *contents;
        char type;
        int r;

        if (depth >= DEPTH_MAX)
                return -EBADMSG;
        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (r == 0)
                return -ENXIO;
        if (contents)
                return container_from_message(m, type, contents, depth + 1, ret);
        return basic_from_message(m, type, ret);
}

int json_from_message(sd_bus_message *m, struct json_object **ret)
{
        struct json_object *value;
        int r = value_from_message(m, 0, &value);

        if (r < 0)
                return r;
        *ret = value;
        return 0;
}

void json_print(struct json_object *object)
{
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

        if (isatty(STDOUT_FILENO))
                flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
        puts(json_object_to_json_string_ext(object, flags));
}

struct json_object *json_get_typed(struct json_object *object, const char *key, json_type type)
{
        struct json_object *value;

        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, key, &value))
                return NULL;
        return json_object_is_type(value, type) ? value : NULL;
}

const char *json_get_string(struct json_object *object, const char *key, const char *alternative)
{
        struct json_object *value = json_get_typed(object, key, json_type_string);

        return value ? json_object_get_string(value) : alternative;
}

uint64_t json_get_u64(struct json_object *object, const char *key, uint64_t alternative)
{
        struct json_object *value = json_get_typed(object, key, json_type_int);

        return value ? json_object_get_uint64(value) : alternative;
}

int64_t json_get_i64(struct json_object *object, const char *key, int64_t alternative)
{
        struct json_object *value = json_get_typed(object, key, json_type_int);

        return value ? json_object_get_int64(value) : alternative;
}
