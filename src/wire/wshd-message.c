/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled twice: against glibc for the daemon and wsh, and against musl for wshd. Nothing here
 * allocates, and nothing is taken from beyond POSIX and Linux sockets. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/little-endian.h"
#include "wire/fd-socket.h"
#include "wire/wshd-message.h"

/* Tags are the format: a number is never used for another meaning. */
enum {
        TAG_FLAGS = 1,
        TAG_JOB,
        TAG_PID,
        TAG_ERROR,
        TAG_STAGE,
        TAG_SIGNAL,
        TAG_CODE,
        TAG_ROWS,
        TAG_COLUMNS,
        TAG_USEC,
        TAG_START_USEC,
        TAG_END_USEC,
        TAG_SPEC,
        TAG_RING_BYTES,
        TAG_STDOUT_POSITION,
        TAG_STDERR_POSITION,
        TAG_STDOUT_BYTES,
        TAG_STDERR_BYTES,
        TAG_RINGS_MAX,
        _TAG_MAX,
};

const char *wshd_stage_to_string(uint32_t stage)
{
        static const char *const table[_WSHD_STAGE_MAX] = {
                [WSHD_STAGE_NONE] = "none",
                [WSHD_STAGE_REQUEST] = "request",
                [WSHD_STAGE_FORK] = "fork",
                [WSHD_STAGE_SPEC] = "spec",
                [WSHD_STAGE_STDIO] = "stdio",
                [WSHD_STAGE_TTY] = "tty",
                [WSHD_STAGE_RLIMIT] = "rlimit",
                [WSHD_STAGE_USER] = "user",
                [WSHD_STAGE_CREDENTIALS] = "credentials",
                [WSHD_STAGE_DIRECTORY] = "directory",
                [WSHD_STAGE_EXEC] = "exec",
                [WSHD_STAGE_RING] = "ring",
        };

        return stage < _WSHD_STAGE_MAX ? table[stage] : "unknown";
}

static void put_unless_zero(WireWriter *w, uint16_t tag, uint64_t value)
{
        if (value > 0)
                wire_put_u64(w, tag, value);
}

int wshd_message_encode(const WshdMessage *m, uint8_t *buffer, size_t room)
{
        WireWriter w;

        if (m->type == 0 || m->type > UINT16_MAX)
                return -EINVAL;
        room = MIN2(room, (size_t)WSHD_MESSAGE_MAX);
        if (room < WSHD_HEADER)
                return -EMSGSIZE;

        w = WIRE_WRITER_FIXED(buffer + WSHD_HEADER, room - WSHD_HEADER);
        put_unless_zero(&w, TAG_FLAGS, m->flags);
        put_unless_zero(&w, TAG_JOB, m->job);
        put_unless_zero(&w, TAG_PID, m->pid);
        put_unless_zero(&w, TAG_ERROR, m->error);
        put_unless_zero(&w, TAG_STAGE, m->stage);
        put_unless_zero(&w, TAG_SIGNAL, m->signal);
        put_unless_zero(&w, TAG_CODE, m->code);
        put_unless_zero(&w, TAG_ROWS, m->rows);
        put_unless_zero(&w, TAG_COLUMNS, m->columns);
        put_unless_zero(&w, TAG_USEC, m->usec);
        put_unless_zero(&w, TAG_START_USEC, m->start_usec);
        put_unless_zero(&w, TAG_END_USEC, m->end_usec);
        put_unless_zero(&w, TAG_RING_BYTES, m->ring_bytes);
        put_unless_zero(&w, TAG_STDOUT_POSITION, m->stdout_position);
        put_unless_zero(&w, TAG_STDERR_POSITION, m->stderr_position);
        put_unless_zero(&w, TAG_STDOUT_BYTES, m->stdout_bytes);
        put_unless_zero(&w, TAG_STDERR_BYTES, m->stderr_bytes);
        put_unless_zero(&w, TAG_RINGS_MAX, m->rings_max);
        if (m->spec_size > 0)
                wire_put_bytes(&w, TAG_SPEC, m->spec, m->spec_size);
        if (w.error < 0)
                return w.error;

        buffer[0] = 'w';
        buffer[1] = WSHD_VERSION;
        le_store(buffer + 2, m->type, 2);
        le_store(buffer + 4, m->sequence, 4);
        le_store(buffer + 8, (uint32_t)w.size, 4);
        return (int)(WSHD_HEADER + w.size);
}

static int message_decode_number(WshdMessage *m, const WireField *f)
{
        switch (f->tag) {
        case TAG_FLAGS:
                return wire_get_u32(f, &m->flags);
        case TAG_JOB:
                return wire_get_u32(f, &m->job);
        case TAG_PID:
                return wire_get_u32(f, &m->pid);
        case TAG_ERROR:
                return wire_get_u32(f, &m->error);
        case TAG_STAGE:
                return wire_get_u32(f, &m->stage);
        case TAG_SIGNAL:
                return wire_get_u32(f, &m->signal);
        case TAG_CODE:
                return wire_get_u32(f, &m->code);
        case TAG_ROWS:
                return wire_get_u32(f, &m->rows);
        case TAG_COLUMNS:
                return wire_get_u32(f, &m->columns);
        case TAG_USEC:
                return wire_get_u64(f, &m->usec);
        case TAG_START_USEC:
                return wire_get_u64(f, &m->start_usec);
        case TAG_END_USEC:
                return wire_get_u64(f, &m->end_usec);
        case TAG_RING_BYTES:
                return wire_get_u64(f, &m->ring_bytes);
        case TAG_STDOUT_POSITION:
                return wire_get_u64(f, &m->stdout_position);
        case TAG_STDERR_POSITION:
                return wire_get_u64(f, &m->stderr_position);
        case TAG_STDOUT_BYTES:
                return wire_get_u64(f, &m->stdout_bytes);
        case TAG_STDERR_BYTES:
                return wire_get_u64(f, &m->stderr_bytes);
        case TAG_RINGS_MAX:
                return wire_get_u64(f, &m->rings_max);
        }
        return 0;
}

static int message_decode_fields(WshdMessage *m, const uint8_t *data, size_t size)
{
        WireReader reader = WIRE_READER(data, size);
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                if (f.tag == 0 || f.tag >= _TAG_MAX)
                        continue; /* of a newer peer */
                r = wire_once(&seen, f.tag);
                if (r < 0)
                        return r;
                if (f.tag == TAG_SPEC) {
                        m->spec = f.data;
                        m->spec_size = f.size;
                        continue;
                }
                r = message_decode_number(m, &f);
                if (r < 0)
                        return r;
        }
        return r;
}

int wshd_message_decode(const uint8_t *buffer, size_t size, WshdMessage *ret)
{
        WshdMessage m = { 0 };
        int r;

        if (size < WSHD_HEADER || size > WSHD_MESSAGE_MAX || buffer[0] != 'w')
                return -EBADMSG;
        m.type = (uint32_t)le_load(buffer + 2, 2);
        m.sequence = (uint32_t)le_load(buffer + 4, 4);
        if (buffer[1] != WSHD_VERSION) {
                *ret = m;
                return -EPROTONOSUPPORT;
        }
        if (m.type == 0 || le_load(buffer + 8, 4) != size - WSHD_HEADER)
                return -EBADMSG;
        r = message_decode_fields(&m, buffer + WSHD_HEADER, size - WSHD_HEADER);
        if (r < 0)
                return r;

        *ret = m;
        return 0;
}

int wshd_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds)
{
        if (n_fds > WSHD_FDS_MAX)
                return -EINVAL;
        return fd_socket_send(fd, data, size, fds, n_fds, MSG_DONTWAIT);
}

int wshd_receive(int fd, void *buffer, size_t room, int *fds, size_t *n_fds)
{
        /* An empty datagram counts as the end, too: no message of ours is empty. */
        return (int)fd_socket_receive(fd, buffer, room, fds, n_fds, MSG_DONTWAIT);
}
