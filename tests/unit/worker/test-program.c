/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "worker/program.h"

static void test_copies_what_cannot_be_changed(void **state)
{
        _drop_(drop_fd) int fd = -EBADF, original_fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
        struct stat a, b;
        char path[64];

        assert_int_equal(program_seal("/bin/true", &fd, NULL), 0);
        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(fstat(original_fd, &b), 0);
        assert_int_equal(a.st_size, b.st_size);
        assert_int_equal(a.st_mode & 07777, 0555);
        assert_true(write(fd, "x", 1) < 0 && errno == EBADF);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        assert_true(open(path, O_WRONLY | O_CLOEXEC) < 0 || geteuid() == 0);
        assert_true(ftruncate(fd, 0) < 0);
        assert_true(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
        assert_true(fcntl(fd, F_ADD_SEALS, 0) < 0);
}

/* Not even by who may open it for writing. */
static void test_holds_against_root(void **state)
{
        _drop_(drop_fd) int fd = -EBADF, write_fd = -EBADF;
        char path[64];

        assert_int_equal(program_seal("/bin/true", &fd, NULL), 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        write_fd = open(path, O_RDWR | O_CLOEXEC);
        if (write_fd < 0)
                skip(); /* not root: refused before the seal is asked */
        assert_true(write(write_fd, "x", 1) < 0 && errno == EPERM);
        assert_true(ftruncate(write_fd, 0) < 0 && errno == EPERM);
}

static void test_can_be_executed(void **state)
{
        _drop_(drop_fd) int fd = -EBADF;
        int status;
        pid_t pid;

        assert_int_equal(program_seal("/bin/true", &fd, NULL), 0);
        pid = fork();
        if (pid == 0) {
                char *argv[] = { (char[]){ "true" }, NULL };

                (void)fexecve(fd, argv, argv + 1);
                _exit(99);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_refuses_what_is_no_program(void **state)
{
        Fault fault = FAULT_INIT;
        int fd = -EBADF;

        assert_int_equal(program_seal("/nonexistent/wshd", &fd, &fault), -ENOENT);
        assert_int_equal(fault.kind, FAULT_NOT_FOUND);
        assert_non_null(strstr(fault.text, "/nonexistent/wshd"));
        fault = FAULT_INIT;
        assert_int_equal(program_seal("/dev/null", &fd, &fault), -ENOEXEC);
        assert_int_equal(program_seal("/tmp", &fd, NULL), -ENOEXEC);
        assert_int_equal(fd, -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "makes a copy that cannot be changed", test_copies_what_cannot_be_changed },
                { "holds against root", test_holds_against_root },
                { "can be executed", test_can_be_executed },
                { "refuses what is no program", test_refuses_what_is_no_program },
        };

        return cmocka_run_group_tests_name("worker/program", tests, NULL, NULL);
}
