/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/input.h"

#define MOVE_MAX ((size_t)256 << 10) /* bytes in one turn of the loop */

int input_open(Input *input, int *ret_fd)
{
        int pair[2], r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        r = fd_set_nonblock(pair[1], 1);
        if (r < 0) {
                fd_close(pair[0]);
                fd_close(pair[1]);
                return r;
        }
        *input = (Input){ .fd = pair[1] };
        *ret_fd = pair[0];
        return 0;
}

void input_set_master(Input *input, int master_fd)
{
        *input = (Input){ .fd = master_fd, .is_tty = 1 };
}

static void input_drop_feeder(Input *input, Feeder *feeder)
{
        for (Feeder **p = &input->feeders; *p; p = &(*p)->next)
                if (*p == feeder) {
                        *p = feeder->next;
                        break;
                }
        fd_close(feeder->fd);
        *feeder = (Feeder){ .fd = -EBADF };
}

void input_done(Input *input)
{
        while (input->feeders)
                input_drop_feeder(input, input->feeders);
        if (!input->is_tty)
                fd_close(input->fd);
        *input = INPUT_INIT;
}

static Feeder *pool_acquire(FeederPool *pool)
{
        for (uint32_t i = 0; i < WSHD_FEEDERS_MAX; i++) {
                if (pool->slots[i].input)
                        continue;
                pool->n_slots = MAX2(pool->n_slots, i + 1);
                return &pool->slots[i];
        }
        return NULL;
}

int input_attach(Input *input, FeederPool *pool, int keeps_open, int *ret_fd)
{
        Feeder *feeder;
        int pair[2], r;

        if (input->fd < 0)
                return -EPIPE;
        if (input->feeders && !input->is_tty)
                return -EBUSY;
        feeder = pool_acquire(pool);
        if (!feeder)
                return -ENOSPC;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        r = fd_set_nonblock(pair[0], 1);
        if (r < 0) {
                fd_close(pair[0]);
                fd_close(pair[1]);
                return r;
        }
        *feeder = (Feeder){
                .input = input,
                .next = input->feeders,
                .fd = pair[0],
                .keeps_open = !!keeps_open,
        };
        input->feeders = feeder;
        *ret_fd = pair[1];
        return 0;
}

/* Of a pipe poll() tells unasked when its last reader is gone; of a pty's master that is the
 * output's to find out. */
int input_get_events(const Input *input)
{
        if (input->fd < 0)
                return -1;
        if (input->is_blocked && input->feeders)
                return POLLOUT;
        return input->is_tty ? -1 : 0;
}

int input_wants_feeders(const Input *input)
{
        return input->fd >= 0 && !input->is_blocked;
}

void input_on_job(Input *input, short revents)
{
        if (input->fd < 0)
                return;
        if (revents & (POLLERR | POLLNVAL | POLLHUP))
                input_done(input);
        else
                input->is_blocked = 0;
}

/* The end of what a client had to say. */
static void feeder_on_end(Feeder *feeder)
{
        Input *input = feeder->input;

        if (feeder->keeps_open || input->is_tty)
                input_drop_feeder(input, feeder);
        else
                input_done(input);
}

/* splice() says "again" for an empty feeder and for a full job alike. It had something, or poll()
 * would not have named it; and if the job is not full after all, poll() says so at once. */
void input_on_feeder(Feeder *feeder)
{
        Input *input = feeder->input;
        ssize_t n;

        if (!input || !input_wants_feeders(input))
                return;
        do
                n = splice(feeder->fd, NULL, input->fd, NULL, MOVE_MAX,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        while (n < 0 && errno == EINTR);
        if (n == 0)
                feeder_on_end(feeder);
        else if (n < 0 && errno == EAGAIN)
                input->is_blocked = 1;
        else if (n < 0)
                input_done(input);
}
