/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "basic/macro.h"
#include "journal/line.h"

#define PREFIX_MAX 191 /* the largest facility and the largest level */

void line_splitter_init(LineSplitter *splitter, const JournalPlace *place, int default_priority,
                        int is_tty)
{
        *splitter = (LineSplitter){ .place = *place,
                                    .default_priority = default_priority,
                                    .is_tty = is_tty };
}

void line_splitter_done(LineSplitter *splitter)
{
        free(splitter->buffer);
        splitter->buffer = NULL;
        splitter->size = 0;
}

uint64_t line_next_position(const LineSplitter *splitter)
{
        return splitter->place.position + (splitter->is_handed_out ? 0 : splitter->size);
}

/* A line of its own buffer was sent by now. */
static void release_buffer(LineSplitter *splitter)
{
        if (splitter->is_handed_out)
                line_splitter_done(splitter);
        splitter->is_handed_out = 0;
}

/* "<14>": returns the length of the prefix with the priority, 0 when there is none. The level of
 * emergencies is not for a container: journald writes those to every terminal of the host. */
static size_t parse_prefix(const uint8_t *text, size_t size, int *ret_priority)
{
        unsigned value = 0;
        size_t i = 1;

        if (size < 3 || text[0] != '<')
                return 0;
        for (; i < size && i < 4 && text[i] >= '0' && text[i] <= '9'; i++)
                value = value * 10 + (unsigned)(text[i] - '0');
        if (i == 1 || i >= size || text[i] != '>' || value > PREFIX_MAX)
                return 0;
        *ret_priority = MAX2((int)(value & LOG_PRIMASK), LOG_ALERT);
        return i + 1;
}

/* @n_taken  bytes of the stream that are through with it, the newline included */
static void hand_out(LineSplitter *splitter, const uint8_t *text, size_t size, size_t n_taken,
                     int is_partial, Line *ret)
{
        JournalPlace *place = &splitter->place;
        int priority = place->is_continued ? (int)place->priority : splitter->default_priority;
        uint64_t position = place->position;

        if (!place->is_continued) {
                size_t n = parse_prefix(text, size, &priority);

                text += n;
                size -= n;
        }
        if (splitter->is_tty && !is_partial && size > 0 && text[size - 1] == '\r')
                size--;
        place->position += n_taken;
        place->is_continued = (uint32_t)is_partial;
        place->priority = is_partial ? (uint32_t)priority : 0;
        *ret = (Line){ .text = text,
                       .size = size,
                       .position = position,
                       .place = *place,
                       .priority = priority,
                       .is_partial = is_partial };
}

/* Returns 0; -ENOMEM. */
static int keep(LineSplitter *splitter, const uint8_t *data, size_t size)
{
        if (!splitter->buffer) {
                splitter->buffer = malloc(LINE_BYTES_MAX);
                if (!splitter->buffer)
                        return -ENOMEM;
        }
        memcpy(splitter->buffer + splitter->size, data, size);
        splitter->size += size;
        return 0;
}

int line_next(LineSplitter *splitter, const uint8_t **data, size_t *size, Line *ret)
{
        size_t room, n, n_taken;
        const uint8_t *newline;
        int is_due, r;

        release_buffer(splitter);
        if (*size == 0)
                return 0;
        room = LINE_BYTES_MAX - splitter->size;
        n = MIN2(*size, room);
        /* A newline may stand right behind a line that is as long as may be. */
        newline = memchr(*data, '\n', MIN2(*size, room + 1));
        if (newline)
                n = (size_t)(newline - *data);
        n_taken = n + (newline ? 1 : 0);
        /* A line that is full is handed out when it is known what follows: its newline may. */
        is_due = newline || *size > room;

        if (splitter->size > 0 || !is_due) {
                r = keep(splitter, *data, n);
                if (r < 0)
                        return r;
        }
        if (splitter->size > 0 && is_due) {
                hand_out(splitter, splitter->buffer, splitter->size, splitter->size + n_taken - n,
                         !newline, ret);
                splitter->is_handed_out = 1;
        } else if (is_due) {
                hand_out(splitter, *data, n, n_taken, !newline, ret);
        }
        *data += n_taken;
        *size -= n_taken;
        return is_due;
}

int line_flush(LineSplitter *splitter, int is_partial, Line *ret)
{
        release_buffer(splitter);
        if (splitter->size == 0)
                return 0;
        hand_out(splitter, splitter->buffer, splitter->size, splitter->size, is_partial, ret);
        splitter->is_handed_out = 1;
        return 1;
}

void line_skip(LineSplitter *splitter, uint64_t position)
{
        release_buffer(splitter);
        splitter->place = (JournalPlace){ .position = position };
}
