/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A stream of any bytes, in steps of any size: no byte is lost or doubled, lines have no newline in
 * them, and they are the same however the stream is cut. The first two bytes are the step, and
 * whether it is a terminal. */

#include "basic/macro.h"
#include "fuzz.h"
#include "journal/line.h"

typedef struct Sum {
        uint64_t end;   /* position behind all that was handed out */
        uint64_t lines; /* how many ends of lines */
        uint64_t hash;
} Sum;

static void check_line(const LineSplitter *splitter, const Line *line, Sum *sum)
{
        PROMISE(line->position == sum->end);
        PROMISE(line->place.position > line->position);
        PROMISE(line->size <= LINE_BYTES_MAX && line->priority >= 0 && line->priority <= 7);
        PROMISE(line->size <= line->place.position - line->position);
        PROMISE(line->size == 0 || !memchr(line->text, '\n', line->size));
        PROMISE(line->place.is_continued == (uint32_t)line->is_partial);
        PROMISE(splitter->place.position == line->place.position);
        sum->end = line->place.position;
        sum->lines += !line->is_partial;
        for (size_t i = 0; i < line->size; i++)
                sum->hash = sum->hash * 31 + line->text[i];
        sum->hash = sum->hash * 31 + (uint64_t)line->priority + (line->is_partial ? 100 : 200);
}

static Sum split(const uint8_t *data, size_t size, size_t step, int is_tty)
{
        LineSplitter splitter;
        JournalPlace place = { .position = 0 };
        Sum sum = { 0 };
        Line line;

        line_splitter_init(&splitter, &place, 6, is_tty);
        for (size_t i = 0; i < size; i += step) {
                const uint8_t *p = data + i;
                size_t left = MIN2(step, size - i);

                while (line_next(&splitter, &p, &left, &line) > 0)
                        check_line(&splitter, &line, &sum);
                PROMISE(left == 0);
        }
        PROMISE(line_next_position(&splitter) == size);
        if (line_flush(&splitter, 1, &line) > 0)
                check_line(&splitter, &line, &sum);
        PROMISE(sum.end == size);
        line_splitter_done(&splitter);
        return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Sum all, steps;
        uint64_t newlines = 0;

        if (size < 2)
                return 0;
        for (size_t i = 2; i < size; i++)
                newlines += data[i] == '\n';
        all = split(data + 2, size - 2, size, data[1] & 1);
        steps = split(data + 2, size - 2, (size_t)data[0] + 1, data[1] & 1);
        PROMISE(all.lines == newlines);
        PROMISE(all.hash == steps.hash && all.lines == steps.lines && all.end == steps.end);
        return 0;
}
