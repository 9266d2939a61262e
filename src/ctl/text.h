/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Text for people: what may go to a terminal, and how wide it is there. Widths are columns as the
 * locale's wcwidth() sees them. */

/* A copy without control characters, escape sequences or bytes that are no characters: they become
 * \n, \t or \xNN. Names of files and arguments of jobs are not ours, and a terminal obeys what it
 * is sent. NULL when out of memory. */
char *text_escape(const char *s);

size_t text_width(const char *s);

/* Whatever the locale: well-formed, shortest form, no surrogates. */
int text_is_utf8(const char *s);

/* At most @width columns, the rest replaced by an ellipsis at the end. NULL when out of memory. */
char *text_ellipsize(const char *s, size_t width);

/* The word of a NULL-terminated list that @word was probably meant to be: a prefix of it, or at
 * most a third of the letters away. NULL when nothing is near. */
const char *text_nearest(const char *word, const char *const *candidates);

/* "42s", "3min 20s", "2h 5min", "5d 3h": the two largest units. */
#define TEXT_SPAN_MAX 32
void text_format_span(uint64_t usec, char ret[TEXT_SPAN_MAX]);

/* "512M", "1.5G", "infinity": the reverse of parse_size_bytes() for people. */
#define TEXT_BYTES_MAX 32
void text_format_bytes(uint64_t bytes, char ret[TEXT_BYTES_MAX]);
