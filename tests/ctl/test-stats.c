/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs that show what containers use. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "harness.h"

static int begin(void **state)
{
        int r = harness_begin(state);

        if (r != 0)
                return r;
        (void)setenv("TERM", "xterm-256color", 1);
        (void)setenv("LC_ALL", "C.UTF-8", 1);
        assert_run(0, NULL, NULL, "create", "--name=alpha", "/srv");
        assert_run(0, NULL, NULL, "create", "--name=beta", "/srv");
        assert_run(0, NULL, NULL, "stop", "beta");
        return 0;
}

static void test_table(void **state)
{
        Run *run = run_to_end("stats", "--interval=200ms", NULL);

        assert_int_equal(run->exit_code, 0);
        assert_non_null(strstr(run->output, "MEM USAGE / LIMIT"));
        assert_non_null(strstr(run->output, "32M / 64M  50.00%  3K / 1K    5M / 2M      7  "
                                            "warden-web.slice\n"));
        assert_non_null(strstr(run->output, "\n2 containers.\n"));
        /* Half a processor, within what a busy machine may make of it. */
        assert_non_null(strstr(run->output, "alpha  "));
        assert_null(strstr(strstr(run->output, "alpha"), "alpha       -"));
        run_free(run);
        assert_run(0, "beta ", NULL, "stats", "--interval=100ms", "beta");
}

static void test_names(void **state)
{
        Run *run = run_to_end("stats", "-i", "100ms", "--no-legend", "alpha", NULL);

        assert_int_equal(run->exit_code, 0);
        assert_null(strstr(run->output, "beta"));
        assert_null(strstr(run->output, "NAME"));
        run_free(run);
        assert_run(125, "alpha", "No container 'nobody'", "stats", "-i100ms", "nobody", "alpha");
        assert_run(125, NULL, "No container 'nobody'", "stats", "-w", "nobody");
}

static void test_json(void **state)
{
        assert_run(0,
                   "\"alpha\":{\"State\":\"active\",\"Slice\":\"warden-web.slice\","
                   "\"CPUUsageNSec\":",
                   NULL, "stats", "--json");
        assert_run(0, "\"MemoryCurrent\":41943040", NULL, "stats", "--json", "alpha");
        assert_run(0, "\"IODevices\":[[8,16,5242880,2097152,11,12]]", NULL, "stats", "--json");
        assert_run(0, "\"beta\":{\"State\":\"stopped\"}", NULL, "stats", "--json", "beta");
}

static void test_bad_interval(void **state)
{
        assert_run(125, NULL, "--interval: 99ms is not from 100ms on", "stats", "-i", "99ms");
        assert_run(125, NULL, "--interval: infinity", "stats", "-i", "infinity");
        assert_run(125, NULL, "'soon' is not", "stats", "-i", "soon");
}

static void test_watch(void **state)
{
        Run *run = run_start("stats", "-w", "--interval=100ms", "--json", "alpha", NULL);

        run_expect(run, "}}\n{\"alpha\":{");
        run_kill(run, SIGINT);
        assert_int_equal(run_wait(run), 0);
        run_free(run);
        run = run_start("stats", "-w", "--interval=100ms", NULL);
        run_expect(run, "2 containers.\nNAME");
        run_kill(run, SIGTERM);
        assert_int_equal(run_wait(run), 0);
        run_free(run);
}

/* Every line is cleared to its end, and the screen below: nothing is left of a longer table. */
static void test_watch_terminal(void **state)
{
        Run *run = run_start_on_terminal("stats", "-w", "--interval=100ms", NULL);

        run_expect(run, "\033[2J");
        run_expect(run, "\033[H");
        run_expect(run, "2 containers.\033[K\r\n\033[J");
        run_write(run, "\003", 1);
        assert_int_equal(run_wait(run), 0);
        run_free(run);
}

static void test_capacity(void **state)
{
        assert_run(0, "\nMemory              2G          1G          1G\n", NULL, "capacity");
        assert_run(0, "\nPorts       2147483648  1073741824  1073741824\n", NULL, "capacity");
        assert_run(0, "\"CapacityMemoryFree\":1073741824", NULL, "capacity", "--json");
        assert_run(125, NULL, "Too many arguments", "capacity", "alpha");
}

static void test_metrics(void **state)
{
        assert_run(0, "warden_containers 2\n", NULL, "metrics");
        assert_run(0, "warden_container_memory_max_bytes{container=\"alpha\"} 67108864\n", NULL,
                   "metrics");
        assert_run(0, "\n# EOF\n", NULL, "metrics");
        assert_run(125, NULL, "Too many arguments", "metrics", "alpha");
}

/* What the socket's service does, by pipes. */
static void check_http(const char *request, const char *first, const char *other)
{
        Run *run = run_start("metrics", "--http", NULL);

        run_write(run, request, strlen(request));
        run_close_input(run);
        assert_int_equal(run_wait(run), 0);
        if (strncmp(run->output, first, strlen(first)) != 0 || !strstr(run->output, other))
                fail_msg("%s", run->output);
        run_free(run);
}

static void test_http(void **state)
{
        check_http("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n",
                   "\r\n\r\n# TYPE warden_up gauge\n");
        check_http("GET /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n",
                   "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n");
        check_http("HEAD /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n",
                   "Connection: close\r\n\r\n");
        check_http("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n", "");
        check_http("DELETE /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n",
                   "\r\nAllow: GET, HEAD\r\n");
        check_http("GET /metrics", "HTTP/1.1 400 Bad Request\r\n", "");
        check_http("", "HTTP/1.1 400 Bad Request\r\n", "");
}

static void test_http_flood(void **state)
{
        char request[9000];

        memset(request, 'x', sizeof(request) - 1);
        request[sizeof(request) - 1] = 0;
        check_http(request, "HTTP/1.1 431 ", "");
}

static void assert_restored(Run *run)
{
        struct termios now;

        assert_non_null(strstr(run->output, "\033[?1049l"));
        assert_int_equal(tcgetattr(run->input_fd, &now), 0);
        assert_int_equal(now.c_lflag, run->before.c_lflag);
        assert_int_equal(now.c_iflag, run->before.c_iflag);
        assert_int_equal(now.c_oflag, run->before.c_oflag);
}

static void test_top(void **state)
{
        Run *run = run_start_on_terminal("top", "--interval=100ms", NULL);

        run_expect(run, "2 containers, 1 active");
        run_expect(run, "alpha");
        run_expect(run, "CPU%v");
        /* By name and then the other way round: what is new is drawn, and no more. */
        assert_null(strstr(run->output, "^"));
        run_write(run, "nn", 2);
        run_expect(run, "^");
        run_write(run, "zq", 2);
        assert_int_equal(run_wait(run), 0);
        assert_restored(run);
        run_free(run);
        run = run_start_on_terminal("top", "-i", "100ms", "--sort=tasks", "alpha", NULL);
        run_expect(run, "1 containers, 1 active");
        run_expect(run, "TASKSv");
        run_write(run, "\003", 1);
        assert_int_equal(run_wait(run), 0);
        assert_restored(run);
        run_free(run);
}

static void test_top_signals(void **state)
{
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                Run *run = run_start_on_terminal("top", NULL);

                run_expect(run, "2 containers");
                run_kill(run, signals[i]);
                (void)run_wait(run);
                assert_restored(run);
                run_free(run);
        }
}

static void test_top_sizes(void **state)
{
        static const unsigned short sizes[][2] = { { 1, 1 },   { 2, 3 },    { 3, 40 },
                                                   { 200, 7 }, { 60, 500 }, { 24, 80 } };
        Run *run = run_start_on_terminal("top", "--interval=100ms", NULL);

        run_expect(run, "2 containers");
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                struct winsize size = { .ws_row = sizes[i][0], .ws_col = sizes[i][1] };

                assert_int_equal(ioctl(run->input_fd, TIOCSWINSZ, &size), 0);
                run_kill(run, SIGWINCH);
                run_expect_size(run, run->output_size + 1);
        }
        run_write(run, "q", 1);
        assert_int_equal(run_wait(run), 0);
        assert_restored(run);
        run_free(run);
}

static void test_top_refusals(void **state)
{
        assert_run(125, NULL, "top needs a terminal", "top");
        assert_run(125, NULL, "--sort: 'size' is not", "top", "--sort=size");
        assert_run(125, NULL, "--interval: 1ms is not", "top", "--interval=1ms");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "stats shows a table", test_table },
                { "stats shows those that were named, and says who is not there", test_names },
                { "stats --json prints the daemon's numbers", test_json },
                { "stats refuses intervals that are none", test_bad_interval },
                { "stats --watch goes on until it is told to end", test_watch },
                { "stats --watch writes over what it wrote", test_watch_terminal },
                { "metrics prints OpenMetrics", test_metrics },
                { "metrics --http answers one request", test_http },
                { "metrics --http does not read for ever", test_http_flood },
                { "top shows a screen, obeys keys and leaves", test_top },
                { "top puts the terminal back whatever ends it", test_top_signals },
                { "top fits any terminal", test_top_sizes },
                { "top says what it needs", test_top_refusals },
                { "capacity shows what there is and what is free", test_capacity },
        };

        return cmocka_run_group_tests(tests, begin, harness_end);
}
