/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "daemon/port-table.h"

typedef struct Test {
        PortTable *table;
        ContainerSpec specs[2];
        Container one, two;
} Test;

static int setup(void **state)
{
        Test *t = calloc(1, sizeof(*t));
        static char name_one[] = "one", name_two[] = "two";

        if (!t || port_table_new(61001, 4, &t->table) < 0)
                return -1;
        t->specs[0].name = name_one;
        t->specs[1].name = name_two;
        t->one.spec = &t->specs[0];
        t->two.spec = &t->specs[1];
        *state = t;
        return 0;
}

static int teardown(void **state)
{
        Test *t = *state;

        port_table_free(t->table);
        free(t);
        return 0;
}

static PortForward parsed(const char *text)
{
        PortForward forward;

        assert_int_equal(port_forward_parse(text, &forward, NULL), 0);
        return forward;
}

static int claim(Test *t, const Container *owner, const char *text, Fault *fault)
{
        PortForward forward = parsed(text);

        return port_table_claim(t->table, owner, &forward, fault);
}

static void release(Test *t, const Container *owner, const char *text)
{
        PortForward forward = parsed(text);

        port_table_release(t->table, owner, &forward);
}

static void test_names_the_owner(void **state)
{
        Test *t = *state;
        Fault fault = FAULT_INIT;

        assert_int_equal(claim(t, &t->one, "8080:80", NULL), 0);
        assert_int_equal(claim(t, &t->two, "8080:80", &fault), -EADDRINUSE);
        assert_int_equal(fault.kind, FAULT_IN_USE);
        assert_string_equal(fault.text, "HostPort: 8080/tcp leads to container 'one'");
        assert_int_equal(claim(t, &t->two, "8080:80/udp", NULL), 0);
        release(t, &t->one, "8080:80");
        assert_int_equal(claim(t, &t->two, "8080:80", NULL), 0);
}

static void test_whole_ranges(void **state)
{
        Test *t = *state;
        Fault fault = FAULT_INIT;

        assert_int_equal(claim(t, &t->one, "8005:80", NULL), 0);
        assert_int_equal(claim(t, &t->two, "8000-8009:1000-1009", &fault), -EADDRINUSE);
        assert_non_null(strstr(fault.text, "8005/tcp"));
        /* Nothing of it was claimed. */
        assert_int_equal(claim(t, &t->one, "8000-8004:1000-1004", NULL), 0);
        release(t, &t->one, "8005:80");
        release(t, &t->one, "8000-8004:1000-1004");
        assert_int_equal(claim(t, &t->two, "8000-8009:1000-1009", NULL), 0);
}

static void test_addresses(void **state)
{
        Test *t = *state;

        assert_int_equal(claim(t, &t->one, "127.0.0.1:80:80", NULL), 0);
        assert_int_equal(claim(t, &t->two, "127.0.0.2:80:80", NULL), 0);
        assert_int_equal(claim(t, &t->one, "127.0.0.3:80:80", NULL), 0);
        assert_int_equal(claim(t, &t->two, "127.0.0.1:80:80", NULL), -EADDRINUSE);
        assert_int_equal(claim(t, &t->two, "80:80", NULL), -EADDRINUSE);
        /* The first of them, then one between, then the last. */
        release(t, &t->one, "127.0.0.1:80:80");
        assert_int_equal(claim(t, &t->two, "127.0.0.3:80:80", NULL), -EADDRINUSE);
        release(t, &t->one, "127.0.0.3:80:80");
        release(t, &t->one, "127.0.0.2:80:80"); /* not its own */
        assert_int_equal(claim(t, &t->one, "80:80", NULL), -EADDRINUSE);
        release(t, &t->two, "127.0.0.2:80:80");
        assert_int_equal(claim(t, &t->one, "80:80", NULL), 0);
}

static uint32_t pick(Test *t, uint32_t count)
{
        PortForward forward = PORT_FORWARD_INIT;

        forward.container_port = 80;
        forward.count = count;
        if (port_table_pick(t->table, &t->one, &forward, NULL) < 0)
                return 0;
        return forward.host_port;
}

static void test_picks(void **state)
{
        Test *t = *state;
        PortForward forward = PORT_FORWARD_INIT;
        Fault fault = FAULT_INIT;

        assert_int_equal(claim(t, &t->two, "61002:80", NULL), 0);
        assert_int_equal(pick(t, 1), 61001);
        release(t, &t->one, "61001:80");
        assert_int_equal(pick(t, 1), 61003); /* 61001 was in use lately */
        assert_int_equal(pick(t, 1), 61004);
        assert_int_equal(pick(t, 1), 61001);
        forward.container_port = 80;
        assert_int_equal(port_table_pick(t->table, &t->one, &forward, &fault), -ENOSPC);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        assert_int_equal(forward.host_port, 0);
}

static void test_picks_in_a_row(void **state)
{
        Test *t = *state;

        assert_int_equal(pick(t, 5), 0);
        assert_int_equal(claim(t, &t->two, "61001:80", NULL), 0);
        assert_int_equal(pick(t, 4), 0);
        assert_int_equal(pick(t, 3), 61002);
        assert_int_equal(pick(t, 1), 0);
}

static void test_counts_free(void **state)
{
        Test *t = *state;

        assert_int_equal(port_table_count_free(t->table), 4);
        assert_int_equal(claim(t, &t->one, "61002:80", NULL), 0);
        assert_int_equal(port_table_count_free(t->table), 3);
        /* The same port by another protocol, and on other addresses. */
        assert_int_equal(claim(t, &t->two, "61002:80/udp", NULL), 0);
        assert_int_equal(claim(t, &t->one, "127.0.0.1:61003:80/udp", NULL), 0);
        assert_int_equal(claim(t, &t->two, "127.0.0.2:61003:80/udp", NULL), 0);
        assert_int_equal(port_table_count_free(t->table), 2);
        /* Around the pool. */
        assert_int_equal(claim(t, &t->one, "61000:80", NULL), 0);
        assert_int_equal(claim(t, &t->one, "61005:80", NULL), 0);
        assert_int_equal(port_table_count_free(t->table), 2);
        port_table_set_pool(t->table, 61003, 3);
        assert_int_equal(port_table_count_free(t->table), 1);
        release(t, &t->one, "127.0.0.1:61003:80/udp");
        assert_int_equal(port_table_count_free(t->table), 1);
        release(t, &t->two, "127.0.0.2:61003:80/udp");
        assert_int_equal(port_table_count_free(t->table), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "names the owner of a port", test_names_the_owner, setup, teardown, NULL },
                { "claims all ports of a range or none", test_whole_ranges, setup, teardown, NULL },
                { "shares a port between addresses", test_addresses, setup, teardown, NULL },
                { "chooses a free port of the pool, the latest used last", test_picks, setup,
                  teardown, NULL },
                { "chooses free ports in a row", test_picks_in_a_row, setup, teardown, NULL },
                { "counts a port once that leads somewhere", test_counts_free, setup, teardown,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
