/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread, and one thing at a time: journald takes entries one after the other, so there is
 * nothing to win by more. While it does not take any, we wait and PID 1's rings keep what comes;
 * each job for itself, so that the flood of one costs another no more than its turn. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/macro.h"
#include "journal/follow.h"
#include "journal/server.h"
#include "wire/fd-socket.h"

#define READ_BYTES (64U << 10) /* of one stream before the others get their turn */
#define RETRY_MSEC 200

typedef struct Server Server;

/* A job and where the loop watches it. */
typedef struct Followed Followed;
struct Followed {
        Server *server;
        Followed *next, **previous;
        Follow *follow;
        sd_event_source *sources[2];
        char key[JOURNAL_KEY_SIZE];
};

struct Server {
        int fd;
        sd_event *event;
        Followed *followed;
        Entry entry;
        uint8_t buffer[READ_BYTES];
};

static void followed_free(Followed *f)
{
        *f->previous = f->next;
        if (f->next)
                f->next->previous = f->previous;
        for (int i = 0; i < 2; i++)
                sd_event_source_disable_unref(f->sources[i]);
        follow_free(f->follow);
        free(f);
}

/* wardend keeps a job that was released until it hears this. It always reads: the room of the
 * socket is not a matter of its patience. */
static void followed_finish(Followed *f)
{
        int r = fd_socket_send(f->server->fd, f->key, strlen(f->key), NULL, 0, 0);

        if (r < 0 && r != -EPIPE)
                log_warning(r, "Cannot tell that the output of a job has ended: %m");
        followed_free(f);
}

static int is_worth_retrying(int error)
{
        return error == -ECONNREFUSED || error == -ENOTCONN || error == -ECONNRESET ||
               error == -ENOBUFS || error == -ENOMEM || error == -EAGAIN || error == -EPIPE;
}

/* Whether wardend has gone while we wait for journald. */
static int wait_unless_over(int fd)
{
        struct pollfd pollfd = { .fd = fd };

        return poll(&pollfd, 1, RETRY_MSEC) > 0 ? -ECANCELED : 0;
}

static int send_entry(void *userdata, const Entry *entry)
{
        Server *server = userdata;
        int r;

        while ((r = entry_send(entry)) < 0 && is_worth_retrying(r))
                if (wait_unless_over(server->fd) < 0)
                        return -ECANCELED;
        if (r < 0)
                log_warning(r, "The journal refuses an entry, leaving it out: %m");
        return 0;
}

/* Returns 1 when it may have more to read, 0 when not now, -EBADF when the stream has ended. */
static int read_stream(Followed *f, int index)
{
        FollowStream *stream = &f->follow->streams[index];
        int r;

        if (stream->fd < 0)
                return -EBADF;
        r = follow_stream_read(stream, &f->server->entry, f->server->buffer, READ_BYTES);
        if (r == -ECANCELED) {
                (void)sd_event_exit(f->server->event, 0);
                return -EBADF;
        }
        if (r < 0)
                log_warning(r, "Cannot follow the output of a job any longer: %m");
        return stream->fd < 0 ? -EBADF : r;
}

static int on_stream(Followed *f, int index)
{
        if (read_stream(f, index) != -EBADF)
                return 0;
        /* The descriptor is closed: the source must not outlive it. */
        f->sources[index] = sd_event_source_disable_unref(f->sources[index]);
        if (follow_is_done(f->follow))
                followed_finish(f);
        return 0;
}

static int on_stdout(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        return on_stream(userdata, 0);
}

static int on_stderr(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        return on_stream(userdata, 1);
}

/* A stream without a ring is /dev/null, which no epoll takes: it is read first, and is over. */
static int watch(Followed *f, int index)
{
        const FollowStream *stream = &f->follow->streams[index];

        (void)read_stream(f, index);
        if (stream->fd < 0)
                return 0;
        return sd_event_add_io(f->server->event, &f->sources[index], stream->fd, EPOLLIN,
                               index == 0 ? on_stdout : on_stderr, f);
}

static int server_follow(Server *server, const JournalMessage *m, int *fds)
{
        Followed *f = calloc(1, sizeof(*f));
        int r;

        if (!f) {
                for (int i = 0; i < JOURNAL_MESSAGE_FDS; i++)
                        fd_close(fds[i]);
                return -ENOMEM;
        }
        journal_key_format(m->id, m->job, f->key);
        f->server = server;
        f->next = server->followed;
        f->previous = &server->followed;
        if (f->next)
                f->next->previous = &f->next;
        server->followed = f;
        r = follow_new(m, fds, send_entry, server, &f->follow);
        for (int i = 0; i < 2 && r >= 0; i++)
                r = watch(f, i);
        if (r < 0)
                followed_free(f);
        else if (follow_is_done(f->follow))
                followed_finish(f);
        return r;
}

static int receive(Server *server)
{
        uint8_t buffer[JOURNAL_MESSAGE_MAX];
        int fds[JOURNAL_MESSAGE_FDS];
        size_t n_fds = ELEMENTSOF(fds);
        JournalMessage m;
        ssize_t n;
        int r;

        n = fd_socket_receive(server->fd, buffer, sizeof(buffer), fds, &n_fds, MSG_DONTWAIT);
        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                return sd_event_exit(server->event, n < 0 ? (int)n : 0);
        r = n_fds == ELEMENTSOF(fds) ? journal_message_decode(buffer, (size_t)n, &m) : -EBADMSG;
        if (r < 0) {
                for (size_t i = 0; i < n_fds; i++)
                        fd_close(fds[i]);
                return log_error(r, "Ignoring a message that makes no sense: %m");
        }
        r = server_follow(server, &m, fds);
        if (r < 0)
                log_at(LOG_ERR, r, &((LogContext){ .container = m.name, .id = m.id, .job = m.job }),
                       "Cannot write the output of a job to the journal: %m");
        return 0;
}

static int on_socket(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        (void)receive(userdata);
        return 0;
}

int server_run(int fd)
{
        Server *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;
        server->fd = fd;
        r = sd_event_new(&server->event);
        if (r >= 0)
                r = sd_event_add_io(server->event, NULL, fd, EPOLLIN, on_socket, server);
        if (r >= 0)
                r = sd_event_loop(server->event);
        while (server->followed)
                followed_free(server->followed);
        sd_event_unref(server->event);
        free(server);
        return r;
}
