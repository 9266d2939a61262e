/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Drives the real wardend over D-Bus and times each call; one JSON line a kind of operation. The
 * system tests use it too, for numbers of containers that a shell would take minutes for.
 *
 *   bench-bus cycle ROOT N GAP_MS [NETWORK]
 *           N times: create, job, its end, destroy; GAP_MS between the rounds
 *   bench-bus jobs NAME N PROGRAM…
 *           N jobs one after the other in a running container, each released
 *   bench-bus parallel ROOT N [NETWORK]
 *           N creates at once, then N destroys at once
 *   bench-bus command N GAP_MS -- …
 *           the same clock around a program: fork, exec, wait
 *
 * NETWORK is what the containers get; none, as the peers are asked, if it is not given.
 */

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "basic/io.h"
#include "basic/parse.h"
#include "samples.h"

#define DESTINATION "org.warden.Warden1"
#define MANAGER "/org/warden/Warden1"
#define CALL_USEC (120 * USEC_PER_SEC)

static int complain(const char *what, const sd_bus_error *error, int r)
{
        (void)fprintf(stderr, "bench-bus: %s: %s\n", what,
                      error && error->message ? error->message : strerror(-r));
        return r < 0 ? r : -EIO;
}

/* What containers are made of. */
typedef struct Kind {
        const char *root, *network;
} Kind;

static int new_create(sd_bus *bus, const Kind *kind, const char *name, sd_bus_message **ret)
{
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, DESTINATION, MANAGER, DESTINATION ".Manager",
                                           "CreateContainer");
        if (r >= 0)
                r = sd_bus_message_append(m, "a{sv}", 3, "Name", "s", name, "RootDirectory", "s",
                                          kind->root, "Network", "s", kind->network);
        if (r < 0)
                sd_bus_message_unref(m);
        else
                *ret = m;
        return r;
}

static int create(sd_bus *bus, const Kind *kind, const char *name, char **ret_path)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r;

        r = new_create(bus, kind, name, &m);
        if (r >= 0)
                r = sd_bus_call(bus, m, CALL_USEC, &error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0 && !(*ret_path = strdup(path)))
                r = -ENOMEM;
        if (r < 0)
                complain("CreateContainer", &error, r);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
        return r;
}

static int destroy(sd_bus *bus, const char *name)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(bus, DESTINATION, MANAGER, DESTINATION ".Manager",
                               "DestroyContainer", &error, NULL, "s", name);
        return r < 0 ? complain("DestroyContainer", &error, r) : 0;
}

/* What Exited said last; a job may end before the reply to its spawn was read. */
typedef struct Ended {
        char path[256];
        int is_seen, code, signal;
        uint64_t spawn_usec; /* how long the reply to its spawn took */
} Ended;

static int on_exited(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Ended *ended = userdata;

        (void)snprintf(ended->path, sizeof(ended->path), "%s", sd_bus_message_get_path(m));
        ended->is_seen = sd_bus_message_read(m, "ii", &ended->code, &ended->signal) >= 0;
        return 0;
}

static int release(sd_bus *bus, const char *job)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(bus, DESTINATION, job, DESTINATION ".Job", "Release", &error, NULL,
                               "");
        return r < 0 ? complain("Release", &error, r) : 0;
}

/* Spawns and waits for the Exited signal of that very job, whose exit code must be 0. */
static int run_job(sd_bus *bus, const char *container, char **argv, Ended *ended, char **ret_job)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL, *reply = NULL;
        uint64_t start_usec;
        const char *path;
        int r;

        ended->is_seen = 0;
        start_usec = io_now_monotonic_usec();
        r = sd_bus_message_new_method_call(bus, &m, DESTINATION, container,
                                           DESTINATION ".Container", "SpawnJob");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, argv);
        if (r >= 0)
                r = sd_bus_message_append(m, "a{sv}", 0);
        if (r >= 0)
                r = sd_bus_call(bus, m, CALL_USEC, &error, &reply);
        ended->spawn_usec = io_now_monotonic_usec() - start_usec;
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        while (r >= 0 && !(ended->is_seen && strcmp(ended->path, path) == 0)) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, CALL_USEC);
                if (r == 0)
                        r = -ETIMEDOUT;
        }
        if (r >= 0 && (ended->code != 0 || ended->signal != 0))
                r = -EPROTO;
        if (r >= 0 && !(*ret_job = strdup(path)))
                r = -ENOMEM;
        if (r < 0)
                complain("SpawnJob", &error, r);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
        return r;
}

static void pause_msec(unsigned msec)
{
        struct timespec ts = { msec / 1000, (long)(msec % 1000) * 1000000 };

        if (msec > 0)
                (void)nanosleep(&ts, NULL);
}

typedef struct Cycle {
        Samples create, job, destroy, all;
} Cycle;

static int cycle_once(sd_bus *bus, const Kind *kind, unsigned i, Ended *ended, Cycle *cycle)
{
        static char *argv[] = { (char *)"/bin/true", NULL };
        _drop_(drop_free) char *path = NULL, *job = NULL;
        char name[32];
        uint64_t t[4];
        int r;

        (void)snprintf(name, sizeof(name), "bench-%d-%u", (int)getpid(), i);
        t[0] = io_now_monotonic_usec();
        r = create(bus, kind, name, &path);
        t[1] = io_now_monotonic_usec();
        if (r >= 0)
                r = run_job(bus, path, argv, ended, &job);
        t[2] = io_now_monotonic_usec();
        if (r >= 0)
                r = destroy(bus, name);
        t[3] = io_now_monotonic_usec();
        if (r >= 0)
                r = samples_add(&cycle->create, t[1] - t[0]);
        if (r >= 0)
                r = samples_add(&cycle->job, t[2] - t[1]);
        if (r >= 0)
                r = samples_add(&cycle->destroy, t[3] - t[2]);
        return r < 0 ? r : samples_add(&cycle->all, t[3] - t[0]);
}

static int verb_cycle(sd_bus *bus, const Kind *kind, unsigned n, unsigned gap_msec, Ended *ended)
{
        Cycle cycle = { 0 };
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < n; i++) {
                r = cycle_once(bus, kind, i, ended, &cycle);
                pause_msec(gap_msec);
        }
        samples_print(&cycle.create, "create", stdout);
        samples_print(&cycle.job, "job", stdout);
        samples_print(&cycle.destroy, "destroy", stdout);
        samples_print(&cycle.all, "cycle", stdout);
        samples_done(&cycle.create);
        samples_done(&cycle.job);
        samples_done(&cycle.destroy);
        samples_done(&cycle.all);
        return r;
}

static int verb_jobs(sd_bus *bus, const char *name, unsigned n, char **argv, Ended *ended)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(samples_done) Samples samples = { 0 }, spawns = { 0 };
        sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(bus, DESTINATION, MANAGER, DESTINATION ".Manager", "GetContainer",
                               &error, &reply, "s", name);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                complain("GetContainer", &error, r);
        for (unsigned i = 0; r >= 0 && i < n; i++) {
                _drop_(drop_free) char *job = NULL;
                uint64_t start = io_now_monotonic_usec();

                r = run_job(bus, path, argv, ended, &job);
                if (r >= 0)
                        r = samples_add(&samples, io_now_monotonic_usec() - start);
                if (r >= 0)
                        r = samples_add(&spawns, ended->spawn_usec);
                if (r >= 0)
                        r = release(bus, job);
        }
        sd_bus_message_unref(reply);
        samples_print(&samples, "job", stdout);
        samples_print(&spawns, "spawn", stdout);
        return r;
}

/* Many calls under way at once on one connection. */
typedef struct Flight {
        unsigned n_left, n_failed;
} Flight;

static int on_landed(sd_bus_message *m, void *userdata, sd_bus_error *ret)
{
        Flight *flight = userdata;

        flight->n_left--;
        if (sd_bus_message_is_method_error(m, NULL)) {
                flight->n_failed++;
                complain("call", sd_bus_message_get_error(m), -EIO);
        }
        return 0;
}

static int land(sd_bus *bus, Flight *flight)
{
        while (flight->n_left > 0) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, CALL_USEC);
                if (r <= 0 && flight->n_left > 0)
                        return r < 0 ? r : -ETIMEDOUT;
        }
        return flight->n_failed > 0 ? -EIO : 0;
}

static int verb_parallel(sd_bus *bus, const Kind *kind, unsigned n)
{
        Flight flight = { .n_left = n };
        uint64_t start = io_now_monotonic_usec(), middle;
        char name[32];
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < n; i++) {
                sd_bus_message *m = NULL;

                (void)snprintf(name, sizeof(name), "parallel-%u", i);
                r = new_create(bus, kind, name, &m);
                if (r >= 0)
                        r = sd_bus_call_async(bus, NULL, m, on_landed, &flight, CALL_USEC);
                sd_bus_message_unref(m);
        }
        if (r >= 0)
                r = land(bus, &flight);
        middle = io_now_monotonic_usec();
        flight = (Flight){ .n_left = n };
        for (unsigned i = 0; r >= 0 && i < n; i++) {
                (void)snprintf(name, sizeof(name), "parallel-%u", i);
                r = sd_bus_call_method_async(bus, NULL, DESTINATION, MANAGER,
                                             DESTINATION ".Manager", "DestroyContainer", on_landed,
                                             &flight, "s", name);
        }
        if (r >= 0)
                r = land(bus, &flight);
        (void)printf("{\"name\":\"parallel\",\"n\":%u,\"create_usec\":%" PRIu64
                     ",\"destroy_usec\":%" PRIu64 "}\n",
                     n, middle - start, io_now_monotonic_usec() - middle);
        return r < 0 ? complain("parallel", NULL, r) : 0;
}

static int verb_command(unsigned n, unsigned gap_msec, char **argv)
{
        _drop_(samples_done) Samples samples = { 0 };
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < n; i++) {
                uint64_t start = io_now_monotonic_usec();
                int status = 0;
                pid_t pid;

                r = -posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
                if (r >= 0 && waitpid(pid, &status, 0) < 0)
                        r = -errno;
                if (r >= 0 && status != 0)
                        r = complain(argv[0], NULL, -EPROTO);
                if (r >= 0)
                        r = samples_add(&samples, io_now_monotonic_usec() - start);
                pause_msec(gap_msec);
        }
        samples_print(&samples, "command", stdout);
        return r;
}

/* GetStats of all containers. */
static int verb_stats(sd_bus *bus, uint32_t n)
{
        _drop_(samples_done) Samples samples = { 0 };
        int r = 0;

        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                sd_bus_message *reply = NULL;
                uint64_t start = io_now_monotonic_usec();

                r = sd_bus_call_method(bus, DESTINATION, MANAGER, DESTINATION ".Manager",
                                       "GetStats", &error, &reply, "as", 0);
                if (r < 0)
                        return complain("GetStats", &error, r);
                sd_bus_message_unref(reply);
                r = samples_add(&samples, io_now_monotonic_usec() - start);
        }
        samples_print(&samples, "stats", stdout);
        return r;
}

/* A limit that is another one each time. */
static int verb_limits(sd_bus *bus, const char *name, uint32_t n)
{
        _drop_(samples_done) Samples samples = { 0 };
        _drop_(drop_free) char *path = NULL;
        int r;

        r = sd_bus_path_encode(MANAGER "/container", name, &path);
        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                uint64_t start = io_now_monotonic_usec();

                r = sd_bus_call_method(bus, DESTINATION, path, DESTINATION ".Container",
                                       "SetLimits", &error, NULL, "a{sv}", 1, "MemoryMax", "t",
                                       (uint64_t)(64 + i % 2) << 20);
                if (r < 0)
                        return complain("SetLimits", &error, r);
                r = samples_add(&samples, io_now_monotonic_usec() - start);
        }
        samples_print(&samples, "limits", stdout);
        return r;
}

static int usage(void)
{
        (void)fprintf(stderr,
                      "usage: bench-bus cycle ROOT N GAP_MS [NETWORK] | jobs NAME N PROGRAM… |\n"
                      "                 parallel ROOT N [NETWORK] |\n"
                      "                 stats - N | limits NAME N |\n"
                      "                 command N GAP_MS -- PROGRAM…\n");
        return 125;
}

static int run(int argc, char **argv)
{
        _drop_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        Ended ended = { .is_seen = 0 };
        Kind kind = { .network = "none" };
        uint32_t n, gap = 0;
        int r;

        if (argc >= 5 && strcmp(argv[1], "command") == 0 && parse_u32(argv[2], &n) >= 0 &&
            parse_u32(argv[3], &gap) >= 0 && strcmp(argv[4], "--") == 0 && argc > 5)
                return verb_command(n, gap, argv + 5);
        if (argc < 4 || parse_u32(argv[3], &n) < 0)
                return -EINVAL;
        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, DESTINATION, NULL, DESTINATION ".Job", "Exited",
                                        on_exited, &ended);
        if (r < 0)
                return complain("cannot reach the system bus", NULL, r);
        kind.root = argv[2];
        if (strcmp(argv[1], "cycle") == 0 && (argc == 5 || argc == 6) &&
            parse_u32(argv[4], &gap) >= 0) {
                kind.network = argv[5] ?: kind.network;
                return verb_cycle(bus, &kind, n, gap, &ended);
        }
        if (strcmp(argv[1], "jobs") == 0 && argc > 4)
                return verb_jobs(bus, argv[2], n, argv + 4, &ended);
        if (strcmp(argv[1], "stats") == 0 && argc == 4)
                return verb_stats(bus, n);
        if (strcmp(argv[1], "limits") == 0 && argc == 4)
                return verb_limits(bus, argv[2], n);
        if (strcmp(argv[1], "parallel") == 0 && (argc == 4 || argc == 5)) {
                kind.network = argv[4] ?: kind.network;
                return verb_parallel(bus, &kind, n);
        }
        return -EINVAL;
}

int main(int argc, char **argv)
{
        int r = run(argc, argv);

        if (r == -EINVAL)
                return usage();
        return r < 0 ? 1 : 0;
}
