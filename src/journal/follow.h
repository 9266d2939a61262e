/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal/entry.h"
#include "basic/frame.h"
#include "journal/line.h"

/* One job whose output goes to the journal: its two streams, and the file that keeps their
 * places. */

/* Sends one entry. Returns 0 when it is sent, or is not worth another try; negative: stop, and
 * nothing that was not sent counts as sent. */
typedef int (*FollowSend)(void *userdata, const Entry *entry);

typedef struct Follow Follow;

typedef struct FollowStream {
        Follow *follow;
        int index; /* 0 stdout, 1 stderr */
        int fd;    /* -EBADF when it has ended */
        FrameParser frames;
        LineSplitter lines;
} FollowStream;

struct Follow {
        EntryHead head;
        JournalState *state; /* mapped from the file */
        FollowStream streams[2];
        FollowSend send;
        void *userdata;
};

/* @fds      stdout, stderr, the state file; taken in success and failure
 * Returns   0; -EBADMSG the file is none of ours; -ENOMEM and so on. */
int follow_new(const JournalMessage *m, const int *take_fds, FollowSend send, void *userdata,
               Follow **ret);
Follow *follow_free(Follow *follow);

int follow_is_done(const Follow *follow);

/* Reads what is there, at most @room bytes, through @buffer.
 * Returns 1 when something was read; 0 when nothing is there, or the stream has ended (fd is
 * -EBADF then); negative what send() returned, or -ENOMEM: the stream is closed,
 * its place stays. */
int follow_stream_read(FollowStream *stream, Entry *entry, uint8_t *buffer, size_t room);
