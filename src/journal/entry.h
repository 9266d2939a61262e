/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/uio.h>

#include "journal/line.h"
#include "wire/journal-message.h"

/* Entries of the journal, sent natively: fields with their length, so that a message may be any
 * bytes and cannot become a field. */

#define ENTRY_FIELDS_MAX 16

/* The fields of a job that never change, made once. */
typedef struct EntryHead {
        struct iovec fields[8];
        size_t n_fields;
        char *text; /* what the fields point into */
} EntryHead;

/* Returns 0; -ENOMEM. */
int entry_head_init(EntryHead *head, const JournalMessage *m);
void entry_head_done(EntryHead *head);

/* What one entry adds; room for all that it points at. */
typedef struct Entry {
        struct iovec fields[ENTRY_FIELDS_MAX];
        size_t n_fields;
        char stream[32], position[48], priority[16], missed[48];
        uint8_t message[8 + LINE_BYTES_MAX];
} Entry;

/* @stream  0 stdout, 1 stderr */
void entry_make_line(Entry *entry, const EntryHead *head, int stream, const Line *line);

/* Bytes were overwritten before they could be sent: said aloud. */
void entry_make_gap(Entry *entry, const EntryHead *head, int stream, uint64_t position,
                    uint64_t missed_bytes);

/* Hands it to journald; waits while its socket is full.
 * Returns 0; negative errno: -EMSGSIZE, -ENOBUFS, -ECONNREFUSED … */
int entry_send(const Entry *entry);
