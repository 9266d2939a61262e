/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "journal/follow.h"

DEFINE_DROP(Follow, follow, follow_free);

static const int default_priorities[] = { LOG_INFO, LOG_ERR };

static int map_state(int fd, JournalState **ret)
{
        uint8_t data[sizeof(JournalState) + 1];
        JournalState state;
        struct stat st;
        ssize_t n;
        void *p;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        n = pread(fd, data, sizeof(data), 0);
        if (n < 0)
                return -errno;
        r = journal_state_check(data, (size_t)n, &state);
        if (r < 0)
                return r;
        if (n == 0 && ftruncate(fd, (off_t)sizeof(state)) < 0)
                return -errno;
        p = mmap(NULL, sizeof(state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        **ret = state;
        return 0;
}

int follow_new(const JournalMessage *m, const int *take_fds, FollowSend send, void *userdata,
               Follow **ret)
{
        _drop_(drop_follow) Follow *follow = calloc(1, sizeof(*follow));
        _drop_(drop_fd) int state_fd = take_fds[2];
        int r;

        if (!follow) {
                fd_close(take_fds[0]);
                fd_close(take_fds[1]);
                return -ENOMEM;
        }
        follow->send = send;
        follow->userdata = userdata;
        for (int i = 0; i < 2; i++)
                follow->streams[i] = (FollowStream){ .follow = follow,
                                                     .index = i,
                                                     .fd = take_fds[i] };
        r = entry_head_init(&follow->head, m);
        if (r >= 0)
                r = map_state(state_fd, &follow->state);
        for (int i = 0; i < 2 && r >= 0; i++) {
                FollowStream *stream = &follow->streams[i];
                const JournalPlace *place = &follow->state->places[i];

                line_splitter_init(&stream->lines, place, default_priorities[i], m->is_tty);
                if (place->is_ended)
                        stream->fd = fd_close(stream->fd);
                else
                        r = fd_set_nonblock(stream->fd, 1);
        }
        if (r < 0)
                return r;
        *ret = take_ptr(follow);
        return 0;
}

Follow *follow_free(Follow *follow)
{
        if (!follow)
                return NULL;
        for (int i = 0; i < 2; i++) {
                fd_close(follow->streams[i].fd);
                line_splitter_done(&follow->streams[i].lines);
        }
        if (follow->state)
                (void)munmap(follow->state, sizeof(*follow->state));
        entry_head_done(&follow->head);
        free(follow);
        return NULL;
}

int follow_is_done(const Follow *follow)
{
        return follow->streams[0].fd < 0 && follow->streams[1].fd < 0;
}

/* Kept only now that it is sent. */
static void save_place(FollowStream *stream, const JournalPlace *place)
{
        stream->follow->state->places[stream->index] = *place;
}

static int send_line(FollowStream *stream, Entry *entry, const Line *line)
{
        int r;

        entry_make_line(entry, &stream->follow->head, stream->index, line);
        r = stream->follow->send(stream->follow->userdata, entry);
        if (r >= 0)
                save_place(stream, &line->place);
        return r;
}

/* The stream goes on at @position. */
static int skip_to(FollowStream *stream, Entry *entry, uint64_t position)
{
        uint64_t expected = line_next_position(&stream->lines);
        Line line;
        int r;

        r = line_flush(&stream->lines, 1, &line);
        if (r > 0)
                r = send_line(stream, entry, &line);
        if (r < 0)
                return r;
        entry_make_gap(entry, &stream->follow->head, stream->index, expected, position - expected);
        r = stream->follow->send(stream->follow->userdata, entry);
        if (r < 0)
                return r;
        line_skip(&stream->lines, position);
        save_place(stream, &stream->lines.place);
        return 0;
}

/* What an earlier life of ours has sent comes again when the reader starts before it: left out. */
static int take_data(FollowStream *stream, Entry *entry, FramePiece piece)
{
        uint64_t expected = line_next_position(&stream->lines);
        int r;

        if (piece.position < expected) {
                size_t n = (size_t)MIN2(expected - piece.position, (uint64_t)piece.size);

                piece.data += n;
                piece.size -= n;
        } else if (piece.position > expected) {
                r = skip_to(stream, entry, piece.position);
                if (r < 0)
                        return r;
        }
        for (;;) {
                Line line;

                r = line_next(&stream->lines, &piece.data, &piece.size, &line);
                if (r > 0)
                        r = send_line(stream, entry, &line);
                else if (r == 0 && piece.size == 0)
                        return 0;
                if (r < 0)
                        return r;
        }
}

static int finish(FollowStream *stream, Entry *entry, uint64_t position)
{
        uint64_t expected = line_next_position(&stream->lines);
        Line line;
        int r = 0;

        if (position > expected)
                r = skip_to(stream, entry, position);
        if (r >= 0)
                r = line_flush(&stream->lines, 0, &line);
        if (r > 0)
                r = send_line(stream, entry, &line);
        if (r < 0)
                return r;
        stream->follow->state->places[stream->index].is_ended = 1;
        line_splitter_done(&stream->lines);
        stream->fd = fd_close(stream->fd);
        return 0;
}

static int take_bytes(FollowStream *stream, Entry *entry, const uint8_t *data, size_t size)
{
        FramePiece piece;
        int r;

        while ((r = frame_next(&stream->frames, &data, &size, &piece)) > 0) {
                if (piece.type == FRAME_END)
                        return finish(stream, entry, piece.position);
                r = take_data(stream, entry, piece);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 1;
}

int follow_stream_read(FollowStream *stream, Entry *entry, uint8_t *buffer, size_t room)
{
        ssize_t n = read(stream->fd, buffer, room);
        int r;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0)
                r = take_bytes(stream, entry, buffer, (size_t)n);
        else
                /* No frame has said that it is the end: PID 1 is gone, and nothing will come. */
                r = finish(stream, entry, line_next_position(&stream->lines));
        if (r < 0)
                stream->fd = fd_close(stream->fd);
        return r;
}
