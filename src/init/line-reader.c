/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/line-reader.h"

void line_reader_init(LineReader *reader, int take_fd, size_t max)
{
        reader->fd = take_fd;
        reader->left = max;
        reader->offset = reader->size = 0;
}

void line_reader_done(LineReader *reader)
{
        reader->fd = fd_close(reader->fd);
}

/* Returns 1 when the buffer has something; 0 at the end. */
static int line_reader_fill(LineReader *reader)
{
        ssize_t n;

        if (reader->offset < reader->size)
                return 1;
        do
                n = read(reader->fd, reader->buffer, MIN2(sizeof(reader->buffer), reader->left));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        reader->offset = 0;
        reader->size = (size_t)n;
        reader->left -= (size_t)n;
        return n > 0;
}

/* One line, or what of it fits. @ret_is_good tells whether it may be used. */
static int line_reader_take(LineReader *reader, char *line, size_t room, int *ret_is_good)
{
        size_t n = 0;
        int r, is_good = 1, is_any = 0;

        while ((r = line_reader_fill(reader)) > 0) {
                char c = reader->buffer[reader->offset++];

                is_any = 1;
                if (c == '\n')
                        break;
                if (c == 0 || n + 1 >= room)
                        is_good = 0;
                else
                        line[n++] = c;
        }
        if (r < 0)
                return r;
        line[n] = 0;
        /* Cut off by the bound, the last line is not what the file says. */
        *ret_is_good = is_good && (r > 0 || reader->left > 0);
        return is_any;
}

int line_reader_next(LineReader *reader, char *line, size_t room)
{
        int r, is_good = 0;

        do
                r = line_reader_take(reader, line, room, &is_good);
        while (r > 0 && !is_good);
        return r;
}
