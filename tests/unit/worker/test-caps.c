/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/io.h"
#include "rootfs/sandbox.h"
#include "worker/caps.h"

static uint64_t read_set(const char *key)
{
        char *status, *line;

        CHECK(io_read_file(AT_FDCWD, "/proc/self/status", 16384, &status, NULL) == 0);
        line = strstr(status, key);
        CHECK(line);
        return strtoull(line + strlen(key), NULL, 16);
}

static void in_sandbox_bound(void *argument)
{
        Fault fault = FAULT_INIT;

        CHECK(caps_bound(caps_default(1), &fault) == 0);
        CHECK(read_set("\nCapBnd:\t") == caps_default(1));
        /* What is in use stays: the namespace for cgroups still has to be entered. */
        CHECK(read_set("\nCapEff:\t") & (UINT64_C(1) << CAP_SYS_ADMIN));
        CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
        CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) == 1);
        CHECK(caps_bound(0, &fault) == 0);
        CHECK(read_set("\nCapBnd:\t") == 0);
}

static void test_bounds_to_the_list(void **state)
{
        sandbox_run(in_sandbox_bound, NULL);
}

static void in_sandbox_clear(void *argument)
{
        CHECK(caps_clear_inheritable(NULL) == 0);
        CHECK(read_set("\nCapInh:\t") == 0);
        CHECK(read_set("\nCapAmb:\t") == 0);
        CHECK(read_set("\nCapEff:\t") != 0);
        CHECK(read_set("\nCapPrm:\t") == read_set("\nCapEff:\t"));
}

static void test_clears_what_is_inherited(void **state)
{
        sandbox_run(in_sandbox_clear, NULL);
}

static void test_is_the_list_of_oci(void **state)
{
        uint64_t caps = caps_default(1);

        assert_true(caps == UINT64_C(0xa80425fb));
        assert_true(caps_default(0) == (caps & ~(UINT64_C(1) << CAP_MKNOD)));
        assert_false(caps & (UINT64_C(1) << CAP_SYS_ADMIN));
        assert_false(caps & (UINT64_C(1) << CAP_SYS_PTRACE));
        assert_false(caps & (UINT64_C(1) << CAP_DAC_READ_SEARCH));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "bounds to what is to be kept", test_bounds_to_the_list },
                { "clears what is inherited", test_clears_what_is_inherited },
                { "is the list of the OCI runtimes", test_is_the_list_of_oci },
        };

        return cmocka_run_group_tests_name("worker/caps", tests, NULL, NULL);
}
