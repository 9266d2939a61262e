/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/codec.h"

/* What wshd and its clients say to each other over a SOCK_SEQPACKET socket; doc/protocol-wshd.md
 * has it in prose. One datagram is one message: a header of 12 bytes, then fields of codec.h.
 *
 *     u8 'w' | u8 version | u16 type | u32 sequence | u32 size of the fields
 *
 * A reply carries the sequence number of its request; what wshd says unasked carries 0. One
 * structure serves all types, and what a type does not use is left at its default. */

#define WSHD_VERSION 1
#define WSHD_MESSAGE_MAX 4096 /* bytes, header included: one page, so that PID 1 stays small */
#define WSHD_HEADER 12
#define WSHD_FDS_MAX 4
#define WSHD_JOBS_MAX 4096 /* running and ended-but-not-released together */
#define WSHD_CLIENTS_MAX 16
#define WSHD_OWN_JOBS 0x80000000U         /* ids from here on are not the daemon's */
#define WSHD_RING_MAX (UINT64_C(1) << 30) /* bytes of one ring */
#define WSHD_READERS_MAX 1024             /* attached to all outputs together */
#define WSHD_FEEDERS_MAX 256              /* attached to all inputs together */
#define WSHD_JOB_SPEC_MAX (2U << 20) /* bytes of an encoded JobSpec, when it travels as a memfd */

typedef enum WshdType {
        /* requests */
        WSHD_HELLO = 1, /* first message of a connection; flags WSHD_SUBSCRIBE. Replies: WSHD_READY,
                         * then one WSHD_JOB for each job that it holds, then WSHD_JOBS_END */
        WSHD_SPAWN,     /* job, flags, rows, columns, ring_bytes, the spec (inline, or the last fd:
                     * WSHD_SPEC_FD), then fds in the order stdin stdout stderr as flags tell. With
                     * job 0 wshd chooses one of WSHD_OWN_JOBS, which only this connection hears of
                     * and which goes with it. Reply: WSHD_SPAWNED or WSHD_FAILED */
        WSHD_KILL,      /* signal to the main process of `job`. Reply: WSHD_OK or WSHD_FAILED */
        WSHD_KILL_ALL,  /* signal to every process but PID 1. Reply: WSHD_OK or WSHD_FAILED */
        WSHD_RESIZE,    /* job, rows, columns of its pty. Reply: WSHD_OK or WSHD_FAILED */
        WSHD_ATTACH,  /* job, flags, stdout_position, stderr_position. Reply: WSHD_OK with flags for
                      * what was granted of WSHD_STDIN_FD, WSHD_STDOUT_FD, WSHD_STDERR_FD and the
                      * client's ends of as many pipes in that order, or WSHD_FAILED: EBUSY somebody
                      * else has the stdin */
        WSHD_RELEASE, /* forget an ended job. Reply: WSHD_OK or WSHD_FAILED */
        WSHD_STOP,    /* end: TERM to all, `usec` later KILL, then PID 1 exits. Reply: WSHD_OK */
        /* replies and events */
        WSHD_READY = 64, /* wshd's version is in the header */
        WSHD_OK,
        WSHD_FAILED,  /* error (errno, positive), stage */
        WSHD_SPAWNED, /* job, pid; fd: the job's pidfd */
        WSHD_JOB,     /* job, pid, start_usec, stdout_bytes, stderr_bytes, and, ended, code, signal,
                       * end_usec; fd: pidfd while running */
        WSHD_JOBS_END,
        WSHD_EXITED, /* job, flags, code, signal, end_usec, stdout_bytes, stderr_bytes: unasked, to
                      * subscribers */
        WSHD_OUTPUT, /* job, stdout_bytes, stderr_bytes: unasked, after WSHD_EXITED of a job whose
                      * output was open then, when the last writer is gone */
        _WSHD_TYPE_MAX,
} WshdType;

/* flags */
#define WSHD_SUBSCRIBE (1U << 0) /* HELLO: send WSHD_EXITED for every job */
#define WSHD_TTY (1U << 1)       /* SPAWN: a pty from the container's own devpts */
#define WSHD_STDIN_FD (1U << 2)  /* SPAWN: which fds come along. ATTACH: which are wanted */
#define WSHD_STDOUT_FD (1U << 3)
#define WSHD_STDERR_FD (1U << 4)
#define WSHD_SPEC_FD (1U << 5)        /* SPAWN: the spec is in a sealed memfd, the last fd */
#define WSHD_PRIVILEGED (1U << 6)     /* SPAWN: without no_new_privs */
#define WSHD_JOB_ENDED (1U << 7)      /* JOB: code and signal are valid */
#define WSHD_CORE (1U << 8)           /* EXITED, JOB: it dumped core */
#define WSHD_BACKPRESSURE (1U << 9)   /* SPAWN: the job waits for its slowest reader */
#define WSHD_OPEN_STDIN (1U << 10)    /* SPAWN: stdin is a pipe for those who attach */
#define WSHD_FRAMED (1U << 11)        /* ATTACH: as basic/frame.h has it; gaps are told */
#define WSHD_KEEP_STDIN (1U << 12)    /* ATTACH: the client's end of file only detaches it */
#define WSHD_FROM_NOW (1U << 13)      /* ATTACH: skip what the rings hold */
#define WSHD_STDIN_IF_FREE (1U << 14) /* ATTACH: with WSHD_STDIN_FD, do without instead of EBUSY */
#define WSHD_STDOUT_OPEN (1U << 15)   /* SPAWNED, JOB, EXITED, OK: there may be more to come */
#define WSHD_STDERR_OPEN (1U << 16)
#define WSHD_UNTIL_NOW (1U << 17)   /* ATTACH: what the rings hold, then the end */
#define WSHD_RING_SHRINK (1U << 18) /* SPAWN: smaller rings where rings_max leaves no more */

/* Where a spawn went wrong, so that a client can be told and the exit code of convention chosen. */
typedef enum WshdStage {
        WSHD_STAGE_NONE,
        WSHD_STAGE_REQUEST, /* malformed, or a bound */
        WSHD_STAGE_FORK,
        WSHD_STAGE_SPEC, /* the spec does not decode */
        WSHD_STAGE_STDIO,
        WSHD_STAGE_TTY,
        WSHD_STAGE_RLIMIT,
        WSHD_STAGE_USER, /* no such user or group; ENOENT */
        WSHD_STAGE_CREDENTIALS,
        WSHD_STAGE_DIRECTORY,
        WSHD_STAGE_EXEC,
        WSHD_STAGE_RING, /* no memory or descriptors for the output rings, or for the pipes */
        _WSHD_STAGE_MAX,
} WshdStage;

const char *wshd_stage_to_string(uint32_t stage); /* never NULL */

typedef struct WshdMessage {
        uint32_t type;
        uint32_t sequence;
        uint32_t flags;
        uint32_t job;
        uint32_t
                pid; /* in the container's pid namespace: for printing; the pidfd is what is used */
        uint32_t error;  /* positive errno */
        uint32_t stage;  /* WshdStage */
        uint32_t signal; /* KILL: which; EXITED: what ended it, 0 when it exited */
        uint32_t code;   /* exit code */
        uint32_t rows, columns;
        uint64_t usec;
        uint64_t start_usec, end_usec; /* CLOCK_REALTIME */
        uint64_t ring_bytes; /* SPAWN: of each ring, rounded up to a page. 0: none, /dev/null */
        uint64_t
                rings_max; /* SPAWN: what all rings of the container may be together. 0: anything */
        uint64_t stdout_position, stderr_position; /* ATTACH: where to start. 0: the oldest byte */
        uint64_t stdout_bytes, stderr_bytes;       /* JOB, EXITED, OUTPUT, OK: written so far */
        const uint8_t *spec; /* SPAWN, inline: an encoded JobSpec, into the buffer */
        size_t spec_size;
} WshdMessage;

/* Writes into @buffer (WSHD_MESSAGE_MAX bytes). Returns the size; -EMSGSIZE. */
int wshd_message_encode(const WshdMessage *m, uint8_t *buffer, size_t room);

/* Returns 0; -EBADMSG malformed; -EPROTONOSUPPORT another version (type and sequence are set then
 * too). */
int wshd_message_decode(const uint8_t *buffer, size_t size, WshdMessage *ret);

/* sendmsg() and recvmsg() of one encoded datagram with its descriptors, non-blocking, MSG_NOSIGNAL.
 * Receiving: every fd is O_CLOEXEC; a truncated datagram or control message is -EBADMSG with all
 * fds closed; 0 is the end of the connection; -EAGAIN. *n_fds is in: room, out: count; the fds are
 * the caller's. */
int wshd_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds);
int wshd_receive(int fd, void *buffer, size_t room, int *fds, size_t *n_fds);
