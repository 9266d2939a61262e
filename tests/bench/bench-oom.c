/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long it takes from the end of a process that the kernel has killed for want of memory to the
 * signal OutOfMemory() at a client; one JSON line. The container is there, has a MemoryMax and
 * OOMPolicy=continue:
 *
 *   bench-oom CONTAINER N
 *
 * The process is a job of ours that doubles a variable of a shell; its end is its pidfd. The signal
 * often comes first, since the kernel counts before it kills: that is 0. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/parse.h"
#include "samples.h"

#define DESTINATION "org.warden.Warden1"
#define CONTAINERS "/org/warden/Warden1/container"
#define HOG "x=x; while :; do x=$x$x; done"
#define PATIENCE_USEC (60 * USEC_PER_SEC)

static int on_oom(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        uint64_t *at_usec = userdata;

        if (*at_usec == 0)
                *at_usec = io_now_monotonic_usec();
        return 0;
}

static int start_hog(sd_bus *bus, const char *path, int *ret_pidfd)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *job;
        uint32_t pid;
        int r;

        r = sd_bus_call_method(bus, DESTINATION, path, DESTINATION ".Container", "SpawnJob", &error,
                               &reply, "asa{sv}", 3, "/bin/sh", "-c", HOG, 0);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, DESTINATION, job, DESTINATION ".Job", "PID",
                                                &error, 'u', &pid);
        if (r < 0)
                (void)fprintf(stderr, "bench-oom: %s\n", error.message ? error.message : "spawn");
        sd_bus_error_free(&error);
        if (r < 0)
                return r;
        *ret_pidfd = pidfd_open((pid_t)pid, 0);
        return *ret_pidfd < 0 ? -errno : 0;
}

/* Until both have happened. */
static int wait_for_both(sd_bus *bus, int pidfd, uint64_t *signal_usec, uint64_t *ret_usec)
{
        uint64_t end_usec = 0, until_usec = io_now_monotonic_usec() + PATIENCE_USEC;

        while ((end_usec == 0 || *signal_usec == 0) && io_now_monotonic_usec() < until_usec) {
                struct pollfd p[] = {
                        { .fd = end_usec ? -1 : pidfd, .events = POLLIN },
                        { .fd = sd_bus_get_fd(bus), .events = POLLIN },
                };
                int r;

                while ((r = sd_bus_process(bus, NULL)) > 0)
                        ;
                if (r < 0)
                        return r;
                if (poll(p, ELEMENTSOF(p), *signal_usec && end_usec ? 0 : 1000) > 0 &&
                    p[0].revents && end_usec == 0)
                        end_usec = io_now_monotonic_usec();
        }
        if (end_usec == 0 || *signal_usec == 0)
                return -ETIMEDOUT;
        *ret_usec = *signal_usec > end_usec ? *signal_usec - end_usec : 0;
        return 0;
}

static int run(const char *name, uint32_t n)
{
        _drop_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _drop_(samples_done) Samples samples = { 0 };
        _drop_(drop_free) char *path = NULL;
        uint64_t signal_usec = 0, usec;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_path_encode(CONTAINERS, name, &path);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, DESTINATION, path, DESTINATION ".Container",
                                        "OutOfMemory", on_oom, &signal_usec);
        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                _drop_(drop_fd) int pidfd = -EBADF;

                signal_usec = 0;
                r = start_hog(bus, path, &pidfd);
                if (r >= 0)
                        r = wait_for_both(bus, pidfd, &signal_usec, &usec);
                if (r >= 0)
                        r = samples_add(&samples, usec);
        }
        samples_print(&samples, "oom", stdout);
        return r;
}

int main(int argc, char **argv)
{
        uint32_t n;
        int r;

        if (argc != 3 || parse_u32(argv[2], &n) < 0) {
                (void)fprintf(stderr, "usage: bench-oom CONTAINER N\n");
                return 125;
        }
        r = run(argv[1], n);
        if (r < 0)
                (void)fprintf(stderr, "bench-oom: %s\n", strerror(-r));
        return r < 0 ? 1 : 0;
}
