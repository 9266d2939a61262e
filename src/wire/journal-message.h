/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/name.h"

/* From wardend to warden-journal, the one program that carries output of jobs to the journal: one
 * datagram a job on the SOCK_SEQPACKET socket that the program has as fd 3. How far it has come is
 * in the state file, which outlives both.
 *
 *     JOURNAL_FOLLOW   fields of codec.h; fds: framed readers of stdout and stderr (WSHD_ATTACH,
 *                      WSHD_FRAMED; /dev/null for a stream without a ring), the state file
 *
 * Back comes one datagram when nothing more will be read of a job: its key, ID/N, without a NUL.
 *
 * All that identifies an entry is in here, and so comes from the daemon; from the job comes nothing
 * but the message and its priority. The end of the connection ends the program. */

#define JOURNAL_FD 3
#define JOURNAL_MESSAGE_MAX 4096
#define JOURNAL_MESSAGE_FDS 3
#define JOURNAL_KEY_SIZE (CONTAINER_ID_LENGTH + 1 + 10 + 1)

typedef struct JournalMessage {
        const char *name; /* of the container; the strings point into the buffer */
        const char *id;
        const char *unit;
        const char *identifier;
        uint32_t job;
        int is_tty;
} JournalMessage;

/* What names a job among those of all containers. */
void journal_key_format(const char *id, uint32_t job, char ret[JOURNAL_KEY_SIZE]);

/* Returns the size; -EMSGSIZE. */
int journal_message_encode(const JournalMessage *m, uint8_t *buffer, size_t room);

/* Checks that all is there and fit for a field of the journal. Returns 0; -EBADMSG. */
int journal_message_decode(const uint8_t *buffer, size_t size, JournalMessage *ret);

/* The state file, /run/warden/containers/ID/journal/N: made by wardend, mapped and kept by
 * warden-journal, which stores a stream's place right behind the entry that it sent. A kill between
 * the two is the one case in which an entry comes twice; CONTAINER_STREAM_POSITION= tells that it
 * is the same. In the order of bytes of this machine: it is on a tmpfs. */

#define JOURNAL_STATE_VERSION 1U

typedef struct JournalPlace {
        uint64_t position;     /* the first byte of the stream that was not sent yet */
        uint32_t is_continued; /* it is in the middle of a line, of which pieces were sent */
        uint32_t priority;     /* of that line */
        uint32_t is_ended;     /* all of the stream was sent */
        uint32_t reserved;
} JournalPlace;

typedef struct JournalState {
        uint32_t version;
        uint32_t reserved;
        JournalPlace places[2]; /* stdout, stderr */
} JournalState;

/* An empty file is a beginning. @data may be hostile or torn.
 * Returns 0; -EBADMSG. */
int journal_state_check(const void *data, size_t size, JournalState *ret);
