/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "ctl/http-request.h"

const char *http_status_to_string(HttpStatus status)
{
        switch (status) {
        case HTTP_OK:
                return "OK";
        case HTTP_BAD_REQUEST:
                return "Bad Request";
        case HTTP_NOT_FOUND:
                return "Not Found";
        case HTTP_METHOD_NOT_ALLOWED:
                return "Method Not Allowed";
        case HTTP_REQUEST_TIMEOUT:
                return "Request Timeout";
        case HTTP_TOO_LARGE:
                return "Request Header Fields Too Large";
        case HTTP_VERSION_NOT_SUPPORTED:
                return "HTTP Version Not Supported";
        case HTTP_INCOMPLETE:
                break;
        }
        return "";
}

/* The size of the head with the empty line that ends it; 0: it has not come yet. */
static size_t head_size(const char *data, size_t size)
{
        static const char *const ends[] = { "\r\n\r\n", "\n\n" };

        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                size_t n = strlen(ends[i]);
                const char *end = memmem(data, size, ends[i], n);

                if (end)
                        return (size_t)(end - data) + n;
        }
        return 0;
}

/* Ended by a blank; the rest of the line follows. NULL: there is none. */
static const char *take_word(const char **p, const char *end, size_t *ret_size)
{
        const char *word = *p, *blank = memchr(word, ' ', (size_t)(end - word));

        if (!blank || blank == word)
                return NULL;
        *ret_size = (size_t)(blank - word);
        *p = blank + 1;
        return word;
}

static int is_word(const char *word, size_t size, const char *expected)
{
        return size == strlen(expected) && memcmp(word, expected, size) == 0;
}

/* "GET /metrics?x HTTP/1.1" */
static HttpStatus parse_request_line(const char *line, const char *end, const char *path,
                                     int *ret_is_head)
{
        const char *method, *target, *query;
        size_t n_method = 0, n_target = 0, n_version;
        int is_head;

        method = take_word(&line, end, &n_method);
        target = method ? take_word(&line, end, &n_target) : NULL;
        n_version = (size_t)(end - line);
        if (!target || n_version < 8 || memcmp(line, "HTTP/", 5) != 0)
                return HTTP_BAD_REQUEST;
        if (!is_word(line, n_version, "HTTP/1.1") && !is_word(line, n_version, "HTTP/1.0"))
                return HTTP_VERSION_NOT_SUPPORTED;
        is_head = is_word(method, n_method, "HEAD");
        if (!is_head && !is_word(method, n_method, "GET"))
                return HTTP_METHOD_NOT_ALLOWED;
        query = memchr(target, '?', n_target);
        if (query)
                n_target = (size_t)(query - target);
        *ret_is_head = is_head;
        return is_word(target, n_target, path) ? HTTP_OK : HTTP_NOT_FOUND;
}

/* Fields are not needed, but what has none of their form is no HTTP. */
static int fields_are_valid(const char *line, const char *end)
{
        while (line < end) {
                const char *newline = memchr(line, '\n', (size_t)(end - line));
                size_t n = newline ? (size_t)(newline - line) : (size_t)(end - line);

                if (n > 0 && line[n - 1] == '\r')
                        n--;
                if (n > 0 && (line[0] == ':' || line[0] == ' ' || !memchr(line, ':', n)))
                        return 0;
                if (!newline)
                        break;
                line = newline + 1;
        }
        return 1;
}

HttpStatus http_request_parse(const char *data, size_t size, const char *path, int *ret_is_head)
{
        const char *newline, *end;
        size_t n;

        if (memchr(data, 0, size))
                return HTTP_BAD_REQUEST;
        n = head_size(data, size);
        if (n == 0)
                return size >= HTTP_REQUEST_MAX ? HTTP_TOO_LARGE : HTTP_INCOMPLETE;
        if (n > HTTP_REQUEST_MAX)
                return HTTP_TOO_LARGE;
        newline = memchr(data, '\n', n);
        end = newline > data && newline[-1] == '\r' ? newline - 1 : newline;
        if (!fields_are_valid(newline + 1, data + n))
                return HTTP_BAD_REQUEST;
        return parse_request_line(data, end, path, ret_is_head);
}
