/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/journal-message.h"

/* The bytes of a stream as lines for the journal. A line that is longer than LINE_BYTES_MAX comes
 * in pieces, as does one of which bytes were missed: all but the last are marked as partial. A
 * prefix <N> gives the line's priority, as sd-daemon(3) has it. */

#define LINE_BYTES_MAX (48U << 10) /* as journald's own LineMax= */

typedef struct Line {
        const uint8_t *text;
        size_t size;
        uint64_t position;  /* of the first byte that has come into it, prefix included */
        JournalPlace place; /* where the stream is when this was sent */
        int priority;
        int is_partial; /* more of it follows, or would have */
} Line;

typedef struct LineSplitter {
        JournalPlace place; /* of what was handed out */
        uint8_t *
                buffer; /* the begun line; NULL while there is none, so that the idle cost little */
        size_t size;
        int default_priority;
        int is_tty;        /* lines end with CR LF there */
        int is_handed_out; /* the buffer's content: it is free at the next call */
} LineSplitter;

void line_splitter_init(LineSplitter *splitter, const JournalPlace *place, int default_priority,
                        int is_tty);
void line_splitter_done(LineSplitter *splitter);

/* The position of the byte that should come next. */
uint64_t line_next_position(const LineSplitter *splitter);

/* Takes bytes from the front of *data up to the end of a line.
 * Returns 1 with a line, valid until the next call and as long as *data is; 0 when *size has become
 * 0; -ENOMEM, with nothing taken. */
int line_next(LineSplitter *splitter, const uint8_t **data, size_t *size, Line *ret);

/* What was begun, at the end of the stream or before a gap. Returns 1 with a line; 0 when there is
 * nothing. */
int line_flush(LineSplitter *splitter, int is_partial, Line *ret);

/* Goes on at @position, as bytes were missed. Nothing may be begun: line_flush(). */
void line_skip(LineSplitter *splitter, uint64_t position);
