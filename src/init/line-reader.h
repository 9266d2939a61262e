/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Lines of a file that cannot be trusted: no more than a bound is read of it, and lines that do not
 * fit or that hold a NUL are passed over. */
typedef struct LineReader {
        int fd;
        size_t left; /* bytes of the file that may still be read */
        size_t offset, size;
        char buffer[4096];
} LineReader;

#define LINE_READER_INIT ((LineReader){ .fd = -1 })

/* Takes @take_fd. */
void line_reader_init(LineReader *reader, int take_fd, size_t max);
void line_reader_done(LineReader *reader);

/* Returns 1 with a line, without its newline, in @line; 0 at the end of the file or at the bound;
 * negative errno. The last line needs no newline. */
int line_reader_next(LineReader *reader, char *line, size_t room);
