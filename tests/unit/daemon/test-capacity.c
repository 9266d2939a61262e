/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/capacity.h"
#include "daemon/network-pool.h"
#include "daemon/port-table.h"
#include "daemon/uid-pool.h"

#define TEXT \
        "MemTotal:        2030596 kB\nMemFree:  98 kB\nMemAvailable:    1024 kB\nHugePages:  3\n"

static void test_meminfo(void **state)
{
        uint64_t n = 42;

        assert_int_equal(capacity_parse_meminfo(TEXT, "MemTotal", &n), 0);
        assert_true(n == UINT64_C(2030596) * 1024);
        assert_int_equal(capacity_parse_meminfo(TEXT, "MemAvailable", &n), 0);
        assert_true(n == 1024 * 1024);
}

static void test_no_meminfo(void **state)
{
        uint64_t n = 42;

        assert_int_equal(capacity_parse_meminfo(TEXT, "Mem", &n), -ENODATA);
        assert_int_equal(capacity_parse_meminfo(TEXT, "HugePages", &n), -ENODATA);
        assert_int_equal(capacity_parse_meminfo("", "MemTotal", &n), -ENODATA);
        assert_int_equal(capacity_parse_meminfo("MemTotal: kB\n", "MemTotal", &n), -ENODATA);
        assert_int_equal(
                capacity_parse_meminfo("MemTotal: 18446744073709551615 kB\n", "MemTotal", &n),
                -ENODATA);
        assert_int_equal(n, 42);
}

static Manager example(UidPool *uids)
{
        return (Manager){
                .conf = { .state_directory = (char *)(uintptr_t) "/",
                          .containers_max = 10,
                          .port_pool_count = 40,
                          .uid_pool_count = 3 * UID_BLOCK },
                .uids = uids,
        };
}

static void test_all(void **state)
{
        _drop_(drop_uid_pool) UidPool *uids = NULL;
        _drop_(drop_network_pools) NetworkPools *networks = NULL;
        _drop_(drop_port_table) PortTable *ports = NULL;
        _drop_(drop_map) Map *by_id = map_new();
        uint64_t values[_CAPACITY_MAX];
        Manager manager;
        uint32_t base;

        assert_int_equal(uid_pool_new(UID_BLOCK, 3 * UID_BLOCK, &uids, NULL), 0);
        assert_int_equal(uid_pool_acquire(uids, &base, NULL), 0);
        assert_int_equal(map_put(by_id, "one", &base), 0);
        manager = example(uids);
        manager.by_id = by_id;
        assert_int_equal(port_table_new(61000, 40, &ports), 0);
        assert_int_equal(network_pools_new(NULL, 0, NULL, &networks), 0);
        manager.ports = ports;
        manager.networks = networks;
        for (int i = 0; i < _CAPACITY_MAX; i++)
                assert_int_equal(capacity_get(&manager, (Capacity)i, &values[i]), 0);
        assert_true(values[CAPACITY_MEMORY] >= values[CAPACITY_MEMORY_FREE]);
        assert_true(values[CAPACITY_MEMORY_FREE] > 0);
        assert_true(values[CAPACITY_DISK] >= values[CAPACITY_DISK_FREE]);
        assert_true(values[CAPACITY_DISK] > 0);
        assert_int_equal(values[CAPACITY_CONTAINERS], 10);
        assert_int_equal(values[CAPACITY_CONTAINERS_FREE], 9);
        assert_int_equal(values[CAPACITY_USERS], 3);
        assert_int_equal(values[CAPACITY_USERS_FREE], 2);
        assert_int_equal(values[CAPACITY_PORTS], 40);
        assert_int_equal(values[CAPACITY_PORTS_FREE], 40);
        assert_int_equal(values[CAPACITY_NETWORKS], 0);
        assert_int_equal(values[CAPACITY_NETWORKS_FREE], 0);
}

static void test_unknown(void **state)
{
        Manager manager = example(NULL);
        uint64_t n = 42;

        manager.conf.state_directory = (char *)(uintptr_t) "/no/such/directory";
        assert_int_equal(capacity_get(&manager, CAPACITY_DISK, &n), -ENOENT);
        assert_int_equal(capacity_get(&manager, _CAPACITY_INVALID, &n), -EINVAL);
        assert_int_equal(n, 42);
        for (int i = 0; i < _CAPACITY_MAX; i++)
                assert_int_equal(capacity_from_string(capacity_to_string((Capacity)i)), i);
        assert_int_equal(capacity_from_string("Capacity"), _CAPACITY_INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads a line of meminfo in bytes", test_meminfo },
                { "says that there is no such line", test_no_meminfo },
                { "knows what there is and what is free", test_all },
                { "says what it cannot know", test_unknown },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
