/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/overlay.h"
#include "rootfs/pivot.h"
#include "sandbox.h"

static const char *const directories[] = { "root", "root/etc", NULL };

static unsigned mode_of(const char *path)
{
        struct stat st;

        CHECK(stat(path, &st) == 0);
        return st.st_mode & 07777;
}

static int open_and_fill(const char *path, int root_fd, int *ret_fd, int *ret_is_new, Fault *fault)
{
        int r = layer_open(path, ret_fd, ret_is_new, fault);

        return r < 0 ? r : layer_fill(*ret_fd, root_fd, fault);
}

static void in_sandbox_open(void *argument)
{
        int root_fd, fd = -EBADF, is_new = -1;

        sandbox_make_tmp(directories);
        (void)umask(0);
        CHECK(chmod("root", 01711) == 0);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(open_and_fill("/tmp/state/containers/one", root_fd, &fd, &is_new, NULL) == 0);
        CHECK(is_new == 1);
        CHECK(mode_of("state/containers/one") == 0700);
        CHECK(mode_of("state/containers/one/upper") == 01711);
        CHECK(mode_of("state/containers/one/work") == 0700);
        CHECK(io_write_file_atomic(AT_FDCWD, "state/containers/one/upper/kept", "x", 1) < 0);
        CHECK(mkdir("state/containers/one/upper/kept", 0755) == 0);
        CHECK(open_and_fill("/tmp/state/containers/one", root_fd, &fd, &is_new, NULL) == 0);
        CHECK(is_new == 0);
        CHECK(access("state/containers/one/upper/kept", F_OK) == 0);
        CHECK(layer_remove("/tmp/state/containers/one") == 0);
        CHECK(access("state/containers/one", F_OK) < 0);
        CHECK(access("state/containers", F_OK) == 0);
}

static void test_opens_a_layer_once_made(void **state)
{
        sandbox_run(in_sandbox_open, NULL);
}

static void in_sandbox_refuse(void *argument)
{
        int fd = -EBADF, is_new = -1;
        Fault fault = FAULT_INIT;

        sandbox_make_tmp(directories);
        CHECK(symlink("/tmp/root", "link") == 0);
        /* Not through a link, and not over a file. */
        CHECK(layer_open("/tmp/link", &fd, &is_new, &fault) < 0);
        CHECK(fault.kind == FAULT_FAILED && strstr(fault.text, "/tmp/link"));
        CHECK(access("root/upper", F_OK) < 0);
        CHECK(mknod("file", S_IFREG | 0644, 0) == 0);
        CHECK(layer_open("/tmp/file/below", &fd, &is_new, NULL) == -ENOTDIR);
        CHECK(fd == -EBADF && is_new == -1);
}

static void test_refuses_links_as_layers(void **state)
{
        sandbox_run(in_sandbox_refuse, NULL);
}

static void in_sandbox_mount(void *argument)
{
        int source_fd, layer_fd = -EBADF, trees[2] = { -EBADF, -EBADF }, root_fd = -EBADF, is_new;
        Fault fault = FAULT_INIT;
        struct statvfs st;

        sandbox_make_tmp(directories);
        source_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(open_and_fill("/tmp/layer", source_fd, &layer_fd, &is_new, NULL) == 0);
        /* One id cannot be shifted here; the tests with root do that. */
        CHECK(layer_mount(layer_fd, 0, -EBADF, &trees[0], &fault) == 0);
        CHECK(layer_mount(source_fd, 1, -EBADF, &trees[1], &fault) == 0);
        CHECK(fstatvfs(trees[1], &st) == 0 && (st.f_flag & ST_RDONLY));
        CHECK(pivot_to_empty(&fault) == 0);
        if (overlay_mount(trees[0], trees[1], 1, &root_fd, &fault) < 0)
                (void)printf("# %s\n", fault.text);
        CHECK(root_fd >= 0);
        CHECK(faccessat(root_fd, "etc", F_OK, 0) == 0);
        CHECK(mkdirat(root_fd, "etc/new", 0755) == 0);
        CHECK(faccessat(layer_fd, "upper/etc/new", F_OK, 0) == 0);
        CHECK(faccessat(source_fd, "etc/new", F_OK, 0) < 0);
        CHECK(unlinkat(root_fd, "etc/new", AT_REMOVEDIR) == 0);
        CHECK(fstatvfs(root_fd, &st) == 0 && (st.f_flag & ST_NODEV));
        /* It is the working directory. */
        CHECK(access("etc", F_OK) == 0 && access("/etc", F_OK) < 0);
}

static void test_puts_a_layer_over_a_directory(void **state)
{
        sandbox_run(in_sandbox_mount, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "opens a layer, which is made once", test_opens_a_layer_once_made },
                { "refuses links as layers", test_refuses_links_as_layers },
                { "puts a layer over a directory", test_puts_a_layer_over_a_directory },
        };

        return cmocka_run_group_tests_name("rootfs/overlay", tests, NULL, NULL);
}
