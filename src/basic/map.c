/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entries live in one array in order of insertion, with holes where something was removed; a table
 * of indexes with linear probing finds them. Both are rebuilt together when they are full, which
 * drops the holes. Names come from clients, so the hash is keyed with a secret of this process:
 * nobody can aim for collisions. */

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "basic/map.h"

typedef struct Entry {
        const char *key; /* NULL: a hole */
        void *value;
} Entry;

struct Map {
        Entry *entries;
        size_t n_entries; /* used slots of entries, holes included */
        size_t n_live;
        uint32_t *table; /* 0: empty, else index into entries plus one */
        size_t n_table;  /* a power of two */
        uint64_t seed;
};

#define TABLE_MIN 16

static uint64_t hash_string(const Map *map, const char *s)
{
        /* FNV-1a started from the secret, with a final mix so that the low bits depend on all of
         * it. */
        uint64_t h = UINT64_C(0xcbf29ce484222325) ^ map->seed;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
        h ^= h >> 32;
        h *= map->seed | 1;
        return h ^ (h >> 29);
}

Map *map_new(void)
{
        Map *map = calloc(1, sizeof(*map));

        if (!map)
                return NULL;
        if (getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK) != sizeof(map->seed))
                map->seed = (uint64_t)(uintptr_t)map * UINT64_C(0x9e3779b97f4a7c15);
        return map;
}

Map *map_free(Map *map)
{
        if (!map)
                return NULL;
        free(map->entries);
        free(map->table);
        free(map);
        return NULL;
}

static void table_link(Map *map, size_t index)
{
        size_t mask = map->n_table - 1;
        size_t slot = hash_string(map, map->entries[index].key) & mask;

        while (map->table[slot])
                slot = (slot + 1) & mask;
        map->table[slot] = (uint32_t)(index + 1);
}

/* Makes room for one more: the table is at most half full, holes count. */
static int map_reserve(Map *map)
{
        size_t n_table = TABLE_MIN, n = 0;
        uint32_t *table;
        Entry *entries;

        if (map->n_table > 0 && (map->n_entries + 1) * 2 <= map->n_table)
                return 0;

        while (n_table < (map->n_live + 1) * 4)
                n_table *= 2;
        table = calloc(n_table, sizeof(*table));
        entries = calloc(n_table / 2, sizeof(*entries));
        if (!table || !entries) {
                free(table);
                free(entries);
                return -ENOMEM;
        }
        for (size_t i = 0; i < map->n_entries; i++)
                if (map->entries[i].key)
                        entries[n++] = map->entries[i];
        free(map->entries);
        free(map->table);
        map->entries = entries;
        map->n_entries = n;
        map->table = table;
        map->n_table = n_table;
        for (size_t i = 0; i < n; i++)
                table_link(map, i);
        return 0;
}

/* Returns the entry or NULL. A removed entry keeps its place in the table, so that chains stay
 * whole. */
static Entry *map_find(const Map *map, const char *key)
{
        size_t mask, slot;

        if (!map || map->n_table == 0)
                return NULL;
        mask = map->n_table - 1;
        for (slot = hash_string(map, key) & mask; map->table[slot]; slot = (slot + 1) & mask) {
                Entry *entry = &map->entries[map->table[slot] - 1];

                if (entry->key && strcmp(entry->key, key) == 0)
                        return entry;
        }
        return NULL;
}

int map_put(Map *map, const char *key, void *value)
{
        int r;

        if (map_find(map, key))
                return -EEXIST;
        r = map_reserve(map);
        if (r < 0)
                return r;
        map->entries[map->n_entries] = (Entry){ key, value };
        table_link(map, map->n_entries);
        map->n_entries++;
        map->n_live++;
        return 0;
}

void *map_get(const Map *map, const char *key)
{
        Entry *entry = map_find(map, key);

        return entry ? entry->value : NULL;
}

void *map_remove(Map *map, const char *key)
{
        Entry *entry = map_find(map, key);
        void *value;

        if (!entry)
                return NULL;
        value = entry->value;
        *entry = (Entry){ NULL, NULL };
        map->n_live--;
        return value;
}

size_t map_size(const Map *map)
{
        return map ? map->n_live : 0;
}

void *map_next(const Map *map, size_t *cursor)
{
        while (map && *cursor < map->n_entries) {
                const Entry *entry = &map->entries[(*cursor)++];

                if (entry->key)
                        return entry->value;
        }
        return NULL;
}
