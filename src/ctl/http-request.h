/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* As much of HTTP/1.1 as somebody needs who is asked for one page: the head of one request, without
 * a body. Whoever is on the other end may send anything. */

#define HTTP_REQUEST_MAX 8192 /* bytes of a head */

typedef enum HttpStatus {
        HTTP_INCOMPLETE = 0, /* read on */
        HTTP_OK = 200,
        HTTP_BAD_REQUEST = 400,
        HTTP_NOT_FOUND = 404,
        HTTP_METHOD_NOT_ALLOWED = 405,
        HTTP_REQUEST_TIMEOUT = 408,
        HTTP_TOO_LARGE = 431,
        HTTP_VERSION_NOT_SUPPORTED = 505,
} HttpStatus;

const char *http_status_to_string(HttpStatus status); /* "Not Found"; "" */

/* What came so far.
 * @path             the one page there is; a query behind it is not looked at
 * @ret_is_head      the answer has no body
 * Returns           what to answer, or HTTP_INCOMPLETE */
HttpStatus http_request_parse(const char *data, size_t size, const char *path, int *ret_is_head);
