/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How fast a job's output comes through PID 1's ring to one reader, beside a plain pipe between the
 * same two programs in the same run. Prints GiB/s; the argument is how many MiB to send. It lives
 * here for the container that it shares with the tests of wshd, and is not one of them. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "container.h"

#define RUNS 5

static uint64_t arg_bytes = UINT64_C(2) << 30;

static double now(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t drain(int fd)
{
        static char data[65536];
        uint64_t total = 0;
        ssize_t n;

        while ((n = read(fd, data, sizeof(data))) > 0)
                total += (uint64_t)n;
        return total;
}

static void report(const char *name, const double *seconds)
{
        double best = seconds[0];

        for (int i = 1; i < RUNS; i++)
                best = MIN2(best, seconds[i]);
        printf("%-24s best %.2f GiB/s, all", name, (double)arg_bytes / best / (1 << 30));
        for (int i = 0; i < RUNS; i++)
                printf(" %.2f", (double)arg_bytes / seconds[i] / (1 << 30));
        printf("\n");
}

static void bench_pipe(void)
{
        double seconds[RUNS];

        for (int i = 0; i < RUNS; i++) {
                double start = now();
                char bytes[32];
                int pair[2];
                pid_t pid;

                (void)snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)arg_bytes);
                assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
                pid = fork();
                if (pid == 0) {
                        (void)dup2(pair[1], STDOUT_FILENO);
                        execl(helper_path(), "helper", "zeros", bytes, NULL);
                        _exit(1);
                }
                fd_close(pair[1]);
                assert_true(drain(pair[0]) == arg_bytes);
                seconds[i] = now() - start;
                fd_close(pair[0]);
                assert_int_equal(wait_child(pid), 0);
        }
        report("plain pipe", seconds);
}

static void bench_ring(int fd, const char *name, uint32_t flags, uint64_t ring_bytes)
{
        double seconds[RUNS];

        for (uint32_t i = 0; i < RUNS; i++) {
                double start = now();
                SpecBuilder spec;
                uint64_t total;
                char bytes[32];
                int reader;

                (void)snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)arg_bytes);
                SPEC(&spec, helper_path(), "zeros", bytes);
                (void)job_start(fd, 1, &spec, WSHD_BACKPRESSURE, ring_bytes);
                reader = client_attach_one(fd, 1, WSHD_STDOUT_FD | flags);
                total = drain(reader);
                seconds[i] = now() - start;
                assert_true(total >= arg_bytes);
                fd_close(reader);
                (void)client_expect(fd, WSHD_EXITED);
                (void)client_ask(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = 1 }, NULL, 0);
        }
        report(name, seconds);
}

static void test_throughput(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);

        bench_pipe();
        bench_ring(fd, "ring 1 MiB", 0, 1 << 20);
        bench_ring(fd, "ring 64 KiB", 0, 1 << 16);
        bench_ring(fd, "ring 1 MiB, framed", WSHD_FRAMED, 1 << 20);
}

int main(int argc, char *argv[])
{
        const struct CMUnitTest tests[] = {
                { "moves bytes", test_throughput, container_setup, container_teardown, NULL },
        };

        if (argc > 1)
                arg_bytes = strtoull(argv[1], NULL, 10) << 20;
        return cmocka_run_group_tests_name("bench-streams", tests, NULL, NULL);
}
