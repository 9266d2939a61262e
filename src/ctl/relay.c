/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "ctl/relay.h"

int relay_start(Relay *relay, int take_from_fd, int take_to_fd, int is_from_blocking)
{
        int r = 0;

        relay->from_fd = take_from_fd;
        relay->to_fd = take_to_fd;
        relay->buffer = malloc(RELAY_BUFFER + RELAY_ROOM);
        if (!relay->buffer)
                r = -ENOMEM;
        if (r >= 0 && !is_from_blocking)
                r = fd_set_nonblock(relay->from_fd, 1);
        if (r >= 0 && !relay->is_to_blocking)
                r = fd_set_nonblock(relay->to_fd, 1);
        if (r < 0)
                relay_done(relay);
        return r;
}

void relay_done(Relay *relay)
{
        relay->from_fd = fd_close(relay->from_fd);
        relay->to_fd = fd_close(relay->to_fd);
        relay->start = relay->end = 0;
        free(relay->buffer);
        relay->buffer = NULL;
}

int relay_is_done(const Relay *relay)
{
        return relay->to_fd < 0;
}

int relay_is_flushed(const Relay *relay)
{
        return relay->start == relay->end;
}

/* Who was to get it has gone. */
static void relay_refuse(Relay *relay)
{
        relay->is_refused = 1;
        relay_done(relay);
}

/* No more is read. What was read is still written, then the other side is closed too: that is how a
 * job sees the end of its input. */
static void end_input(Relay *relay)
{
        relay->from_fd = fd_close(relay->from_fd);
        if (relay_is_flushed(relay))
                relay_done(relay);
}

/* Returns whether that was the end. */
static int filter(Relay *relay, size_t n)
{
        int r = relay->filter ? relay->filter(relay->userdata, relay, relay->buffer, &n) : 0;

        relay->end = n;
        return r < 0;
}

static void read_some(Relay *relay)
{
        size_t room = (size_t)MIN2((uint64_t)RELAY_BUFFER, relay->left_bytes);
        ssize_t n = room > 0 ? read(relay->from_fd, relay->buffer, room) : 0;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                (void)filter(relay, 0);
                end_input(relay);
                return;
        }
        if (relay->left_bytes != UINT64_MAX)
                relay->left_bytes -= (uint64_t)n;
        relay->moved_bytes += (uint64_t)n;
        if (filter(relay, (size_t)n))
                end_input(relay);
        else if (relay->left_bytes == 0)
                relay->from_fd = fd_close(relay->from_fd);
}

static void write_some(Relay *relay)
{
        size_t size = relay->end - relay->start;
        ssize_t n;

        if (relay->is_to_blocking)
                size = MIN2(size, (size_t)PIPE_BUF);
        n = write(relay->to_fd, relay->buffer + relay->start, size);
        if (n < 0) {
                /* Nobody wants it: closing the source tells the writer so. */
                if (errno != EAGAIN && errno != EINTR)
                        relay_refuse(relay);
                return;
        }
        relay->start += (size_t)n;
        if (relay_is_flushed(relay)) {
                relay->start = relay->end = 0;
                if (relay->from_fd < 0)
                        relay_done(relay);
        }
}

void relay_prepare(const Relay *relay, struct pollfd pollfds[RELAY_POLLFDS])
{
        /* A source that has hung up is always ready: it may be polled only when it is also read. */
        pollfds[0] = (struct pollfd){ .fd = relay_is_flushed(relay) ? relay->from_fd : -1,
                                      .events = POLLIN };
        pollfds[1] = (struct pollfd){ .fd = relay->to_fd,
                                      .events = relay_is_flushed(relay) ? 0 : POLLOUT };
}

void relay_dispatch(Relay *relay, const struct pollfd pollfds[RELAY_POLLFDS])
{
        if (relay_is_done(relay))
                return;
        if (pollfds[1].fd >= 0 && (pollfds[1].revents & (POLLERR | POLLNVAL)) &&
            relay_is_flushed(relay)) {
                relay_refuse(relay);
                return;
        }
        if (pollfds[0].fd >= 0 && pollfds[0].revents && relay_is_flushed(relay))
                read_some(relay);
        /* Most of the time there is room: one poll() less for each chunk. */
        if (relay->to_fd >= 0 && !relay_is_flushed(relay) &&
            (pollfds[1].revents || !relay->is_to_blocking))
                write_some(relay);
}

void relay_finish(Relay *relay)
{
        int ready = 0;

        if (relay->from_fd < 0)
                return;
        if (ioctl(relay->from_fd, FIONREAD, &ready) < 0 || ready < 0)
                ready = 0;
        relay->left_bytes = (uint64_t)ready;
        if (ready == 0)
                end_input(relay);
}
