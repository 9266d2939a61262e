/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs for minutes, started and read at random, while somebody else kills wardend: every byte that
 * arrives is checked against what must stand at its position, every byte that does not arrive must
 * have been told as missed, and every status must be the right one.
 *
 *   soak-jobs run SECONDS CONTAINER PROGRAM…  PROGRAM is this program as the container sees it
 *   soak-jobs write SEED BYTES CODE           inside: the pattern to stdout, then that exit code
 *
 * Prints one line of JSON. Exit code 1 when anything was wrong. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "basic/parse.h"

#define DESTINATION "org.warden.Warden1"
#define FRAME_HEADER 24
#define READERS_MAX 4
#define AWAY_USEC (30 * USEC_PER_SEC)

/* Any byte of the stream by its position: a missing, doubled or moved one shows. */
static uint8_t pattern(uint64_t seed, uint64_t position)
{
        uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + (position >> 3);

        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        return (uint8_t)((x ^ (x >> 31)) >> (8 * (position & 7)));
}

static int write_pattern(uint64_t seed, uint64_t n_bytes, int code)
{
        uint8_t buffer[32768];

        for (uint64_t at = 0; at < n_bytes;) {
                size_t n = (size_t)MIN2(n_bytes - at, (uint64_t)sizeof(buffer));

                for (size_t i = 0; i < n; i++)
                        buffer[i] = pattern(seed, at + i);
                if (io_write_full(STDOUT_FILENO, buffer, n) < 0)
                        return 99;
                at += n;
        }
        return code;
}

typedef struct Totals {
        uint64_t jobs, bytes, missed_bytes, late_bytes, wrong, unknown, readers, vanished, stalls;
} Totals;

/* A framed reader of one job. */
typedef struct Reader {
        int fd;
        uint8_t header[FRAME_HEADER];
        size_t n_header;
        uint64_t position, left, bytes, missed;
        uint64_t stalled_until_usec, vanish_at; /* bytes; UINT64_MAX: stays */
        int is_ended, is_wrong;
        int may_miss; /* it came when others had read already: the ring may have gone on */
} Reader;

typedef struct Run {
        sd_bus *bus;
        char *container_path;
        const char *program;
        Totals totals;
        uint64_t seed, n_bytes;
        int code, has_backpressure;
        uint64_t ring_bytes;
        char job_path[256];
        Reader readers[READERS_MAX];
        size_t n_readers;
} Run;

static uint64_t below(uint64_t n)
{
        return (((uint64_t)random() << 31) ^ (uint64_t)random()) % n;
}

static uint64_t get_le(const uint8_t *p, int n)
{
        uint64_t value = 0;

        while (n-- > 0)
                value = value << 8 | p[n];
        return value;
}

static void reader_take_header(Reader *reader)
{
        uint64_t position = get_le(reader->header, 8), missed = get_le(reader->header + 8, 8);

        reader->n_header = 0;
        reader->left = get_le(reader->header + 16, 4);
        if (position != reader->position + missed)
                reader->is_wrong = 1;
        reader->missed += missed;
        reader->position = position;
        if (reader->left == 0)
                reader->is_ended = 1;
}

static void reader_take(Run *run, Reader *reader, const uint8_t *data, size_t size)
{
        while (size > 0 && !reader->is_ended) {
                size_t n;

                if (reader->left == 0) {
                        n = MIN2(size, FRAME_HEADER - reader->n_header);
                        memcpy(reader->header + reader->n_header, data, n);
                        reader->n_header += n;
                        if (reader->n_header == FRAME_HEADER)
                                reader_take_header(reader);
                } else {
                        n = (size_t)MIN2((uint64_t)size, reader->left);
                        for (size_t i = 0; i < n; i++)
                                if (data[i] != pattern(run->seed, reader->position + i))
                                        reader->is_wrong = 1;
                        reader->position += n;
                        reader->bytes += n;
                        reader->left -= n;
                }
                data += n;
                size -= n;
        }
}

/* One call, again while the daemon is away: it is killed all the time. Returns 1 with a reply; 0
 * the outcome is not known; negative: refused. */
static int call(Run *run, sd_bus_message *m, int is_repeatable, sd_bus_message **ret)
{
        uint64_t until = io_now_monotonic_usec() + AWAY_USEC;

        for (;;) {
                _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                int r;

                r = sd_bus_call(run->bus, m, AWAY_USEC, &error, ret);
                if (r >= 0)
                        return 1;
                if (!sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) &&
                    !sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN) &&
                    !sd_bus_error_has_name(&error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) &&
                    !sd_bus_error_has_name(&error, SD_BUS_ERROR_DISCONNECTED) &&
                    !(error.name && strstr(error.name, "Spawn.")) && r != -ETIMEDOUT &&
                    !(error.message && strstr(error.message, "out of reach"))) {
                        (void)fprintf(stderr, "soak-jobs: %s: %s\n", sd_bus_message_get_member(m),
                                      error.message ? error.message : strerror(-r));
                        return r;
                }
                if (!is_repeatable || io_now_monotonic_usec() > until)
                        return 0;
                (void)usleep(50000);
        }
}

static int spawn(Run *run)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        char seed[24], bytes[24], code[8];
        const char *path;
        int r;

        (void)snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
        (void)snprintf(bytes, sizeof(bytes), "%" PRIu64, run->n_bytes);
        (void)snprintf(code, sizeof(code), "%d", run->code);
        r = sd_bus_message_new_method_call(run->bus, &m, DESTINATION, run->container_path,
                                           DESTINATION ".Container", "SpawnJob");
        if (r >= 0)
                r = sd_bus_message_append(m, "asa{sv}", 5, run->program, "write", seed, bytes, code,
                                          2, "RingBytes", "t", run->ring_bytes, "Backpressure", "b",
                                          run->has_backpressure);
        if (r >= 0)
                r = call(run, m, 0, &reply);
        if (r <= 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        (void)snprintf(run->job_path, sizeof(run->job_path), "%s", path);
        return 1;
}

static int attach(Run *run, Reader *ret)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int in, out, err, r;

        r = sd_bus_message_new_method_call(run->bus, &m, DESTINATION, run->job_path,
                                           DESTINATION ".Job", "Attach");
        if (r >= 0)
                r = sd_bus_message_append(m, "a{sv}", 2, "Framed", "b", 1, "Stdin", "b", 0);
        if (r >= 0)
                r = call(run, m, 1, &reply);
        if (r <= 0)
                return r;
        r = sd_bus_message_read(reply, "hhh", &in, &out, &err);
        if (r < 0)
                return r;
        *ret = (Reader){ .fd = fd_dup(out), .vanish_at = UINT64_MAX };
        if (ret->fd < 0 || fd_set_nonblock(ret->fd, 1) < 0)
                return -EMFILE;
        run->totals.readers++;
        return 1;
}

static int call_job(Run *run, const char *member)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = sd_bus_message_new_method_call(run->bus, &m, DESTINATION, run->job_path,
                                           DESTINATION ".Job", member);
        return r < 0 ? r : call(run, m, 0, &reply);
}

static int get_property(Run *run, const char *name, const char *type, void *ret)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = sd_bus_message_new_method_call(run->bus, &m, DESTINATION, run->job_path,
                                           "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", DESTINATION ".Job", name);
        if (r >= 0)
                r = call(run, m, 1, &reply);
        if (r <= 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'v', type);
        return r < 0 ? r : sd_bus_message_read_basic(reply, type[0], ret);
}

static void complain(Run *run, const char *what, uint64_t is, uint64_t should)
{
        run->totals.wrong++;
        (void)fprintf(stderr,
                      "soak-jobs: %s: %s is %" PRIu64 ", should be %" PRIu64 " (seed %" PRIu64
                      ", %" PRIu64 " bytes, ring %" PRIu64 ", backpressure %d)\n",
                      run->job_path, what, is, should, run->seed, run->n_bytes, run->ring_bytes,
                      run->has_backpressure);
}

/* The end of a reader that stayed: what it got and what it was told it missed is all there was. */
static void reader_check(Run *run, const Reader *reader)
{
        run->totals.bytes += reader->bytes;
        run->totals.missed_bytes += reader->missed;
        if (reader->is_wrong)
                complain(run, "a reader's bytes", 1, 0);
        if (!reader->is_ended)
                complain(run, "the end of a reader's stream", 0, 1);
        if (reader->bytes + reader->missed != run->n_bytes)
                complain(run, "what a reader got and missed", reader->bytes + reader->missed,
                         run->n_bytes);
        if (run->has_backpressure && !reader->may_miss && reader->missed > 0)
                complain(run, "what was missed in spite of backpressure", reader->missed, 0);
}

/* Returns whether anything is left to read. */
static int read_some(Run *run)
{
        struct pollfd pollfds[READERS_MAX];
        uint64_t now = io_now_monotonic_usec();
        int n_open = 0, timeout = 30000;
        uint8_t buffer[65536];

        for (size_t i = 0; i < run->n_readers; i++) {
                Reader *reader = &run->readers[i];
                int is_stalled = reader->stalled_until_usec > now;

                n_open += reader->fd >= 0;
                timeout = is_stalled ? 20 : timeout;
                pollfds[i] = (struct pollfd){ .fd = is_stalled ? -1 : reader->fd,
                                              .events = POLLIN };
        }
        if (n_open == 0 || poll(pollfds, run->n_readers, timeout) < 0)
                return n_open > 0;
        for (size_t i = 0; i < run->n_readers; i++) {
                Reader *reader = &run->readers[i];
                ssize_t n;

                if (!pollfds[i].revents)
                        continue;
                n = read(reader->fd, buffer, sizeof(buffer));
                if (n < 0)
                        continue;
                reader_take(run, reader, buffer, (size_t)n);
                if (reader->bytes >= reader->vanish_at) {
                        run->totals.vanished++;
                        reader->fd = fd_close(reader->fd);
                } else if (n == 0) {
                        reader->fd = fd_close(reader->fd);
                        reader_check(run, reader);
                } else if (below(200) == 0) {
                        run->totals.stalls++;
                        reader->stalled_until_usec = now + below(300000);
                }
        }
        return 1;
}

static int check_end(Run *run)
{
        uint64_t bytes = 0;
        int32_t code = -1;
        Reader late;
        int r;

        for (int i = 0; i < 600 && code < 0; i++) {
                if (get_property(run, "ExitCode", "i", &code) < 0)
                        return -EIO;
                if (code < 0)
                        (void)usleep(50000);
        }
        if (code != run->code)
                complain(run, "the exit code", (uint64_t)code, (uint64_t)run->code);
        /* With backpressure some of it may still have been in the pipe when the job ended. */
        if (get_property(run, "StdoutBytes", "t", &bytes) > 0 &&
            (bytes > run->n_bytes || (!run->has_backpressure && bytes != run->n_bytes)))
                complain(run, "StdoutBytes", bytes, run->n_bytes);
        if (attach(run, &late) > 0) { /* one who comes late gets the ring */
                late.may_miss = 1;
                run->readers[0] = late;
                run->n_readers = 1;
                while (read_some(run)) {
                }
                run->totals.late_bytes += run->readers[0].bytes;
                if (!run->has_backpressure &&
                    run->readers[0].bytes < MIN2(run->n_bytes, run->ring_bytes) / 2)
                        complain(run, "what a late reader got", run->readers[0].bytes,
                                 run->ring_bytes);
        }
        r = call_job(run, "Release");
        run->totals.unknown += r == 0;
        return r < 0 ? -EIO : 0;
}

static int one_job(Run *run)
{
        size_t wanted = 1 + (size_t)below(READERS_MAX);
        int r;

        run->seed = below(1000000);
        run->n_bytes = below(4) ? below(3 << 20) : below(64 << 20);
        run->code = (int)below(120);
        run->has_backpressure = below(2) == 0;
        run->ring_bytes = UINT64_C(65536) << below(6);
        r = spawn(run);
        if (r <= 0) {
                run->totals.unknown += r == 0;
                return r;
        }
        run->n_readers = 0;
        while (run->n_readers < wanted) {
                Reader *reader = &run->readers[run->n_readers];

                r = attach(run, reader);
                if (r <= 0)
                        break;
                run->n_readers++;
                /* The first one stays. It comes late by now, and with backpressure has missed
                 * nothing all the same. */
                if (run->n_readers > 1 && below(3) == 0)
                        reader->vanish_at = 1 + below(run->n_bytes + 1);
                reader->may_miss = run->n_readers > 1;
        }
        if (run->n_readers == 0) {
                complain(run, "attached readers", 0, wanted);
                return -EIO;
        }
        while (read_some(run)) {
        }
        run->totals.jobs++;
        return check_end(run);
}

static int soak(uint64_t seconds, const char *container, const char *program)
{
        uint64_t until = io_now_monotonic_usec() + seconds * USEC_PER_SEC;
        Run run = { .program = program };
        const Totals *t = &run.totals;
        int r;

        srandom((unsigned)(io_now_realtime_usec() ^ (uint64_t)getpid()));
        r = sd_bus_open_system(&run.bus);
        if (r >= 0)
                r = sd_bus_path_encode("/org/warden/Warden1/container", container,
                                       &run.container_path);
        if (r < 0) {
                (void)fprintf(stderr, "soak-jobs: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        while (io_now_monotonic_usec() < until && run.totals.wrong < 20)
                if (one_job(&run) < 0)
                        run.totals.wrong++;
        printf("{\"jobs\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"missed\":%" PRIu64
               ",\"late\":%" PRIu64 ",\"readers\":%" PRIu64 ",\"vanished\":%" PRIu64
               ",\"stalls\":%" PRIu64 ",\"unknown\":%" PRIu64 ",\"wrong\":%" PRIu64 "}\n",
               t->jobs, t->bytes, t->missed_bytes, t->late_bytes, t->readers, t->vanished,
               t->stalls, t->unknown, t->wrong);
        free(run.container_path);
        sd_bus_flush_close_unref(run.bus);
        return run.totals.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        uint64_t a, b, c;

        if (argc == 5 && strcmp(argv[1], "write") == 0 && parse_u64(argv[2], &a) >= 0 &&
            parse_u64(argv[3], &b) >= 0 && parse_u64(argv[4], &c) >= 0)
                return write_pattern(a, b, (int)c);
        if (argc == 5 && strcmp(argv[1], "run") == 0 && parse_u64(argv[2], &a) >= 0)
                return soak(a, argv[3], argv[4]);
        (void)fprintf(stderr, "usage: soak-jobs run SECONDS CONTAINER PROGRAM\n"
                              "       soak-jobs write SEED BYTES CODE\n");
        return EXIT_FAILURE;
}
