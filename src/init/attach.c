/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/attach.h"

/* A request while it is being done. What goes wrong later gives the client's ends back, and by that
 * our own ends are found to have nobody at the other side: there is no second way to undo it. */
typedef struct Attach {
        Server *server;
        const WshdMessage *message;
        uint32_t granted;
        int fds[CLIENT_REPLY_FDS];
        int n_fds;
} Attach;

static void attach_grant(Attach *attach, uint32_t flag, int take_fd)
{
        attach->granted |= flag;
        attach->fds[attach->n_fds++] = take_fd;
}

static int attach_input(Attach *attach, Input *input)
{
        uint32_t flags = attach->message->flags;
        int fd, r;

        if (!(flags & WSHD_STDIN_FD))
                return 0;
        r = input_attach(input, &attach->server->feeders, !!(flags & WSHD_KEEP_STDIN), &fd);
        if (r == -EPIPE || (r == -EBUSY && flags & WSHD_STDIN_IF_FREE))
                return 0;
        if (r < 0)
                return r;
        attach_grant(attach, WSHD_STDIN_FD, fd);
        return 0;
}

static int attach_stream(Attach *attach, Stream *stream, uint32_t flag, uint64_t position)
{
        uint32_t flags = attach->message->flags;
        int fd, r;

        if (!(flags & flag) || !stream_exists(stream))
                return 0;
        if (flags & WSHD_FROM_NOW)
                position = UINT64_MAX;
        r = stream_attach(stream, &attach->server->readers, position, !!(flags & WSHD_FRAMED),
                          !!(flags & WSHD_UNTIL_NOW), &fd);
        if (r < 0)
                return r;
        attach_grant(attach, flag, fd);
        return 0;
}

int attach_job(Server *server, Job *job, const WshdMessage *m, uint32_t *ret_flags, int *ret_fds)
{
        Attach attach = { .server = server, .message = m };
        int r;

        if (m->flags & ~ATTACH_FLAGS || !(m->flags & ATTACH_STREAMS))
                return -EINVAL;
        if (m->flags & WSHD_FROM_NOW && m->flags & WSHD_UNTIL_NOW)
                return -EINVAL;
        if (job->state != JOB_RUNNING && job->state != JOB_ENDED)
                return -EAGAIN;
        r = attach_input(&attach, &job->input);
        if (r >= 0)
                r = attach_stream(&attach, &job->streams[0], WSHD_STDOUT_FD, m->stdout_position);
        if (r >= 0)
                r = attach_stream(&attach, &job->streams[1], WSHD_STDERR_FD, m->stderr_position);
        if (r < 0) {
                while (attach.n_fds > 0)
                        fd_close(attach.fds[--attach.n_fds]);
                return r;
        }
        for (int i = 0; i < attach.n_fds; i++)
                ret_fds[i] = attach.fds[i];
        *ret_flags = attach.granted;
        return attach.n_fds;
}
