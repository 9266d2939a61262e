/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long it takes until all of an output has come, with the same reader for all ways that it can
 * take; one line of JSON.
 *
 *   bench-output ring NAME BYTES N        of a job in a running container, through its ring to one
 *                                         reader that Attach gives
 *   bench-output program BYTES N -- …     of a program, from a pipe: what it shows must be BYTES */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/parse.h"
#include "samples.h"

#define DESTINATION "org.warden.Warden1"
#define CONTAINER_PREFIX "/org/warden/Warden1/container"
#define CHUNK (64 << 10)

static int complain(const char *what, const sd_bus_error *error, int r)
{
        (void)fprintf(stderr, "bench-output: %s: %s\n", what,
                      error && error->message ? error->message : strerror(-r));
        return r;
}

/* Reads to the end. Returns 0; -EPROTO when that was not @bytes. */
static int drain(int fd, uint64_t bytes)
{
        static uint8_t buffer[CHUNK];
        uint64_t n_all = 0;
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                n_all += (uint64_t)n;
        if (n < 0)
                return complain("cannot read", NULL, -errno);
        return n_all == bytes ? 0 : complain("not all of the output came", NULL, -EPROTO);
}

/* A job that waits for its first reader when the ring is full, so that nothing is missed. */
static int spawn(sd_bus *bus, const char *container, const char *bytes, char **ret_job)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(bus, DESTINATION, container, DESTINATION ".Container", "SpawnJob",
                               &error, &reply, "asa{sv}", 4, "head", "-c", bytes, "/dev/zero", 1,
                               "Backpressure", "b", 1);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return complain("SpawnJob", &error, r);
        *ret_job = strdup(path);
        return *ret_job ? 0 : -ENOMEM;
}

static int attach(sd_bus *bus, const char *job, int *ret_fd)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int in_fd, out_fd, error_fd, r;

        r = sd_bus_call_method(bus, DESTINATION, job, DESTINATION ".Job", "Attach", &error, &reply,
                               "a{sv}", 1, "Stderr", "b", 0);
        if (r >= 0)
                r = sd_bus_message_read(reply, "hhh", &in_fd, &out_fd, &error_fd);
        if (r < 0)
                return complain("Attach", &error, r);
        *ret_fd = fd_dup(out_fd);
        return *ret_fd < 0 ? *ret_fd : 0;
}

static int ring_once(sd_bus *bus, const char *container, const char *text, uint64_t bytes)
{
        _drop_(drop_free) char *job = NULL;
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = spawn(bus, container, text, &job);
        if (r >= 0)
                r = attach(bus, job, &fd);
        return r < 0 ? r : drain(fd, bytes);
}

static int program_once(char **argv, uint64_t bytes)
{
        posix_spawn_file_actions_t actions;
        int pair[2], status = 0, r;
        pid_t pid;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        (void)posix_spawn_file_actions_init(&actions);
        (void)posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
        r = -posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        fd_close(pair[1]);
        if (r >= 0) {
                r = drain(pair[0], bytes);
                fd_close(pair[0]);
                if (waitpid(pid, &status, 0) < 0)
                        return -errno;
                return r >= 0 && status != 0 ? complain(argv[0], NULL, -EPROTO) : r;
        }
        fd_close(pair[0]);
        return complain(argv[0], NULL, r);
}

static int usage(void)
{
        (void)fprintf(stderr, "usage: bench-output ring NAME BYTES N | program BYTES N -- …\n");
        return 125;
}

int main(int argc, char **argv)
{
        _drop_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _drop_(samples_done) Samples samples = { 0 };
        _drop_(drop_free) char *path = NULL;
        int is_ring = argc == 5 && strcmp(argv[1], "ring") == 0, r = 0;
        uint64_t bytes;
        uint32_t n;

        if (!is_ring && (argc < 6 || strcmp(argv[1], "program") != 0 || strcmp(argv[4], "--") != 0))
                return usage();
        if (parse_u64(argv[2 + is_ring], &bytes) < 0 || parse_u32(argv[3 + is_ring], &n) < 0)
                return usage();
        if (is_ring) {
                r = sd_bus_open_system(&bus);
                if (r >= 0)
                        r = sd_bus_path_encode(CONTAINER_PREFIX, argv[2], &path);
        }
        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                uint64_t start = io_now_monotonic_usec();

                r = is_ring ? ring_once(bus, path, argv[3], bytes) : program_once(argv + 5, bytes);
                if (r >= 0)
                        r = samples_add(&samples, io_now_monotonic_usec() - start);
        }
        samples_print(&samples, "output", stdout);
        return r < 0 ? 1 : 0;
}
