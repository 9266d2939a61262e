/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "ctl/streams.h"
#include "ctl/terminal.h"

#define ESCAPE_BYTE 0x1d /* ^], as in telnet, machinectl and virsh */
#define ESCAPE_TIMES 3
#define END_OF_FILE_BYTE 0x04 /* ^D, where nobody has changed it */
#define ESCAPE_WITHIN_USEC USEC_PER_SEC

/* A pipe between a terminal of ours and the job. @fd is 0, 1 or 2. */
static int relay_terminal(Streams *streams, int fd)
{
        _drop_(drop_fd) int terminal_fd = -EBADF, ours = -EBADF;
        Relay *relay = &streams->relays[fd];
        int is_input = fd == STDIN_FILENO, is_blocking = 0, fds[2], r;

        terminal_fd = terminal_reopen(fd, is_input ? O_RDONLY : O_WRONLY, &is_blocking);
        if (terminal_fd < 0)
                return terminal_fd;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        streams->job_fds[fd] = fds[is_input ? 0 : 1];
        ours = fds[is_input ? 1 : 0];
        if (is_input) {
                r = relay_start(relay, take_fd(&terminal_fd), take_fd(&ours), is_blocking);
        } else {
                relay->is_to_blocking = is_blocking;
                r = relay_start(relay, take_fd(&ours), take_fd(&terminal_fd), 0);
        }
        return r;
}

int streams_init(Streams *streams, const JobOptions *options, Fault *fault)
{
        *streams = STREAMS_INIT;
        streams->is_tty = options->spec->is_tty;
        streams->detach_keys = options->detach_keys;
        if (options->is_detached || streams->is_tty)
                return 0;
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                int r = 0;

                if (!isatty(fd))
                        streams->job_fds[fd] = fd;
                else if (fd != STDIN_FILENO || options->is_interactive)
                        r = relay_terminal(streams, fd);
                if (r < 0) {
                        streams_done(streams);
                        return fault_set(fault, FAULT_FAILED, r,
                                         "Cannot make a pipe to the terminal: %m");
                }
        }
        return 0;
}

void streams_close_job_fds(Streams *streams)
{
        for (int i = 0; i < 3; i++) {
                if (streams->job_fds[i] > STDERR_FILENO)
                        (void)fd_close(streams->job_fds[i]);
                streams->job_fds[i] = -EBADF;
        }
}

/* Counts the bytes that ask to leave; everything else goes on untouched. */
static int see_escape(Streams *streams, const uint8_t *data, size_t *size)
{
        uint64_t now = io_now_monotonic_usec();

        for (size_t i = 0; i < *size; i++) {
                if (data[i] != ESCAPE_BYTE) {
                        streams->escape_count = 0;
                        continue;
                }
                if (streams->escape_count == 0 || now - streams->escape_usec > ESCAPE_WITHIN_USEC) {
                        streams->escape_count = 0;
                        streams->escape_usec = now;
                }
                if (++streams->escape_count == ESCAPE_TIMES) {
                        streams->is_escape_typed = 1;
                        *size = 0;
                        return -ECANCELED;
                }
        }
        return 0;
}

/* A pty has no end of file; what its line discipline takes for one is a character, which must come
 * twice when a line is open: the first only ends the line. A program that has set its terminal to
 * something else than lines reads it as a key. */
static void push_end_of_file(const Streams *streams, uint8_t *data, size_t *size)
{
        data[0] = data[1] = END_OF_FILE_BYTE;
        *size = streams->was_line_open ? 2 : 1;
}

static int filter_input(void *userdata, Relay *relay, uint8_t *data, size_t *size)
{
        Streams *streams = userdata;

        if (*size == 0) {
                if (streams->is_tty && !streams->is_raw)
                        push_end_of_file(streams, data, size);
                return 0;
        }
        streams->was_line_open = data[*size - 1] != '\n';
        if (!streams->is_raw)
                return 0;
        if (detach_keys_filter(&streams->detach_keys, data, size)) {
                streams->is_detach_typed = 1;
                return -ECANCELED;
        }
        return see_escape(streams, data, size);
}

static int filter_output(void *userdata, Relay *relay, uint8_t *data, size_t *size)
{
        return *size > 0 ? frames_filter(userdata, data, size) : 0;
}

/* A descriptor of ours for a relay. Only that of a terminal is opened anew: another program that
 * shares a pipe or a file with us does not expect it to be non-blocking either, but there poll()
 * and small writes do. */
static int open_ours(int fd, int flags, int *ret_is_blocking)
{
        if (isatty(fd))
                return terminal_reopen(fd, flags, ret_is_blocking);
        *ret_is_blocking = 1;
        return fd_dup(fd);
}

static int start_input(Streams *streams, int job_fd)
{
        Relay *relay = &streams->relays[STDIN_FILENO];
        int fd, is_blocking;

        fd = open_ours(STDIN_FILENO, O_RDONLY, &is_blocking);
        if (fd < 0)
                return fd;
        relay->filter = filter_input;
        relay->userdata = streams;
        return relay_start(relay, fd, fd_dup(job_fd), is_blocking);
}

static int start_output(Streams *streams, int fd, int job_fd)
{
        Relay *relay = &streams->relays[fd];
        int our_fd, is_blocking;

        our_fd = open_ours(fd, O_WRONLY, &is_blocking);
        if (our_fd < 0)
                return our_fd;
        relay->filter = filter_output;
        relay->userdata = &streams->frames[fd];
        relay->is_to_blocking = is_blocking;
        return relay_start(relay, fd_dup(job_fd), our_fd, 0);
}

int streams_attach(Streams *streams, const int fds[3], int has_input, Fault *fault)
{
        int r = 0;

        if (has_input)
                r = start_input(streams, fds[STDIN_FILENO]);
        if (r >= 0)
                r = start_output(streams, STDOUT_FILENO, fds[STDOUT_FILENO]);
        if (r >= 0)
                r = start_output(streams, STDERR_FILENO, fds[STDERR_FILENO]);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot relay the job's streams: %m");
        if (has_input && streams->is_tty && isatty(STDIN_FILENO)) {
                r = terminal_make_raw(STDIN_FILENO);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "Cannot set the terminal: %m");
                streams->is_raw = 1;
        }
        return 0;
}

int streams_is_behind(const Streams *streams, uint64_t stdout_bytes, uint64_t stderr_bytes)
{
        return (!relay_is_done(&streams->relays[STDOUT_FILENO]) &&
                streams->frames[STDOUT_FILENO].position < stdout_bytes) ||
               (!relay_is_done(&streams->relays[STDERR_FILENO]) &&
                streams->frames[STDERR_FILENO].position < stderr_bytes);
}

uint64_t streams_missed_bytes(const Streams *streams)
{
        return streams->frames[STDOUT_FILENO].missed_bytes +
               streams->frames[STDERR_FILENO].missed_bytes;
}

/* What an attached job has written is still on its way through PID 1, and comes to an end of its
 * own, or is waited for by whoever calls this. */
void streams_finish(Streams *streams)
{
        relay_done(&streams->relays[STDIN_FILENO]);
        for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
                if (!streams->relays[fd].filter)
                        relay_finish(&streams->relays[fd]);
}

int streams_is_drained(const Streams *streams)
{
        return relay_is_done(&streams->relays[STDOUT_FILENO]) &&
               relay_is_done(&streams->relays[STDERR_FILENO]);
}

uint64_t streams_moved_bytes(const Streams *streams)
{
        return streams->relays[STDOUT_FILENO].moved_bytes +
               streams->relays[STDERR_FILENO].moved_bytes;
}

int streams_is_flushed(const Streams *streams)
{
        return relay_is_flushed(&streams->relays[STDOUT_FILENO]) &&
               relay_is_flushed(&streams->relays[STDERR_FILENO]);
}

void streams_done(Streams *streams)
{
        streams_close_job_fds(streams);
        for (int i = 0; i < 3; i++)
                relay_done(&streams->relays[i]);
        terminal_restore();
        streams->is_raw = 0;
}
