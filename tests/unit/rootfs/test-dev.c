/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "rootfs/dev.h"
#include "sandbox.h"

static const char *const directories[] = { "root", NULL };

static void test_opens_the_hosts_nodes(void **state)
{
        _drop_(dev_nodes_done) DevNodes nodes = DEV_NODES_INIT;
        Fault fault = FAULT_INIT;
        struct stat st;

        assert_int_equal(dev_nodes_open(&nodes, &fault), 0);
        assert_int_equal(fstat(nodes.fds[DEV_NULL], &st), 0);
        assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
        assert_int_equal(fstat(nodes.fds[DEV_TTY], &st), 0);
        assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 0));
        assert_string_equal(dev_node_to_string(DEV_URANDOM), "urandom");
        assert_null(dev_node_to_string(_DEV_NODE_MAX));
}

/* Whoever has put something else in its place. */
static void in_sandbox_wrong_nodes(void *argument)
{
        DevNodes nodes = DEV_NODES_INIT;
        Fault fault = FAULT_INIT;

        CHECK(mount("/dev/zero", "/dev/null", NULL, MS_BIND, NULL) == 0);
        CHECK(dev_nodes_open(&nodes, &fault) == -ENODEV);
        CHECK(strstr(fault.text, "/dev/null"));
        CHECK(umount2("/dev/null", MNT_DETACH) == 0);
        CHECK(dev_nodes_open(&nodes, NULL) == 0);
        dev_nodes_done(&nodes);

        CHECK(mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0);
        CHECK(symlink("/proc/version", "/dev/null") == 0);
        fault = FAULT_INIT;
        CHECK(dev_nodes_open(&nodes, &fault) == -ENODEV);
        CHECK(unlink("/dev/null") == 0);
        fault = FAULT_INIT;
        CHECK(dev_nodes_open(&nodes, &fault) == -ENOENT);
        CHECK(nodes.fds[DEV_NULL] == -EBADF);
}

static void test_refuses_other_nodes(void **state)
{
        sandbox_run(in_sandbox_wrong_nodes, NULL);
}

static int is_device(const char *path, unsigned major, unsigned minor)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

static void in_sandbox_attach(void *argument)
{
        DevNodes nodes = DEV_NODES_INIT, mounts = DEV_NODES_INIT;
        Fault fault = FAULT_INIT;
        char target[64] = "";
        struct stat st;
        Dev dev = DEV_INIT;
        int root_fd, fd;

        sandbox_make_tmp(directories);
        (void)umask(0);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(dev_nodes_open(&nodes, NULL) == 0);
        CHECK(dev_nodes_copy(&nodes, &mounts, &fault) == 0);
        CHECK(dev_new(0, &dev, &fault) == 0); /* group 5 has no place in the sandbox */
        CHECK(dev_attach(&dev, &mounts, root_fd, &fault) == 0);
        CHECK(is_device("root/dev/null", 1, 3) && is_device("root/dev/full", 1, 7));
        CHECK(is_device("root/dev/tty", 5, 0) && is_device("root/dev/pts/ptmx", 5, 2));
        fd = open("root/dev/null", O_RDWR | O_CLOEXEC);
        CHECK(fd >= 0 && write(fd, "x", 1) == 1);
        CHECK(readlink("root/dev/ptmx", target, sizeof(target) - 1) > 0);
        CHECK(strcmp(target, "pts/ptmx") == 0);
        CHECK(stat("root/dev/shm", &st) == 0 && st.st_mode == (S_IFDIR | 01777));
        CHECK(stat("root/dev/mqueue", &st) == 0 && st.st_mode == (S_IFDIR | 01777));
        CHECK(stat("root/dev", &st) == 0 && st.st_mode == (S_IFDIR | 0755));
        CHECK(stat("root/dev/pts/ptmx", &st) == 0 && (st.st_mode & 0777) == 0666);
        dev_done(&dev);
        CHECK(dev.fd == -EBADF);
}

static void test_attaches_devices(void **state)
{
        sandbox_run(in_sandbox_attach, NULL);
}

static void in_sandbox_bounded(void *argument)
{
        static char block[1 << 16];
        DevNodes nodes = DEV_NODES_INIT, mounts = DEV_NODES_INIT;
        Dev dev = DEV_INIT;
        int root_fd, fd, n = 0;

        sandbox_make_tmp(directories);
        root_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(dev_nodes_open(&nodes, NULL) == 0);
        CHECK(dev_nodes_copy(&nodes, &mounts, NULL) == 0);
        CHECK(dev_new(0, &dev, NULL) == 0);
        CHECK(dev_attach(&dev, &mounts, root_fd, NULL) == 0);
        fd = open("root/dev/big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        while (n < 100 && write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
                n++;
        CHECK(n < 100 && errno == ENOSPC);
}

static void test_bounds_its_memory(void **state)
{
        sandbox_run(in_sandbox_bounded, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "opens the nodes of the host", test_opens_the_hosts_nodes },
                { "refuses other nodes in their places", test_refuses_other_nodes },
                { "attaches devices, terminals and memory", test_attaches_devices },
                { "bounds its memory", test_bounds_its_memory },
        };

        return cmocka_run_group_tests_name("rootfs/dev", tests, NULL, NULL);
}
