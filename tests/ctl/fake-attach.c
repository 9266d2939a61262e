/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attach of fake-wardend: what PID 1 of a container does with rings, done by a process for each
 * client, from a file in memory or from the master of a pty. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/frame.h"
#include "basic/io.h"
#include "ctl/bus.h"
#include "fake-job.h"

#define CHUNK 4000
#define MISSED 5

typedef struct Client {
        const FakeJob *job;
        int input_fd;      /* what the client writes; -EBADF */
        int output_fds[2]; /* what it reads */
        uint64_t positions[2];
        int is_until_now;
} Client;

static void send_frame(Client *client, int i, const void *data, uint32_t size, uint64_t missed)
{
        uint8_t frame[FRAME_HEADER + CHUNK] = { 0 };

        client->positions[i] += missed;
        memcpy(frame, &client->positions[i], 8); /* the tests' machines are little-endian */
        memcpy(frame + 8, &missed, 8);
        memcpy(frame + 16, &size, 4);
        memcpy(frame + FRAME_HEADER, data, size);
        if (io_write_full(client->output_fds[i], frame, FRAME_HEADER + size) < 0)
                _exit(0);
        client->positions[i] += size;
}

static void send_end(Client *client, int i)
{
        if (client->output_fds[i] < 0)
                return;
        send_frame(client, i, "", 0, 0);
        client->output_fds[i] = fd_close(client->output_fds[i]);
}

static int job_is_alive(const FakeJob *job)
{
        return kill(job->pid, 0) == 0;
}

static void pass_input(Client *client)
{
        int job_fd = client->job->master_fd >= 0 ? client->job->master_fd : client->job->input_fd;
        char buffer[CHUNK];
        ssize_t n = read(client->input_fd, buffer, sizeof(buffer));

        if (n > 0)
                (void)io_write_full(job_fd, buffer, (size_t)n);
        else
                client->input_fd = fd_close(client->input_fd);
}

static int pass_ring(Client *client, int i)
{
        char buffer[CHUNK];
        ssize_t n;

        if (client->output_fds[i] < 0)
                return 0;
        n = pread(client->job->ring_fds[i], buffer, sizeof(buffer), (off_t)client->positions[i]);
        if (n > 0)
                send_frame(client, i, buffer, (uint32_t)n, 0);
        return n > 0;
}

/* Returns 0 at the end. */
static int pass_master(Client *client)
{
        char buffer[CHUNK];
        ssize_t n = read(client->job->master_fd, buffer, sizeof(buffer));

        if (n > 0)
                send_frame(client, 0, buffer, (uint32_t)n, 0);
        return n > 0;
}

static void wait_for_input(Client *client, int timeout_msec, struct pollfd pollfds[3])
{
        pollfds[0] = (struct pollfd){ .fd = client->input_fd, .events = POLLIN };
        pollfds[1] = (struct pollfd){ .fd = client->output_fds[0] };
        pollfds[2] = (struct pollfd){ .fd = client->job->master_fd, .events = POLLIN };
        (void)poll(pollfds, 3, timeout_msec);
        if (!(pollfds[1].revents & POLLERR))
                return;
        if (pollfds[0].revents & POLLIN)
                pass_input(client); /* its last words */
        _exit(0);
}

static void relay_terminal(Client *client)
{
        struct pollfd pollfds[3];

        send_end(client, 1);
        for (;;) {
                wait_for_input(client, client->is_until_now ? 0 : -1, pollfds);
                if (pollfds[0].revents)
                        pass_input(client);
                if (pollfds[2].revents && !pass_master(client))
                        break;
                if (!pollfds[2].revents && client->is_until_now)
                        break;
        }
        send_end(client, 0);
}

static void relay_rings(Client *client)
{
        struct pollfd pollfds[3];

        /* A ring that has lost its first bytes. */
        if (strcmp(client->job->container->name, "late") == 0) {
                char byte;

                while (pread(client->job->ring_fds[0], &byte, 1, MISSED) < 1)
                        (void)usleep(1000);
                send_frame(client, 0, &byte, 1, MISSED);
        }
        for (;;) {
                int is_alive = job_is_alive(client->job), n_moved;

                n_moved = pass_ring(client, 0) + pass_ring(client, 1);
                if (n_moved == 0 && (!is_alive || client->is_until_now))
                        break;
                wait_for_input(client, n_moved > 0 ? 0 : 5, pollfds);
                if (pollfds[0].revents)
                        pass_input(client);
        }
        send_end(client, 0);
        send_end(client, 1);
}

static _noreturn_ void serve(Client *client)
{
        const FakeJob *job = client->job;
        int kept[] = { client->input_fd, client->output_fds[0], client->output_fds[1],
                       job->master_fd,   job->input_fd,         job->ring_fds[0],
                       job->ring_fds[1] };

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        for (int fd = 0; fd < 1024; fd++) {
                int is_kept = 0;

                for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                        is_kept |= kept[i] == fd;
                if (!is_kept)
                        (void)close(fd);
        }
        if (job->master_fd >= 0)
                relay_terminal(client);
        else
                relay_rings(client);
        _exit(0);
}

static int read_options(sd_bus_message *m, int *ret_has_input, int *ret_is_until_now)
{
        int r = sd_bus_message_enter_container(m, 'a', "{sv}"), is_framed = 0;

        *ret_has_input = 1;
        *ret_is_until_now = 0;
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0 && strcmp(key, "Stdin") == 0)
                        r = sd_bus_message_read(m, "v", "b", ret_has_input);
                else if (r >= 0 && strcmp(key, "UntilNow") == 0)
                        r = sd_bus_message_read(m, "v", "b", ret_is_until_now);
                else if (r >= 0 && strcmp(key, "Framed") == 0)
                        r = sd_bus_message_read(m, "v", "b", &is_framed);
                else if (r >= 0)
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : is_framed ? 0 : -EOPNOTSUPP;
}

int fake_job_attach(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int input[2], output[2], errors[2], has_input, is_until_now, r;
        FakeJob *job = userdata;

        fake_log_call(m);
        if (read_options(m, &has_input, &is_until_now) < 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("InvalidSpec"), "options");
        if (strcmp(job->container->name, "blind") == 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("LimitReached"),
                                                  "too many readers");
        if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 ||
            pipe2(errors, O_CLOEXEC) < 0)
                return -errno;
        if (fork() == 0) {
                Client client = { .job = job,
                                  .input_fd = has_input ? input[0] : -EBADF,
                                  .output_fds = { output[1], errors[1] },
                                  .is_until_now = is_until_now };

                serve(&client);
        }
        r = sd_bus_reply_method_return(m, "hhh", input[1], output[0], errors[0]);
        for (int i = 0; i < 2; i++) {
                (void)close(input[i]);
                (void)close(output[i]);
                (void)close(errors[i]);
        }
        return r;
}
