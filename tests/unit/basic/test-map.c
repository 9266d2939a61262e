/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/map.h"

typedef struct Item {
        char key[16];
} Item;

#define MANY 100000

static Item *make_items(size_t n)
{
        Item *items = calloc(n, sizeof(*items));

        assert_non_null(items);
        for (size_t i = 0; i < n; i++)
                (void)snprintf(items[i].key, sizeof(items[i].key), "key-%zu", i);
        return items;
}

static void test_empty(void **state)
{
        _drop_(drop_map) Map *map = map_new();
        size_t cursor = 0;

        assert_non_null(map);
        assert_int_equal(map_size(map), 0);
        assert_null(map_get(map, "a"));
        assert_null(map_remove(map, "a"));
        assert_null(map_next(map, &cursor));
}

static void test_null(void **state)
{
        size_t cursor = 0;

        assert_null(map_get(NULL, "a"));
        assert_null(map_remove(NULL, "a"));
        assert_null(map_next(NULL, &cursor));
        assert_int_equal(map_size(NULL), 0);
        assert_null(map_free(NULL));
}

static void test_put_get(void **state)
{
        _drop_(drop_map) Map *map = map_new();
        int a, b;

        assert_int_equal(map_put(map, "a", &a), 0);
        assert_int_equal(map_put(map, "", &b), 0);
        assert_ptr_equal(map_get(map, "a"), &a);
        assert_ptr_equal(map_get(map, ""), &b);
        assert_null(map_get(map, "aa"));
        assert_int_equal(map_size(map), 2);
}

static void test_twice(void **state)
{
        _drop_(drop_map) Map *map = map_new();
        char other_a[] = "a";
        int a, b;

        assert_int_equal(map_put(map, "a", &a), 0);
        assert_int_equal(map_put(map, other_a, &b), -EEXIST);
        assert_ptr_equal(map_get(map, "a"), &a);
        assert_int_equal(map_size(map), 1);
}

static void test_remove(void **state)
{
        _drop_(drop_map) Map *map = map_new();
        int a, b;

        assert_int_equal(map_put(map, "a", &a), 0);
        assert_ptr_equal(map_remove(map, "a"), &a);
        assert_null(map_get(map, "a"));
        assert_null(map_remove(map, "a"));
        assert_int_equal(map_size(map), 0);
        assert_int_equal(map_put(map, "a", &b), 0);
        assert_ptr_equal(map_get(map, "a"), &b);
}

static void test_many(void **state)
{
        _drop_(drop_free) Item *items = make_items(MANY);
        _drop_(drop_map) Map *map = map_new();

        for (size_t i = 0; i < MANY; i++)
                assert_int_equal(map_put(map, items[i].key, &items[i]), 0);
        assert_int_equal(map_size(map), MANY);
        for (size_t i = 0; i < MANY; i++)
                assert_ptr_equal(map_get(map, items[i].key), &items[i]);
        for (size_t i = 0; i < MANY; i += 2)
                assert_ptr_equal(map_remove(map, items[i].key), &items[i]);
        assert_int_equal(map_size(map), MANY / 2);
        for (size_t i = 0; i < MANY; i++)
                assert_ptr_equal(map_get(map, items[i].key), i % 2 ? &items[i] : NULL);
}

static void test_order(void **state)
{
        _drop_(drop_free) Item *items = make_items(1000);
        _drop_(drop_map) Map *map = map_new();
        Item *item;
        size_t n = 0;

        /* Each map has an own secret, so that an order that came from hashes would differ between
         * them. The removed ones come again at the end. */
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(map_put(map, items[i].key, &items[i]), 0);
        for (size_t i = 0; i < 10; i++)
                assert_ptr_equal(map_remove(map, items[i].key), &items[i]);
        for (size_t i = 0; i < 10; i++)
                assert_int_equal(map_put(map, items[i].key, &items[i]), 0);
        MAP_FOREACH(item, map) {
                assert_ptr_equal(item, &items[(n + 10) % 1000]);
                n++;
        }
        assert_int_equal(n, 1000);
}

static void test_order_between_maps(void **state)
{
        _drop_(drop_free) Item *items = make_items(500);
        _drop_(drop_map) Map *a = map_new(), *b = map_new();
        size_t i = 0, k = 0;
        void *value;

        for (size_t n = 0; n < 500; n++) {
                assert_int_equal(map_put(a, items[n].key, &items[n]), 0);
                assert_int_equal(map_put(b, items[n].key, &items[n]), 0);
        }
        while ((value = map_next(a, &i)))
                assert_ptr_equal(value, map_next(b, &k));
        assert_null(map_next(b, &k));
}

static void test_remove_while_iterating(void **state)
{
        _drop_(drop_free) Item *items = make_items(100);
        _drop_(drop_map) Map *map = map_new();
        Item *item;
        size_t n = 0;

        for (size_t i = 0; i < 100; i++)
                assert_int_equal(map_put(map, items[i].key, &items[i]), 0);
        MAP_FOREACH(item, map) {
                assert_ptr_equal(item, &items[n++]);
                assert_ptr_equal(map_remove(map, item->key), item);
        }
        assert_int_equal(n, 100);
        assert_int_equal(map_size(map), 0);
}

static void test_churn(void **state)
{
        _drop_(drop_free) Item *items = make_items(MANY);
        _drop_(drop_map) Map *map = map_new();

        /* Eight live ones at a time, in a table that fills with holes again and again. */
        for (size_t i = 0; i < MANY; i++) {
                assert_int_equal(map_put(map, items[i].key, &items[i]), 0);
                if (i >= 8)
                        assert_ptr_equal(map_remove(map, items[i - 8].key), &items[i - 8]);
        }
        assert_int_equal(map_size(map), 8);
        for (size_t i = MANY - 8; i < MANY; i++)
                assert_ptr_equal(map_get(map, items[i].key), &items[i]);
        assert_null(map_get(map, items[MANY - 9].key));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "has nothing at first", test_empty },
                { "takes no map for an empty one", test_null },
                { "finds what was put, by the text of the key", test_put_get },
                { "refuses a second value for a key", test_twice },
                { "forgets what is removed and takes it again", test_remove },
                { "finds each of 100,000 entries, also after half have gone", test_many },
                { "lists in order of insertion, whatever the hashes", test_order },
                { "lists two maps with different secrets alike", test_order_between_maps },
                { "lets the current value be removed while listing", test_remove_while_iterating },
                { "reuses the room of removed entries", test_churn },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
