/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be said without a file system that has project quota; tests/system/quota.bats makes
 * one. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "quota/quota.h"

static void test_names_what_is_missing(void **state)
{
        _drop_(drop_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Fault fault = FAULT_INIT;

        assert_true(fd >= 0);
        assert_int_equal(quota_check(fd, "/srv/layers", &fault), -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_non_null(strstr(fault.text, "DiskMax"));
        assert_non_null(strstr(fault.text, "/srv/layers"));
        assert_non_null(strstr(fault.text, "prjquota"));
        assert_non_null(strstr(fault.text, "Storage 'loop' or 'tmpfs'"));
}

/* What a longest path leaves of the advice is not the advice's end. */
static void test_long_path(void **state)
{
        _drop_(drop_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Fault fault = FAULT_INIT;
        char path[4096];

        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = 0;
        assert_int_equal(quota_check(fd, path, &fault), -EOPNOTSUPP);
        assert_non_null(strstr(fault.text, "or 'tmpfs'"));
}

static void test_refuses(void **state)
{
        _drop_(drop_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        QuotaUsage usage = { 1, 2 };
        uint32_t id = 77;

        assert_true(quota_set_project(fd, 5) < 0);
        assert_true(quota_get_project(fd, &id) < 0);
        assert_int_equal(id, 77);
        assert_true(quota_set_limits(fd, 5, 1 << 20, UINT64_MAX) < 0);
        assert_true(quota_get_usage(fd, 5, &usage) < 0);
        assert_int_equal(usage.bytes, 1);
        assert_int_equal(quota_get_usage(-EBADF, 5, &usage), -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "names what is missing, and the ways out", test_names_what_is_missing },
                { "has room for the longest path", test_long_path },
                { "writes nothing where there is no quota", test_refuses },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
