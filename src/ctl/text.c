/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

#include "basic/macro.h"
#include "ctl/text.h"

#define ELLIPSIS_UTF8 "\xe2\x80\xa6"
#define NEAREST_WORD_MAX 32

/* One character at @s: its columns, or -1 when it may not be shown. *ret_size is at least 1. */
static int character_width(const char *s, mbstate_t *state, size_t *ret_size)
{
        wchar_t c;
        size_t n = mbrtowc(&c, s, strlen(s), state);

        if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
                memset(state, 0, sizeof(*state));
                *ret_size = 1;
                return -1;
        }
        *ret_size = n;
        return iswcntrl((wint_t)c) ? -1 : wcwidth(c);
}

static size_t escape_byte(char *out, unsigned char c)
{
        static const char hex[] = "0123456789abcdef";

        out[0] = '\\';
        if (c == '\n' || c == '\t' || c == '\r') {
                out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
                return 2;
        }
        out[1] = 'x';
        out[2] = hex[c >> 4];
        out[3] = hex[c & 15];
        return 4;
}

char *text_escape(const char *s)
{
        char *escaped = malloc(strlen(s) * 4 + 1);
        mbstate_t state = { 0 };
        size_t n = 0;

        if (!escaped)
                return NULL;
        while (*s) {
                size_t size;

                if (character_width(s, &state, &size) >= 0) {
                        memcpy(escaped + n, s, size);
                        n += size;
                } else {
                        for (size_t i = 0; i < size; i++)
                                n += escape_byte(escaped + n, (unsigned char)s[i]);
                }
                s += size;
        }
        escaped[n] = 0;
        return escaped;
}

size_t text_width(const char *s)
{
        mbstate_t state = { 0 };
        size_t width = 0;

        while (*s) {
                size_t size;
                int columns = character_width(s, &state, &size);

                width += columns < 0 ? 1 : (size_t)columns;
                s += size;
        }
        return width;
}

/* The length of the sequence that starts with @c, and the bits of @c that belong to the number. */
static int utf8_lead(unsigned char c, uint32_t *ret_bits)
{
        if (c < 0x80) {
                *ret_bits = c;
                return 1;
        }
        for (int n = 2; n <= 4; n++) {
                unsigned char mask = (unsigned char)(0xff << (7 - n));

                if ((c & mask) == (unsigned char)(mask << 1)) {
                        *ret_bits = c & (unsigned char)~mask;
                        return n;
                }
        }
        return -1;
}

int text_is_utf8(const char *s)
{
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

        while (*s) {
                uint32_t c;
                int n = utf8_lead((unsigned char)*s++, &c);

                if (n < 0)
                        return 0;
                for (int i = 1; i < n; i++, s++) {
                        if (((unsigned char)*s & 0xc0) != 0x80)
                                return 0;
                        c = c << 6 | ((unsigned char)*s & 0x3f);
                }
                if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                        return 0;
        }
        return 1;
}

/* In a locale that cannot show the character, a dot is as wide. */
static const char *ellipsis(void)
{
        return text_width(ELLIPSIS_UTF8) == 1 ? ELLIPSIS_UTF8 : ".";
}

char *text_ellipsize(const char *s, size_t width)
{
        mbstate_t state = { 0 };
        size_t kept = 0, columns = 0;
        const char *mark = ellipsis();
        char *result;

        if (text_width(s) <= width)
                return strdup(s);
        if (width == 0)
                return strdup("");
        for (;;) {
                size_t size;
                int w = character_width(s + kept, &state, &size);

                w = w < 0 ? 1 : w;
                if (columns + (size_t)w > width - 1)
                        break;
                columns += (size_t)w;
                kept += size;
        }
        result = malloc(kept + strlen(mark) + 1);
        if (!result)
                return NULL;
        memcpy(result, s, kept);
        memcpy(result + kept, mark, strlen(mark) + 1);
        return result;
}

/* How many letters must be typed, left out or changed; two that are swapped count as one. */
static size_t distance(const char *a, const char *b)
{
        size_t rows[3][NEAREST_WORD_MAX + 1];
        size_t n_a = strlen(a), n_b = strlen(b);

        for (size_t j = 0; j <= n_b; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n_a; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3];

                row[0] = i;
                for (size_t j = 1; j <= n_b; j++) {
                        size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);

                        row[j] = MIN2(MIN2(row[j - 1], above[j]) + 1, change);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                row[j] = MIN2(row[j], rows[(i + 1) % 3][j - 2] + 1);
                }
        }
        return rows[n_a % 3][n_b];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
        size_t n = strlen(word), best = SIZE_MAX;
        const char *nearest = NULL;

        if (n == 0 || n > NEAREST_WORD_MAX)
                return NULL;
        for (; *candidates; candidates++) {
                size_t m = strlen(*candidates), d;

                if (m > NEAREST_WORD_MAX)
                        continue;
                if (n >= 2 && strncasecmp(word, *candidates, n) == 0)
                        return *candidates;
                d = distance(word, *candidates);
                if (d < best && d * 3 <= MAX2(n, m)) {
                        best = d;
                        nearest = *candidates;
                }
        }
        return nearest;
}

void text_format_span(uint64_t usec, char ret[TEXT_SPAN_MAX])
{
        static const struct {
                const char *suffix;
                uint64_t seconds;
        } units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
        uint64_t seconds = usec / USEC_PER_SEC;

        for (size_t i = 0; i + 1 < ELEMENTSOF(units); i++) {
                uint64_t major = seconds / units[i].seconds;
                uint64_t minor = seconds % units[i].seconds / units[i + 1].seconds;

                if (major == 0)
                        continue;
                if (minor == 0)
                        (void)snprintf(ret, TEXT_SPAN_MAX, "%" PRIu64 "%s", major, units[i].suffix);
                else
                        (void)snprintf(ret, TEXT_SPAN_MAX, "%" PRIu64 "%s %" PRIu64 "%s", major,
                                       units[i].suffix, minor, units[i + 1].suffix);
                return;
        }
        (void)snprintf(ret, TEXT_SPAN_MAX, "%" PRIu64 "s", seconds);
}

void text_format_bytes(uint64_t bytes, char ret[TEXT_BYTES_MAX])
{
        static const char suffixes[] = { 'T', 'G', 'M', 'K' };

        if (bytes == UINT64_MAX) {
                (void)snprintf(ret, TEXT_BYTES_MAX, "infinity");
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                uint64_t unit = UINT64_C(1) << (10 * (ELEMENTSOF(suffixes) - i));
                uint64_t tenths = bytes % unit * 10 / unit;

                if (bytes < unit)
                        continue;
                if (tenths == 0)
                        (void)snprintf(ret, TEXT_BYTES_MAX, "%" PRIu64 "%c", bytes / unit,
                                       suffixes[i]);
                else
                        (void)snprintf(ret, TEXT_BYTES_MAX, "%" PRIu64 ".%" PRIu64 "%c",
                                       bytes / unit, tenths, suffixes[i]);
                return;
        }
        (void)snprintf(ret, TEXT_BYTES_MAX, "%" PRIu64, bytes);
}
