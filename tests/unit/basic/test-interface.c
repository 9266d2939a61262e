/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/interface.h"

static void test_known(void **state)
{
        if (access("/sys/class/net/lo", F_OK) < 0)
                skip();
        assert_int_equal(interface_index("lo"), (int)if_nametoindex("lo"));
}

static void test_unknown(void **state)
{
        assert_int_equal(interface_index("nobody-has-me"), -ENODEV);
        assert_int_equal(interface_index(""), -ENODEV);
        assert_int_equal(interface_index("a-name-that-no-interface-can-have"), -ENODEV);
}

static void test_path(void **state)
{
        assert_int_equal(interface_index("../net/lo"), -ENODEV);
        assert_int_equal(interface_index("lo/../lo"), -ENODEV);
        assert_int_equal(interface_index("."), -ENODEV);
        assert_int_equal(interface_index(".."), -ENODEV);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "knows an interface by its name", test_known },
                { "knows no other, nor what can be no name", test_unknown },
                { "takes no path for a name", test_path },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
