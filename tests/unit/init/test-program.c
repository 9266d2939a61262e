/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "init/program.h"

static uint8_t buffer[8192];
static WireWriter writer;
static Spec spec;
static Passwd passwd;
static char *environment[32];
static char text[PROGRAM_TEXT_MAX];

static int setup(void **state)
{
        writer = WIRE_WRITER_FIXED(buffer, sizeof(buffer));
        passwd = (Passwd){ .name = "vcap", .home = "/home/vcap", .shell = "/bin/bash" };
        return 0;
}

static void begin(const char *program)
{
        writer.size = 0;
        wire_put_string(&writer, JOB_TAG_ARGV, program);
}

static void finish(void)
{
        assert_int_equal(spec_decode(writer.data, writer.size, &spec), 0);
}

static void expect_environment(int is_tty, const char *const *wanted)
{
        size_t n = 0;

        finish();
        memset(environment, 0xff, sizeof(environment));
        n = program_environment(&spec, &passwd, is_tty, environment, text);
        for (size_t i = 0; i < n; i++) {
                assert_non_null(wanted[i]);
                assert_string_equal(environment[i], wanted[i]);
        }
        assert_null(wanted[n]);
        assert_null(environment[n]);
}

#define EXPECT(is_tty, ...) expect_environment(is_tty, (const char *const[]){ __VA_ARGS__, NULL })
#define PATH_TEXT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void test_defaults(void **state)
{
        begin("true");
        EXPECT(0, PATH_TEXT, "HOME=/home/vcap", "SHELL=/bin/bash", "USER=vcap", "LOGNAME=vcap",
               "container=warden");
        EXPECT(1, PATH_TEXT, "HOME=/home/vcap", "SHELL=/bin/bash", "USER=vcap", "LOGNAME=vcap",
               "TERM=xterm-256color", "container=warden");
}

static void test_nameless(void **state)
{
        passwd = (Passwd){ .home = "/", .shell = "/bin/sh" };
        begin("true");
        EXPECT(0, PATH_TEXT, "HOME=/", "SHELL=/bin/sh", "container=warden");
}

static void test_given(void **state)
{
        begin("true");
        wire_put_string(&writer, JOB_TAG_ENVIRONMENT, "TERM=");
        wire_put_string(&writer, JOB_TAG_ENVIRONMENT, "HOMER=1");
        wire_put_string(&writer, JOB_TAG_ENVIRONMENT, "PATH=/x");
        wire_put_string(&writer, JOB_TAG_ENVIRONMENT, "container=other");
        EXPECT(1, "TERM=", "HOMER=1", "PATH=/x", "container=other", "HOME=/home/vcap",
               "SHELL=/bin/bash", "USER=vcap", "LOGNAME=vcap");
}

/* The longest strings that the user database gives. */
static void test_room(void **state)
{
        size_t n;

        memset(passwd.home, 'h', sizeof(passwd.home) - 1);
        memset(passwd.shell, 's', sizeof(passwd.shell) - 1);
        memset(passwd.name, 'n', sizeof(passwd.name) - 1);
        begin("true");
        finish();
        n = program_environment(&spec, &passwd, 1, environment, text);
        assert_int_equal(n, 7);
        assert_int_equal(strlen(environment[1]), 5 + sizeof(passwd.home) - 1);
        assert_string_equal(environment[6], "container=warden");
        assert_true(environment[6] + sizeof("container=warden") <= text + sizeof(text));
}

static int execute(const char *program, const char *path)
{
        begin(program);
        if (path)
                wire_put_string(&writer, JOB_TAG_ENVIRONMENT, path);
        finish();
        return program_exec(&spec, &passwd, 0);
}

/* Only failures come back, and the test goes on. */
static void test_errors(void **state)
{
        assert_int_equal(execute("", NULL), -ENOENT);
        assert_int_equal(execute("/nowhere/at/all", NULL), -ENOENT);
        assert_int_equal(execute("nothing-has-this-name", NULL), -ENOENT);
        assert_int_equal(execute("/dev/null/program", NULL), -ENOTDIR);
        assert_int_equal(execute("program", "PATH=/dev/null:/nowhere"), -ENOENT);
        assert_int_equal(execute("/", NULL), -EACCES);
        assert_int_equal(execute("tmp", "PATH="), -ENOENT);
        assert_int_equal(execute("tmp", "PATH=/nowhere:/"), -EACCES);
}

static void test_long_path(void **state)
{
        char path[6000] = "PATH=/";

        memset(path + strlen(path), 'x', 5000);
        strcat(path, ":/");
        assert_int_equal(execute("tmp", path), -EACCES);
        assert_int_equal(execute("nothing-has-this-name", path), -ENOENT);
}

/* Not a program is an error at once: no shell is tried, and no other directory. */
static void test_no_shell(void **state)
{
        char directory[] = "/tmp/wshd-program-XXXXXX", file[64], path[96];
        int fd;

        assert_non_null(mkdtemp(directory));
        strcat(strcpy(file, directory), "/script");
        fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "exit 0\n", 7), 7);
        (void)close(fd);
        strcat(strcat(strcpy(path, "PATH="), directory), ":/");
        assert_int_equal(execute(file, NULL), -ENOEXEC);
        assert_int_equal(execute("script", path), -ENOEXEC);
        (void)unlink(file);
        (void)rmdir(directory);
}

int main(void)
{
#define CASE(sentence, function)                      \
        {                                             \
                sentence, function, setup, NULL, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("adds what programs expect", test_defaults),
                CASE("invents no name", test_nameless),
                CASE("keeps what was given", test_given),
                CASE("has room for the longest user", test_room),
                CASE("tells missing from not executable", test_errors),
                CASE("passes over directories that are too long", test_long_path),
                CASE("does not run a script without an interpreter", test_no_shell),
        };

        return cmocka_run_group_tests_name("init/program", tests, NULL, NULL);
}
