/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/network-pool.h"

/* Interfaces that a case says are still there. */
static const char *arg_alive;

static int exists(const char *name)
{
        return arg_alive && strcmp(name, arg_alive) == 0;
}

/* Two pools, of four slots and of one. */
static int setup(void **state)
{
        NetworkPoolSpec specs[2];
        NetworkPools *pools;

        arg_alive = NULL;
        if (network_pool_spec_parse("four 10.0.0.0/28 fd00::/64", &specs[0], NULL) < 0 ||
            network_pool_spec_parse("one 10.1.0.0/30", &specs[1], NULL) < 0 ||
            network_pools_new(specs, 2, exists, &pools) < 0)
                return -1;
        *state = pools;
        return 0;
}

static int teardown(void **state)
{
        network_pools_free(*state);
        return 0;
}

static int acquire(NetworkPools *pools, int n, const char *pool, const char *address,
                   NetworkAddresses *ret, Fault *fault)
{
        char id[16], owner[NETWORK_INTERFACE_MAX] = "";
        int r;

        (void)snprintf(id, sizeof(id), "1j0ql8n2%03d", n);
        r = network_pools_acquire(pools, id, pool, address, ret, owner, fault);
        if (r == -EADDRINUSE || r == -EBUSY)
                (void)fault_set(fault, FAULT_LIMIT, r, "owner %s", owner);
        return r;
}

static const char *address_of(const NetworkAddresses *a)
{
        static char text[NETWORK_ADDRESS_MAX];

        network_format4(a->container4, text);
        return text;
}

static void test_last_freed_last(void **state)
{
        NetworkAddresses a, b, c;

        assert_int_equal(acquire(*state, 1, NULL, NULL, &a, NULL), 0);
        assert_string_equal(address_of(&a), "10.0.0.2");
        assert_int_equal(acquire(*state, 2, NULL, NULL, &b, NULL), 0);
        assert_string_equal(address_of(&b), "10.0.0.6");
        network_pools_release(*state, &b);
        network_pools_release(*state, &a);
        assert_int_equal(acquire(*state, 3, NULL, NULL, &c, NULL), 0);
        assert_string_equal(address_of(&c), "10.0.0.10");
        assert_int_equal(acquire(*state, 4, NULL, NULL, &c, NULL), 0);
        assert_string_equal(address_of(&c), "10.0.0.14");
        assert_int_equal(acquire(*state, 5, NULL, NULL, &c, NULL), 0);
        assert_string_equal(address_of(&c), "10.0.0.6");
        assert_int_equal(acquire(*state, 6, NULL, NULL, &c, NULL), 0);
        assert_string_equal(address_of(&c), "10.0.0.2");
}

static void test_exhausted(void **state)
{
        Fault fault = FAULT_INIT;
        NetworkAddresses a;

        assert_int_equal(acquire(*state, 1, "one", NULL, &a, NULL), 0);
        assert_string_equal(a.pool, "one");
        assert_int_equal(a.prefix6, 0);
        assert_int_equal(acquire(*state, 2, "one", NULL, &a, &fault), -ENOSPC);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        assert_non_null(strstr(fault.text, "pool 'one'"));
        network_pools_release(*state, &a);
        assert_int_equal(acquire(*state, 3, "one", NULL, &a, NULL), 0);
}

static void test_fixed(void **state)
{
        Fault fault = FAULT_INIT;
        NetworkAddresses a, b;

        assert_int_equal(acquire(*state, 1, NULL, "10.1.0.2", &a, NULL), 0);
        assert_string_equal(a.pool, "one");
        assert_int_equal(acquire(*state, 2, "four", "fd00::a", &a, NULL), 0);
        assert_string_equal(address_of(&a), "10.0.0.10");
        assert_int_equal(acquire(*state, 3, NULL, "10.0.0.10", &b, &fault), -EADDRINUSE);
        assert_non_null(strstr(fault.text, "owner 1j0ql8n2002"));
        fault = FAULT_INIT;
        assert_int_equal(acquire(*state, 3, NULL, "10.0.1.2", &b, &fault), -EINVAL);
        assert_string_equal(fault.text, "Address: 10.0.1.2 is not in any pool");
        fault = FAULT_INIT;
        assert_int_equal(acquire(*state, 3, "four", "10.1.0.2", &b, &fault), -EINVAL);
        assert_string_equal(fault.text, "Address: 10.1.0.2 is not in pool four");
        fault = FAULT_INIT;
        assert_int_equal(acquire(*state, 3, NULL, "10.0.0.9", &b, &fault), -EINVAL);
        assert_int_equal(fault.kind, FAULT_INVALID);
        fault = FAULT_INIT;
        assert_int_equal(acquire(*state, 3, "five", NULL, &b, &fault), -ENOENT);
        assert_non_null(strstr(fault.text, "no pool 'five'"));
}

static void test_link_still_there(void **state)
{
        Fault fault = FAULT_INIT;
        NetworkAddresses a, b;

        assert_int_equal(acquire(*state, 1, "one", NULL, &a, NULL), 0);
        arg_alive = a.interface;
        network_pools_release(*state, &a);
        assert_int_equal(acquire(*state, 2, "one", NULL, &b, NULL), -ENOSPC);
        assert_int_equal(acquire(*state, 2, NULL, "10.1.0.2", &b, &fault), -EBUSY);
        assert_non_null(strstr(fault.text, "owner 1j0ql8n2001"));
        network_pools_link_gone(*state, "w-1j0ql8n2999");
        assert_int_equal(acquire(*state, 2, "one", NULL, &b, NULL), -ENOSPC);
        /* Messages were lost, but it is there. */
        network_pools_link_gone(*state, NULL);
        assert_int_equal(acquire(*state, 2, "one", NULL, &b, NULL), -ENOSPC);
        assert_int_equal(network_pools_count(*state, 0), 5);
        assert_int_equal(network_pools_count(*state, 1), 4);
        network_pools_link_gone(*state, "w-1j0ql8n2001");
        assert_int_equal(network_pools_count(*state, 1), 5);
        assert_int_equal(acquire(*state, 2, "one", NULL, &b, NULL), 0);
        arg_alive = b.interface;
        network_pools_release(*state, &b);
        arg_alive = NULL;
        network_pools_link_gone(*state, NULL);
        assert_int_equal(acquire(*state, 3, "one", NULL, &b, NULL), 0);
}

/* One of a life before, whose container is gone. */
static void test_foreign_link(void **state)
{
        const char interface[] = "w-1j0ql8n2777";
        NetworkAddresses a, b;

        assert_int_equal(acquire(*state, 1, NULL, "10.0.0.6", &a, NULL), 0);
        arg_alive = interface;
        network_pools_await(*state, interface, htonl(0x0a010001)); /* 10.1.0.1 */
        assert_int_equal(acquire(*state, 2, "one", NULL, &b, NULL), -ENOSPC);
        assert_int_equal(network_pools_count(*state, 1), 3);
        /* Of a slot that somebody has, the container's own address, and one of no pool. */
        network_pools_await(*state, interface, a.host4);
        network_pools_await(*state, interface, htonl(0x0a000002));
        network_pools_await(*state, interface, htonl(0xc0000201));
        network_pools_await(*state, interface, UINT32_MAX);
        assert_int_equal(network_pools_count(*state, 1), 3);
        network_pools_link_gone(*state, interface);
        assert_int_equal(acquire(*state, 2, "one", NULL, &b, NULL), 0);
        network_pools_release(*state, &b);
        /* It has vanished meanwhile. */
        arg_alive = NULL;
        network_pools_await(*state, interface, b.host4);
        assert_int_equal(network_pools_count(*state, 1), 4);
}

static void test_restored(void **state)
{
        NetworkAddresses a, b;

        assert_int_equal(acquire(*state, 1, NULL, "10.0.0.2", &a, NULL), 0);
        network_pools_release(*state, &a);
        assert_int_equal(network_pools_reserve(*state, &a), 0);
        assert_int_equal(network_pools_reserve(*state, &a), -EEXIST);
        assert_int_equal(acquire(*state, 2, NULL, "10.0.0.2", &b, NULL), -EADDRINUSE);
        /* What is not of a pool any more is nobody's business. */
        b = a;
        (void)snprintf(b.pool, sizeof(b.pool), "former");
        assert_int_equal(network_pools_reserve(*state, &b), 0);
        network_pools_release(*state, &b);
        assert_int_equal(acquire(*state, 2, NULL, "10.0.0.2", &b, NULL), -EADDRINUSE);
        network_pools_release(*state, &a);
        assert_int_equal(acquire(*state, 2, NULL, "10.0.0.2", &b, NULL), 0);
        /* By somebody who does not have it. */
        network_pools_release(*state, &a);
        assert_int_equal(acquire(*state, 3, NULL, "10.0.0.2", &a, NULL), -EADDRINUSE);
}

static void test_none(void **state)
{
        Fault fault = FAULT_INIT;
        NetworkPools *pools;
        NetworkAddresses a;

        assert_int_equal(network_pools_new(NULL, 0, exists, &pools), 0);
        assert_true(network_pools_are_empty(pools));
        assert_int_equal(network_pools_count(pools, 0), 0);
        assert_false(network_pools_are_empty(*state));
        assert_int_equal(acquire(pools, 1, NULL, "10.0.0.2", &a, &fault), -ENOENT);
        assert_int_equal(fault.kind, FAULT_INVALID);
        network_pools_free(pools);
}

static void test_refuses(void **state)
{
        _drop_(drop_network_pools) NetworkPools *pools = NULL;
        NetworkAddresses a = { 0 }, b = { 0 };
        char owner[NETWORK_INTERFACE_MAX];
        NetworkPoolSpec spec;
        Fault fault = FAULT_INIT;

        assert_int_equal(network_pool_spec_parse("p 10.254.0.0/29", &spec, NULL), 0);
        assert_int_equal(network_pools_new(&spec, 1, NULL, &pools), 0);
        assert_int_equal(network_pools_acquire(pools, "0123456789a", NULL, NULL, &a, owner, NULL),
                         0);
        assert_int_equal(network_pools_refuse(pools, "q", "of a reason"), -ENOENT);
        assert_int_equal(network_pools_refuse(pools, "p", "of a reason"), 0);
        assert_int_equal(network_pools_count(pools, 1), 0);
        assert_int_equal(network_pools_acquire(pools, "0123456789b", NULL, NULL, &b, owner, &fault),
                         -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_string_equal(fault.text, "NetworkPool: pool 'p' cannot be used: of a reason");
        /* What an earlier life leased stays leased. */
        network_pools_release(pools, &a);
        assert_int_equal(network_pools_reserve(pools, &a), 0);
        assert_int_equal(network_pools_reserve(pools, &a), -EEXIST);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "leases last what was given back last", test_last_freed_last, setup, teardown },
                { "says which pool is exhausted", test_exhausted, setup, teardown },
                { "leases a fixed address, and says whose it is", test_fixed, setup, teardown },
                { "waits for the interface of a slot to vanish", test_link_still_there, setup,
                  teardown },
                { "waits for an interface that nobody knows to vanish", test_foreign_link, setup,
                  teardown },
                { "takes up what an earlier life has leased", test_restored, setup, teardown },
                { "has nothing without a pool", test_none, setup, teardown },
                { "gives nothing of a pool that is refused", test_refuses },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
