/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/* A hash map from strings to pointers. Keys belong to the values and must live as long as the
 * entry; neither is copied or freed by the map. Order of iteration is that of insertion, so that
 * listings are stable. */

typedef struct Map Map;

Map *map_new(void);
Map *map_free(Map *map);
DEFINE_DROP(Map, map, map_free);

/* Returns 0; -EEXIST when the key is there; -ENOMEM. */
int map_put(Map *map, const char *key, void *value);

/* NULL when absent. */
void *map_get(const Map *map, const char *key);

/* Returns the value that was there, or NULL. */
void *map_remove(Map *map, const char *key);

size_t map_size(const Map *map);

/* Values in insertion order. *cursor starts at 0; NULL at the end. Removing the value that was just
 * returned is allowed while iterating; adding is not. */
void *map_next(const Map *map, size_t *cursor);

#define MAP_FOREACH(value, map) for (size_t _cursor = 0; ((value) = map_next((map), &_cursor));)
