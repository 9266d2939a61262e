/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/mount.h"

static void expect_options(const char *options, const BindMount *expected)
{
        BindMount m = { 0 };

        assert_int_equal(bind_mount_parse("/s", "/d", options, &m, NULL), 0);
        assert_string_equal(m.options, options ? options : "");
        assert_int_equal(m.is_read_only, expected->is_read_only);
        assert_int_equal(m.is_recursive, expected->is_recursive);
        assert_int_equal(m.is_idmapped, expected->is_idmapped);
        assert_int_equal(m.is_nosuid, expected->is_nosuid);
        assert_int_equal(m.is_nodev, expected->is_nodev);
        assert_int_equal(m.is_noexec, expected->is_noexec);
        bind_mount_done(&m);
}

static void test_bind_defaults(void **state)
{
        const BindMount defaults = { .is_recursive = 1 };

        expect_options(NULL, &defaults);
        expect_options("", &defaults);
        expect_options("rw,rbind,noidmap", &defaults);
}

static void test_bind_options(void **state)
{
        expect_options("ro", &(BindMount){ .is_recursive = 1, .is_read_only = 1 });
        expect_options("bind", &(BindMount){ 0 });
        expect_options("idmap", &(BindMount){ .is_recursive = 1, .is_idmapped = 1 });
        expect_options("nosuid", &(BindMount){ .is_recursive = 1, .is_nosuid = 1 });
        expect_options("nodev", &(BindMount){ .is_recursive = 1, .is_nodev = 1 });
        expect_options("noexec", &(BindMount){ .is_recursive = 1, .is_noexec = 1 });
        expect_options("ro,bind,idmap,nosuid,nodev,noexec", &(BindMount){ .is_read_only = 1,
                                                                          .is_idmapped = 1,
                                                                          .is_nosuid = 1,
                                                                          .is_nodev = 1,
                                                                          .is_noexec = 1 });
}

static void test_bind_last_wins(void **state)
{
        expect_options("ro,rw", &(BindMount){ .is_recursive = 1 });
        expect_options("rw,ro", &(BindMount){ .is_recursive = 1, .is_read_only = 1 });
        expect_options("bind,rbind,ro,ro", &(BindMount){ .is_recursive = 1, .is_read_only = 1 });
}

static void refuse_bind(const char *source, const char *destination, const char *options,
                        const char *text)
{
        BindMount m = { .is_noexec = 77 };
        Fault fault = FAULT_INIT;

        assert_int_equal(bind_mount_parse(source, destination, options, &m, &fault), -EINVAL);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_string_equal(fault.text, text);
        assert_null(m.source);
        assert_int_equal(m.is_noexec, 77);
}

static void test_bind_refusals(void **state)
{
        refuse_bind("x", "/d", "", "BindMounts: source 'x' is not an absolute path");
        refuse_bind("/s/..", "/d", "", "BindMounts: source '/s/..' has a '..' component");
        refuse_bind("/s", "d", "", "BindMounts: destination 'd' is not an absolute path");
        refuse_bind("/s", "/", "", "BindMounts: destination '/' is the root file system itself");
        refuse_bind("/s", "/d", "suid", "BindMounts: unknown option 'suid' for '/d'");
        refuse_bind("/s", "/d", "ro,", "BindMounts: unknown option '' for '/d'");
        refuse_bind("/s", "/d", ",ro", "BindMounts: unknown option '' for '/d'");
        refuse_bind("/s", "/d", "ro,,rw", "BindMounts: unknown option '' for '/d'");
        refuse_bind("/s", "/d", "ro rw", "BindMounts: unknown option 'ro rw' for '/d'");
        refuse_bind("/s", "/d", "RO", "BindMounts: unknown option 'RO' for '/d'");
        refuse_bind("/s", "/d", "r", "BindMounts: unknown option 'r' for '/d'");
        refuse_bind("/s", "/d", "noexecute", "BindMounts: unknown option 'noexecute' for '/d'");
}

static void test_tmpfs_defaults(void **state)
{
        TmpfsMount m = { 0 };

        assert_int_equal(tmpfs_mount_parse("/tmp", &m, NULL), 0);
        assert_string_equal(m.destination, "/tmp");
        assert_string_equal(m.text, "/tmp");
        assert_int_equal(m.size_bytes, 0);
        assert_int_equal(m.mode, 01777);
        assert_false(m.is_read_only);
        assert_false(m.is_exec);
        tmpfs_mount_done(&m);
        assert_null(m.text);
}

static void test_tmpfs_options(void **state)
{
        TmpfsMount m = { 0 };

        assert_int_equal(
                tmpfs_mount_parse("/run/x:size=64M,mode=0755,ro,exec,nosuid,nodev", &m, NULL), 0);
        assert_string_equal(m.destination, "/run/x");
        assert_int_equal(m.size_bytes, 64 << 20);
        assert_int_equal(m.mode, 0755);
        assert_true(m.is_read_only);
        assert_true(m.is_exec);
        tmpfs_mount_done(&m);

        assert_int_equal(tmpfs_mount_parse("/x:ro,rw,exec,noexec,mode=7777,mode=0", &m, NULL), 0);
        assert_false(m.is_read_only);
        assert_false(m.is_exec);
        assert_int_equal(m.mode, 0);
        tmpfs_mount_done(&m);
}

static void test_tmpfs_refusals(void **state)
{
        static const char *const texts[] = {
                "",
                "tmp",
                ":size=1M",
                "/",
                "/:size=1M",
                "/x:",
                "/x:,",
                "/x:size",
                "/x:size=",
                "/x:size=0",
                "/x:size=1m",
                "/x:size=infinity",
                "/x:size=10%",
                "/x:mode=8",
                "/x:mode=",
                "/x:mode=10000",
                "/x:mode=-1",
                "/x:mode=000755",
                "/x:suid",
                "/x:dev",
                "/x:rw,",
                "/x:ro:rw",
                "/x/:ro",
                "/x:size=16777215T",
                "/x:exec ",
                "/x:mode=0755,uid=0",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                TmpfsMount m = { 0 };
                Fault fault = FAULT_INIT;

                if (tmpfs_mount_parse(texts[i], &m, &fault) != -EINVAL)
                        fail_msg("'%s' is taken", texts[i]);
                assert_int_equal(fault.kind, FAULT_INVALID);
                assert_int_equal(strncmp(fault.text, "TemporaryFileSystem: ", 21), 0);
                assert_null(m.text);
        }
}

static void test_tmpfs_fault(void **state)
{
        Fault fault = FAULT_INIT;
        TmpfsMount m;

        (void)tmpfs_mount_parse("/x:rw,size=x,ro", &m, &fault);
        assert_string_equal(fault.text, "TemporaryFileSystem: bad option 'size=x' for '/x'");
}

static void test_copies(void **state)
{
        BindMount *binds = NULL, *bind_copy, bind = { 0 };
        TmpfsMount *tmpfs = NULL, *tmpfs_copy, tmp = { 0 };
        size_t n_binds = 0, n_tmpfs = 0, n;

        assert_int_equal(bind_mount_parse("/a", "/b", "ro", &bind, NULL), 0);
        assert_int_equal(bind_mounts_append(&binds, &n_binds, &bind), 0);
        assert_null(bind.source);
        assert_int_equal(bind_mounts_copy(binds, n_binds, &bind_copy, &n), 0);
        binds[0].source[1] = 'x';
        assert_int_equal(n, 1);
        assert_string_equal(bind_copy[0].source, "/a");
        assert_string_equal(bind_copy[0].destination, "/b");
        assert_string_equal(bind_copy[0].options, "ro");
        assert_true(bind_copy[0].is_read_only);
        assert_null(bind_mounts_free(bind_copy, n));
        assert_null(bind_mounts_free(binds, n_binds));

        assert_int_equal(tmpfs_mount_parse("/t:mode=700", &tmp, NULL), 0);
        assert_int_equal(tmpfs_mounts_append(&tmpfs, &n_tmpfs, &tmp), 0);
        assert_null(tmp.text);
        assert_int_equal(tmpfs_mounts_copy(tmpfs, n_tmpfs, &tmpfs_copy, &n), 0);
        tmpfs[0].destination[1] = 'x';
        assert_int_equal(n, 1);
        assert_string_equal(tmpfs_copy[0].destination, "/t");
        assert_int_equal(tmpfs_copy[0].mode, 0700);
        assert_null(tmpfs_mounts_free(tmpfs_copy, n));
        assert_null(tmpfs_mounts_free(tmpfs, n_tmpfs));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "binds read-write, recursively and without an id map by default",
                  test_bind_defaults },
                { "understands each option of a bind mount", test_bind_options },
                { "lets the later of two options count", test_bind_last_wins },
                { "says which part of a bind mount is bad, and why", test_bind_refusals },
                { "gives a temporary file system docker's defaults", test_tmpfs_defaults },
                { "understands each option of a temporary file system", test_tmpfs_options },
                { "refuses malformed temporary file systems", test_tmpfs_refusals },
                { "names the one bad option among good ones", test_tmpfs_fault },
                { "copies vectors of mounts deeply", test_copies },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
