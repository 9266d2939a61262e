/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-worker WORKER INIT [COUNT [PAUSE-MSEC]]
 *
 * What warden-worker alone takes to make a container, without systemd, and to unmake it. Prints for
 * each span the median, the 90th percentile and the minimum, in microseconds:
 *
 *     cloned    request to CLONED: from here on the daemon can ask for the scope
 *     create    request to DONE, the gate opened at once
 *     gate      gate to DONE, when the gate is opened a while after all is ready
 *     end       kill of PID 1 until nothing of it is left
 *     remove    request to DONE
 *
 * Needs root. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define COUNT_DEFAULT 300
#define PAUSE_DEFAULT_MSEC 5
#define SCOPE_USEC 10000 /* what systemd takes for a scope, about */

typedef enum Span {
        SPAN_CLONED,
        SPAN_CREATE,
        SPAN_GATE,
        SPAN_END,
        SPAN_REMOVE,
        _SPAN_MAX,
} Span;

static const char *const span_table[_SPAN_MAX] = {
        [SPAN_CLONED] = "cloned", [SPAN_CREATE] = "create", [SPAN_GATE] = "gate",
        [SPAN_END] = "end",       [SPAN_REMOVE] = "remove",
};

static double now_usec(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return x < y ? -1 : x > y;
}

/* What real roots have. */
static void complete_root(const Harness *h)
{
        static const char *const names[] = { "proc", "sys", "dev", "run" };
        char path[256];

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", h->root, names[i]);
                (void)mkdir(path, 0755);
        }
}

/* One container from nothing to nothing; returns the type of the message that it ended with. */
static int measure(Harness *h, int is_late, double spans[_SPAN_MAX])
{
        Plan *plan = harness_plan(h);
        double start = now_usec(), gate;
        Made made;
        int r;

        r = harness_begin(h, plan, &made);
        if (r >= 0)
                r = harness_next(&made);
        spans[SPAN_CLONED] = now_usec() - start;
        if (r == WORKER_CLONED) {
                if (is_late)
                        (void)usleep(SCOPE_USEC);
                gate = now_usec();
                r = harness_open_gate(&made);
                if (r >= 0)
                        r = harness_next(&made);
                spans[is_late ? SPAN_GATE : SPAN_CREATE] = now_usec() - (is_late ? gate : start);
        }
        if (r != WORKER_DONE)
                (void)fprintf(stderr, "%s\n", made.last.fault.text);
        start = now_usec();
        harness_end(&made);
        spans[SPAN_END] = now_usec() - start;
        start = now_usec();
        if (r == WORKER_DONE)
                r = harness_remove(h, &made);
        spans[SPAN_REMOVE] = now_usec() - start;
        plan_free(plan);
        return r;
}

static void print(double (*samples)[_SPAN_MAX], size_t n)
{
        double *sorted = malloc(n * sizeof(double));

        for (int span = 0; sorted && span < _SPAN_MAX; span++) {
                size_t k = 0;

                for (size_t i = 0; i < n; i++)
                        if (samples[i][span] > 0)
                                sorted[k++] = samples[i][span];
                qsort(sorted, k, sizeof(double), compare);
                if (k > 0)
                        (void)printf("%-8s %8.0f %8.0f %8.0f\n", span_table[span], sorted[k / 2],
                                     sorted[k * 9 / 10], sorted[0]);
        }
        free(sorted);
}

int main(int argc, char *argv[])
{
        size_t count = argc > 3 ? strtoul(argv[3], NULL, 10) : COUNT_DEFAULT;
        unsigned pause_msec = argc > 4 ? (unsigned)atoi(argv[4]) : PAUSE_DEFAULT_MSEC;
        double(*samples)[_SPAN_MAX];
        Harness h;
        int r;

        if (argc < 3 || geteuid() != 0 || count == 0) {
                (void)fprintf(stderr, "usage: bench-worker WORKER INIT [COUNT [PAUSE-MSEC]]\n");
                return 77;
        }
        samples = calloc(count, sizeof(*samples));
        if (!samples || harness_start(&h, argv[1], argv[2]) < 0)
                return 1;
        complete_root(&h);
        (void)usleep(100000);
        r = WORKER_DONE;
        for (size_t i = 0; r == WORKER_DONE && i < count; i++) {
                r = measure(&h, i % 2 == 1, samples[i]);
                (void)usleep(pause_msec * 1000);
        }
        print(samples, count);
        free(samples);
        return harness_stop(&h) < 0 || r != WORKER_DONE;
}
