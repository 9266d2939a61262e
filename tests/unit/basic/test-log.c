/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"

/* What func writes to stderr. */
static void capture(void (*func)(void), char *ret, size_t room)
{
        int saved = fd_dup(STDERR_FILENO), fds[2];
        ssize_t n;

        assert_true(saved >= 0);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        (void)fflush(stderr);
        assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
        func();
        (void)fflush(stderr);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        fd_close(saved);
        fd_close(fds[1]);
        n = io_read_full(fds[0], ret, room - 1);
        assert_true(n >= 0);
        ret[n] = 0;
        fd_close(fds[0]);
}

static void say_error(void)
{
        assert_int_equal(log_error(-ENOENT, "Cannot open %s: %m", "file"), -ENOENT);
}

static void say_levels(void)
{
        log_debug("hidden");
        log_info("shown");
        assert_int_equal(log_warning(-EIO, "careful"), -EIO);
}

static void say_container(void)
{
        LogContext context = { .container = "web", .id = "0123456789a", .job = 3 };

        (void)log_at(LOG_ERR, 0, &context, "has no %d", 1);
}

static void say_hidden_error(void)
{
        assert_int_equal(log_error(-EPERM, "never seen"), -EPERM);
}

static int setup(void **state)
{
        log_open("test-log", LOG_TARGET_CONSOLE, LOG_INFO);
        return 0;
}

static void test_error(void **state)
{
        char text[256], expected[256];

        (void)snprintf(expected, sizeof(expected), "Cannot open file: %s\n", strerror(ENOENT));
        errno = EPIPE;
        capture(say_error, text, sizeof(text));
        assert_string_equal(text, expected);
}

static void test_levels(void **state)
{
        char text[256];

        capture(say_levels, text, sizeof(text));
        assert_null(strstr(text, "hidden"));
        assert_non_null(strstr(text, "shown\n"));
        assert_non_null(strstr(text, "careful\n"));
        log_set_max_level(LOG_DEBUG);
        capture(say_levels, text, sizeof(text));
        assert_non_null(strstr(text, "hidden\n"));
        log_set_max_level(LOG_ERR);
        capture(say_levels, text, sizeof(text));
        assert_string_equal(text, "");
}

static void test_container(void **state)
{
        char text[256];

        capture(say_container, text, sizeof(text));
        assert_non_null(strstr(text, "web: has no 1\n"));
}

static void test_null_target(void **state)
{
        char text[256];

        log_set_target(LOG_TARGET_NULL);
        capture(say_hidden_error, text, sizeof(text));
        assert_string_equal(text, "");
}

static void test_settings(void **state)
{
        assert_string_equal(log_get_identifier(), "test-log");
        assert_int_equal(log_get_target(), LOG_TARGET_CONSOLE);
        assert_int_equal(log_get_max_level(), LOG_INFO);
        log_set_max_level(LOG_CRIT);
        assert_int_equal(log_get_max_level(), LOG_CRIT);
        log_set_target(LOG_TARGET_NULL);
        assert_int_equal(log_get_target(), LOG_TARGET_NULL);
}

static void test_names(void **state)
{
        for (int i = 0; i < _LOG_TARGET_MAX; i++)
                assert_int_equal(log_target_from_string(log_target_to_string((LogTarget)i)), i);
        assert_null(log_target_to_string(_LOG_TARGET_MAX));
        assert_null(log_target_to_string(_LOG_TARGET_INVALID));
        assert_int_equal(log_target_from_string("syslog"), _LOG_TARGET_INVALID);
        for (int i = LOG_EMERG; i <= LOG_DEBUG; i++)
                assert_int_equal(log_level_from_string(log_level_to_string(i)), i);
        assert_string_equal(log_level_to_string(LOG_WARNING), "warning");
        assert_null(log_level_to_string(-1));
        assert_null(log_level_to_string(LOG_DEBUG + 1));
        assert_int_equal(log_level_from_string("loud"), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "shows the given error for %m and returns it", test_error, setup },
                { "shows what is at or above the level", test_levels, setup },
                { "names the container in front", test_container, setup },
                { "says nothing to the null target and still returns the error", test_null_target,
                  setup },
                { "keeps its settings", test_settings, setup },
                { "names every target and level and finds them by name", test_names, setup },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
