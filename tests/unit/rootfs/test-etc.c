/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/etc.h"

/* A root, and beside it a file of the host that links in the root are after. */
typedef struct Root {
        char path[64], victim[80];
        int fd;
} Root;

static void make(int dir_fd, const char *path, const char *text)
{
        int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
        (void)close(fd);
}

static void expect(int dir_fd, const char *path, const char *text)
{
        _drop_(drop_free) char *found = NULL;
        struct stat st;

        assert_int_equal(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(io_read_file(dir_fd, path, 256, &found, NULL), 0);
        assert_string_equal(found, text);
}

static int set_up(void **state)
{
        Root *root = calloc(1, sizeof(*root));
        char path[80];

        assert_non_null(root);
        (void)snprintf(root->path, sizeof(root->path), "/tmp/warden-etc-XXXXXX");
        assert_non_null(mkdtemp(root->path));
        (void)snprintf(root->victim, sizeof(root->victim), "%s/victim", root->path);
        (void)snprintf(path, sizeof(path), "%s/root", root->path);
        make(AT_FDCWD, root->victim, "of the host\n");
        assert_int_equal(mkdir(path, 0755), 0);
        root->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(root->fd >= 0);
        *state = root;
        return 0;
}

static int tear_down(void **state)
{
        Root *root = *state;

        /* Whatever a case was about. */
        expect(AT_FDCWD, root->victim, "of the host\n");
        fd_close(root->fd);
        assert_int_equal(io_remove_tree(AT_FDCWD, root->path), 0);
        free(root);
        return 0;
}

static void write_hosts(const Root *root)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(etc_write(root->fd, "hosts", "ours\n", &fault), 0);
        assert_int_equal(faccessat(root->fd, "etc/.hosts.warden", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_new(void **state)
{
        const Root *root = *state;
        struct stat st;

        write_hosts(root);
        expect(root->fd, "etc/hosts", "ours\n");
        assert_int_equal(fstatat(root->fd, "etc/hosts", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_old_file(void **state)
{
        const Root *root = *state;
        struct stat before, after;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        make(root->fd, "etc/hosts", "of the image, and longer\n");
        assert_int_equal(fstatat(root->fd, "etc/hosts", &before, 0), 0);
        write_hosts(root);
        expect(root->fd, "etc/hosts", "ours\n");
        /* Somebody may have the old one open, or another name for it. */
        assert_int_equal(fstatat(root->fd, "etc/hosts", &after, 0), 0);
        assert_int_not_equal(before.st_ino, after.st_ino);
}

static void test_link(void **state)
{
        const Root *root = *state;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        assert_int_equal(symlinkat(root->victim, root->fd, "etc/hosts"), 0);
        assert_int_equal(symlinkat("../../victim", root->fd, "etc/.hosts.warden"), 0);
        write_hosts(root);
        expect(root->fd, "etc/hosts", "ours\n");
}

/* It would wait for a reader that never comes. */
static void test_pipe(void **state)
{
        const Root *root = *state;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        assert_int_equal(mknodat(root->fd, "etc/hosts", S_IFIFO | 0644, 0), 0);
        assert_int_equal(mknodat(root->fd, "etc/.hosts.warden", S_IFIFO | 0644, 0), 0);
        write_hosts(root);
        expect(root->fd, "etc/hosts", "ours\n");
}

static void test_linked_etc(void **state)
{
        const Root *root = *state;

        assert_int_equal(mkdirat(root->fd, "real", 0755), 0);
        assert_int_equal(symlinkat("/real", root->fd, "etc"), 0);
        write_hosts(root);
        expect(root->fd, "real/hosts", "ours\n");
}

static void test_etc_outside(void **state)
{
        const Root *root = *state;
        Fault fault = FAULT_INIT;
        char path[96];

        /* In the root there is no such directory: outside there is, and it stays empty. */
        (void)snprintf(path, sizeof(path), "%s/outside", root->path);
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(symlinkat("../outside", root->fd, "etc"), 0);
        (void)etc_write(root->fd, "hosts", "ours\n", &fault);
        assert_int_equal(rmdir(path), 0);
}

static void test_no_directory(void **state)
{
        const Root *root = *state;
        Fault fault = FAULT_INIT;

        make(root->fd, "etc", "a file\n");
        assert_true(etc_write(root->fd, "hosts", "ours\n", &fault) < 0);
        assert_non_null(strstr(fault.text, "/etc"));
        expect(root->fd, "etc", "a file\n");
}

/* A directory cannot be replaced: what is begun is taken back. */
static void test_directory_in_place(void **state)
{
        const Root *root = *state;
        Fault fault = FAULT_INIT;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        assert_int_equal(mkdirat(root->fd, "etc/hosts", 0755), 0);
        assert_true(etc_write(root->fd, "hosts", "ours\n", &fault) < 0);
        assert_non_null(strstr(fault.text, "/etc/hosts"));
        assert_int_equal(faccessat(root->fd, "etc/.hosts.warden", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

int main(void)
{
#define CASE(name, function)                            \
        {                                               \
                name, function, set_up, tear_down, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("makes the file, and /etc", test_new),
                CASE("puts a new file in the place of the image's", test_old_file),
                CASE("replaces a link and follows none", test_link),
                CASE("waits for no pipe", test_pipe),
                CASE("follows /etc inside the root", test_linked_etc),
                CASE("never follows /etc out of it", test_etc_outside),
                CASE("names /etc when it is no directory", test_no_directory),
                CASE("takes back what it began when it cannot replace", test_directory_in_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
